"""The applications of this station: where each stands, honestly; searched, filtered and paged on the node."""

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from tui.application_words import LIGHTS, due_words, duty_words, standing_words
from tui.columns import shorten
from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.application import ApplicationDetailScreen
from tui.screens.choose import ChooseScreen
from tui.screens.counter_screen import CounterScreen
from tui.waiting_words import scans_words, short_words
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.typed_in_order import OrderedInput
from tui.wording import of, t
from wire.counter import ApplicationBrief

LOAD_ROWS = 30
MOST_ROWS = 100  # rows the node gives in one answer
NAME_CELLS = 30
STATES = (
    "",
    "collected",
    "returned",
    "pre_review",
    "accepted",
    "under_review",
    "concluded",
    "delivered",
    "withdrawn",
)


class ApplicationsScreen(CounterScreen[None]):
    """A list; digits open, `/` searches, `f` filters."""

    place = "applications"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("applications")

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state

    def body(self) -> ComposeResult:
        yield Static("", id="filter", markup=False)
        yield OrderedInput(placeholder=t("applications.placeholder"), compact=True, id="words")
        yield NumberedList(empty=t("applications.nothing"))

    def on_mount(self) -> None:
        self.query_one("#words", Input).display = False
        self.query_one(NumberedList).focus()

    def uncovered(self) -> None:
        self.look(keep=True)

    @errand("look")
    async def look(self, offset: int = 0, *, keep: bool = False) -> None:
        """Show what the node has under the filter and the search words."""
        words = self.query_one("#words", Input).value.strip()
        rows = self.query_one(NumberedList)
        limit = min(max(LOAD_ROWS, len(rows.rows)), MOST_ROWS) if keep else LOAD_ROWS
        found = await self.attempt(
            lambda: self.counter.client.applications(state=self.state, words=words, offset=offset, limit=limit)
        )
        if found is None:
            return
        page = found.value
        state = of("state", self.state) if self.state else t("applications.every_state")
        self.query_one("#filter", Static).update(
            t("applications.filter", state=state, words=words or t("value.none"), total=page.total)
        )
        shown = [row_of(brief, self.counter.now()) for brief in page.rows]
        if offset:
            rows.add(shown, total=page.total)
        else:
            rows.show(shown, total=page.total, keep=keep)
        self.say("")

    @on(NumberedList.MoreWanted)
    def _more(self, event: NumberedList.MoreWanted) -> None:
        self.look(event.offset)

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        self.app.push_screen(ApplicationDetailScreen(event.row.key))

    def action_reload(self) -> None:
        self.look(keep=True)

    def action_find(self) -> None:
        words = self.query_one("#words", Input)
        words.display = True
        words.focus()

    @on(Input.Changed, "#words")
    def _typed(self) -> None:
        self.look()

    @on(Input.Submitted, "#words")
    def _searched(self) -> None:
        self.query_one(NumberedList).focus()

    @errand("filter")
    async def action_filter(self) -> None:
        """Show only one state."""
        answers = [
            Row(state or "*", of("state", state) if state else t("applications.every_state")) for state in STATES
        ]
        chosen = await self.app.push_screen_wait(ChooseScreen(t("applications.which"), answers))
        if chosen is not None:
            self.state = "" if chosen == "*" else chosen
            self.look()

    def action_back(self) -> None:
        words = self.query_one("#words", Input)
        if words.display and (words.has_focus or words.value):
            words.display = False
            words.value = ""
            self.query_one(NumberedList).focus()
            return
        self.dismiss(None)


def row_of(brief: ApplicationBrief, now: datetime) -> Row:
    """An application in the list; an act that waits says why, in place of who must act. Scans alone change nothing of
    whose turn it is and are only counted.
    """
    title = f"{brief.applicant_masked} · {shorten(brief.item_name, NAME_CELLS)}"
    waits = short_words([one for one in brief.waiting if one.op], now)
    parts = [brief.receipt_no, waits or duty_words(brief), due_words(brief) if brief.due or not waits else ""]
    detail = " · ".join(part for part in (*parts, scans_words(brief, short=True)) if part)
    return Row(brief.application_id, title, detail, standing_words(brief), LIGHTS[brief.light])
