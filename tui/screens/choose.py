"""One question with a few answers, by number; Esc changes nothing."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import t

YES = "yes"


class ChooseScreen(CounterScreen[str]):
    """Dismissed with the key of the chosen answer, or None."""

    place = "choose"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("choose")

    def __init__(self, question: str, answers: Sequence[Row]) -> None:
        super().__init__()
        self.question = question
        self.answers = answers

    def body(self) -> ComposeResult:
        yield Static(self.question, classes="sentence", markup=False)
        yield NumberedList(self.answers)

    def on_mount(self) -> None:
        self.query_one(NumberedList).focus()

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        self.dismiss(event.row.key)


def confirm(question: str, yes: str) -> ChooseScreen:
    """A question before an act that cannot be taken back here; answered with `YES`, or anything else for no."""
    return ChooseScreen(question, [Row(YES, yes), Row("no", t("choose.no"))])
