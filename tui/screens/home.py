"""Home: the few things an agent does, by number, with how many wait where something waits."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.drawn import forget
from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.applications import ApplicationsScreen
from tui.screens.counter_screen import CounterScreen
from tui.screens.courier import CourierScreen
from tui.screens.drafts import DraftsScreen
from tui.screens.search import SearchScreen
from tui.screens.stopped import StoppedScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import t

RETURNED = "returned"
CONCLUDED = "concluded"
STOPPED_TONE = "bold $text-error"


class HomeScreen(CounterScreen[None]):
    """The start of every act."""

    place = "home"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("home")

    def body(self) -> ComposeResult:
        yield NumberedList(self._rows({}))

    def on_mount(self) -> None:
        self.query_one(NumberedList).focus()

    def _rows(self, waiting: dict[str, int]) -> list[Row]:
        def mark(what: str) -> str:
            return t("home.count", count=waiting[what]) if waiting.get(what) else ""

        return [
            Row("search", t("home.search"), t("home.search_detail")),
            Row("drafts", t("home.drafts"), t("home.drafts_detail"), mark("drafts")),
            Row("returned", t("home.returned"), t("home.returned_detail"), mark("returned"), "bold $text-warning"),
            Row("results", t("home.results"), t("home.results_detail"), mark("results"), "bold $text-success"),
            Row("applications", t("home.applications"), t("home.applications_detail"), mark("applications")),
            *self._courier_row(),
            *self._stopped_row(),
        ]

    def _courier_row(self) -> list[Row]:
        """In practice there is no mail, by whatever road."""
        return [] if self.counter.practice else [Row("courier", t("home.courier"), t("home.courier_detail"))]

    def _stopped_row(self) -> list[Row]:
        """Only while this machine's identity is stopped; last, so that no number of every day moves."""
        standing = self.counter.standing
        if standing is None or standing.stopped is None:
            return []
        return [Row("stopped", t("home.stopped"), t("home.stopped_detail"), t("home.stopped_mark"), STOPPED_TONE)]

    def uncovered(self) -> None:
        self.count()
        self.call_after_refresh(forget)

    @errand("count")
    async def count(self) -> None:
        """How many wait; without an answer the rows stay without figures."""
        client = self.counter.client
        drafts = await self.attempt(lambda: client.drafts(limit=1))
        returned = await self.attempt(lambda: client.applications(state=RETURNED, limit=1))
        results = await self.attempt(lambda: client.applications(state=CONCLUDED, limit=1))
        every = await self.attempt(lambda: client.applications(limit=1))
        waiting = {
            "drafts": drafts.value.total if drafts else 0,
            "returned": returned.value.total if returned else 0,
            "results": results.value.total if results else 0,
            "applications": every.value.total if every else 0,
        }
        if drafts and returned and results and every:
            self.say("")
        self.query_one(NumberedList).show(self._rows(waiting), keep=True)

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        match event.row.key:
            case "search":
                self.app.push_screen(SearchScreen())
            case "drafts":
                self.app.push_screen(DraftsScreen())
            case "returned":
                self.app.push_screen(ApplicationsScreen(RETURNED))
            case "stopped":
                self.app.push_screen(StoppedScreen())
            case "results":
                self.app.push_screen(ApplicationsScreen(CONCLUDED))
            case "courier":
                self.app.push_screen(CourierScreen())
            case _:
                self.app.push_screen(ApplicationsScreen(""))

    def action_back(self) -> None:
        """Leaving home is signing out, which has its own key."""
