"""The emergency notices in force, in full; it is only read."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from tui.keymap import bindings_for
from tui.notice_words import chapter
from tui.screens.counter_screen import CounterScreen
from tui.widgets.quiet_scroll import ReadingScroll
from wire.counter import NoticeView


class NoticeScreen(CounterScreen[None]):
    """What is ordered, from when to when, where to turn."""

    place = "notice"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("notice")

    def __init__(self, notices: Sequence[NoticeView]) -> None:
        super().__init__()
        self.notices = tuple(notices)

    def body(self) -> ComposeResult:
        with ReadingScroll():
            yield Static(told(self.notices), id="notices", markup=False)

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()


def told(notices: Sequence[NoticeView]) -> Content:
    """The notices one after the other; where the window of this station is shut, that stands out."""
    lines: list[Content] = []
    for notice in notices:
        said = chapter(notice)
        lines.append(Content.styled(said.heading, "bold $text-warning"))
        shut = 1 if notice.shut_here else 0
        lines += [Content.styled("  " + line, "bold $text-error") for line in said.lines[:shut]]
        lines += [Content("  " + line) for line in said.lines[shut:]]
    return Content("\n").join(lines)
