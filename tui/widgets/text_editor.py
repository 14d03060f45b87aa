"""One line of text, a number or a date."""

from textual import on
from textual.events import Blur, Key
from textual.widgets import Input

from tui.widgets.editing import LEAVING_KEYS, Done, Edited, Left, typed_of, value_of
from tui.widgets.typed_in_order import OrderedInput


class TextEditor(OrderedInput):
    """An input that speaks of its field; up and down leave it, Enter goes to the next field."""

    def __init__(
        self, field_id: str, kind: str, value: object, *, placeholder: str = "", password: bool = False
    ) -> None:
        super().__init__(
            typed_of(value), placeholder=placeholder, password=password, compact=True, select_on_focus=False
        )
        self.field_id = field_id
        self.kind = kind

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(Edited(self.field_id, value_of(self.kind, event.value)))

    async def _on_key(self, event: Key) -> None:
        """Keys that leave the field act at once, not by a binding that other typed keys could overtake."""
        if event.key not in LEAVING_KEYS:
            await super()._on_key(event)
            return
        self.post_message(Done(self.field_id, event.key))
        event.stop()
        event.prevent_default()

    def _on_blur(self, event: Blur) -> None:
        super()._on_blur(event)
        if self.kind == "date":
            self.value = typed_of(value_of("date", self.value))
        self.post_message(Left(self.field_id))
