"""A field that is filled on another screen: a region, scans. Enter, or simply typing, opens it.

Law: what a card reader or a quick hand types while that screen is being opened is kept for it, Enter included.
"""

from textual.content import Content
from textual.events import Blur, Focus, Key
from textual.widget import Widget

from tui.columns import fit
from tui.widgets.editing import LEAVING_KEYS, Done, Edited, Left, Wanted


class OpeningEditor(Widget, can_focus=True):
    """Shows what was chosen; `kind` says which screen chooses."""

    def __init__(self, field_id: str, kind: str, *, shown: str, invitation: str) -> None:
        super().__init__()
        self.field_id = field_id
        self.kind = kind
        self.shown = shown
        self.invitation = invitation
        self.opening = False
        self._typed = ""

    def take_typed(self) -> str:
        """What was typed since the other screen was asked for; a line feed stands for Enter."""
        typed, self._typed = self._typed, ""
        return typed

    def show(self, words: str) -> None:
        """Show another choice."""
        self.shown = words
        self.opening = False
        self.refresh()

    def render(self) -> Content:
        if self.shown:
            return Content(fit(self.shown, self.size.width))
        return Content.styled(fit(self.invitation, self.size.width), "$text-muted")

    def on_key(self, event: Key) -> None:
        if event.key == "enter" or (event.is_printable and event.character and not event.character.isspace()):
            typed = event.character if event.key != "enter" and event.character else ""
            if self.opening:
                self._typed += typed or "\n"
            else:
                self.opening, self._typed = True, typed
                self.post_message(Wanted(self.field_id, self.kind))
        elif event.key in LEAVING_KEYS:
            self.post_message(Done(self.field_id, event.key))
        elif event.key in {"delete", "backspace"} and self.kind == "region":
            self.show("")
            self.post_message(Edited(self.field_id, None))
        else:
            return
        event.stop()
        event.prevent_default()

    def on_focus(self, _event: Focus) -> None:
        self.opening = False
        self.refresh()

    def on_blur(self, _event: Blur) -> None:
        self.refresh()
        self.post_message(Left(self.field_id))
