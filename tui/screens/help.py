"""Help for the screen below: what it is for, what to do, what each key does."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from tui.columns import fit
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import of, t

KEY_CELLS = 10


class HelpScreen(CounterScreen[None]):
    """The help of one place; `first` is what the person needs most where the cursor is."""

    place = "help"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("help")

    def __init__(self, about: str, first: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.about, self.first, self.keys = about, first, keys

    def body(self) -> ComposeResult:
        lines: list[Content] = [Content(self.first), Content("")] if self.first else []
        lines += [
            Content.styled(of("title", self.about), "bold"),
            Content(of("help", self.about)),
            Content(""),
            Content.styled(t("help_screen.keys"), "bold"),
        ]
        lines += [Content.assemble((fit(key, KEY_CELLS), "bold $text-accent"), words) for key, words in self.keys]
        lines += [Content(""), Content.styled(t("help_screen.everywhere"), "$text-muted")]
        with ReadingScroll():
            yield Static(Content("\n").join(lines))

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()
