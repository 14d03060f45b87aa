"""Why something is not at the city yet: how the line stands, and every application of which something waits.

Laws: the same words as everywhere else, the most urgent first; a screen that is open keeps up with the status bar.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from tui.application_words import LIGHTS, standing_words
from tui.columns import shorten
from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.application import ApplicationDetailScreen
from tui.screens.applications import LOAD_ROWS, MOST_ROWS, NAME_CELLS
from tui.screens.counter_screen import CounterScreen
from tui.waiting_words import SELF_MOVING, scans_words, short_words, waiting_lines
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.quiet_scroll import QuietScroll
from tui.wording import t
from wire.counter import ApplicationBrief, StatusBar


class LineScreen(CounterScreen[None]):
    """How the line stands, then what waits; digits open an application."""

    place = "line"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("line")

    def body(self) -> ComposeResult:
        with QuietScroll(id="conditions"):
            yield Static("", id="how", markup=False)
        yield Static("", id="count", classes="caption", markup=False)
        yield NumberedList(empty=t("line.nothing_waits"))

    def on_mount(self) -> None:
        self.query_one(NumberedList).focus()

    def uncovered(self) -> None:
        self.look(keep=True)

    def show_standing(self) -> None:
        super().show_standing()
        for how in self.query("#how").results(Static):
            how.update(conditions_of(self.counter.standing))
        for rows in self.query(NumberedList):  # whether all is at the city, nobody knows while the node is silent
            nothing = t("practice.nothing_sent") if self.counter.practice else t("line.nothing_waits")
            rows.empty = nothing if self.counter.standing else ""
            rows.refresh()

    def action_reload(self) -> None:
        self.look(keep=True)

    @errand("look")
    async def look(self, offset: int = 0, *, keep: bool = False) -> None:
        """Show what waits now."""
        rows = self.query_one(NumberedList)
        limit = min(max(LOAD_ROWS, len(rows.rows)), MOST_ROWS) if keep else LOAD_ROWS
        found = await self.attempt(lambda: self.counter.client.waiting(offset=offset, limit=limit))
        if found is None:
            return
        page = found.value
        self.query_one("#count", Static).update(t("line.count", count=page.total) if page.total else "")
        shown = [self._row(brief) for brief in page.rows]
        if offset:
            rows.add(shown, total=page.total)
        else:
            rows.show(shown, total=page.total, keep=keep)
        self.say("")

    def _row(self, brief: ApplicationBrief) -> Row:
        title = f"{brief.applicant_masked} · {shorten(brief.item_name, NAME_CELLS)}"
        parts = [short_words(brief.waiting, self.counter.now()), scans_words(brief, short=True), brief.receipt_no]
        detail = " · ".join(part for part in parts if part)
        return Row(brief.application_id, title, detail, standing_words(brief), LIGHTS[brief.light])

    @on(NumberedList.MoreWanted)
    def _more(self, event: NumberedList.MoreWanted) -> None:
        self.look(event.offset)

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        self.app.push_screen(ApplicationDetailScreen(event.row.key))


def conditions_of(standing: StatusBar | None) -> Content:
    """How the node stands, two lines each; without an answer of the node, that."""
    if standing is None:
        return Content.styled(t("line.no_answer"), "$text-error")
    lines = []
    for one in standing.conditions:
        first, second = waiting_lines([one], standing.now)
        lines.append(Content.styled(first, "bold" if one.who == SELF_MOVING else "bold $text-warning"))
        lines.append(Content.styled("  " + second, "$text-muted"))
    return Content("\n").join(lines)
