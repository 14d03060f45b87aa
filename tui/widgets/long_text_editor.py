"""Several lines of text."""

from textual import on
from textual.events import Blur
from textual.widgets import TextArea

from tui.widgets.editing import Edited, Left, typed_of, value_of
from tui.widgets.typed_in_order import OrderedTextArea


class LongTextEditor(OrderedTextArea):
    """A text area that speaks of its field; Tab leaves it."""

    def __init__(self, field_id: str, value: object) -> None:
        super().__init__(typed_of(value), soft_wrap=True, compact=True, highlight_cursor_line=False)
        self.field_id = field_id

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(Edited(self.field_id, value_of("textarea", self.text)))

    def _on_blur(self, event: Blur) -> None:
        super()._on_blur(event)
        self.post_message(Left(self.field_id))
