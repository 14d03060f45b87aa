"""Mail by stick: what waits for the city, write it onto a stick, take in what the city wrote; and what to do next."""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widgets import Static

from tui.city_clock import at_city
from tui.errand import errand
from tui.keymap import bindings_for
from tui.scan_folder import size_words
from tui.screens.choose import YES, confirm
from tui.screens.counter_screen import CounterScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import of, t
from wire.counter import AskCourier, CourierJob, CourierView

LOOK_SECONDS = 0.5
BUSY = {"waiting", "working"}
GOOD = {"written", "brought", "known"}
SIZES = ("bytes", "left_bytes")


class CourierScreen(CounterScreen[None]):
    """Bags and sticks."""

    place = "courier"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("courier")

    def __init__(self) -> None:
        super().__init__()
        self._seen: CourierView | None = None
        self._looking: Timer | None = None
        self._asked: str | None = None

    def body(self) -> ComposeResult:
        yield Static("", id="waiting", classes="sentence", markup=False)
        yield Static("", id="job", classes="sentence", markup=False)
        yield NumberedList(empty=t("courier.no_stick"))

    def on_mount(self) -> None:
        self.query_one(NumberedList).focus()
        self._looking = self.set_interval(LOOK_SECONDS, self._look_again, pause=True)

    def uncovered(self) -> None:
        self.load()

    @errand("load")
    async def load(self) -> None:
        """Ask how things stand."""
        given = await self.attempt(self.counter.client.courier)
        if given is not None:
            self._show(given.value)

    def _look_again(self) -> None:
        if self.app.screen_stack[-1:] == [self]:
            self.load()

    def _show(self, view: CourierView) -> None:
        self._seen = view
        words = (
            t("courier.waiting", ops=view.waiting_ops, scans=view.waiting_scans, size=size_words(view.waiting_bytes))
            if view.waiting_ops or view.waiting_scans
            else t("courier.nothing_waits")
        )
        standing = self.counter.standing
        if standing is not None and standing.relay_at is not None:
            words += "\n" + t("courier.relayed", at=f"{at_city(standing.relay_at):%m-%d %H:%M}")
        if standing is not None and standing.relay_problem is not None and standing.line != "up":
            code = standing.relay_problem
            words += "\n" + t("courier.relay_failed", why=of("relay", code.removeprefix("relay.")), code=code)
        self.query_one("#waiting", Static).update(words)
        rows = [row for medium in view.media for row in _rows(medium.name, size_words(medium.free_bytes))]
        self.query_one(NumberedList).show(rows, keep=True)
        job = view.job if view.job is not None and view.job.order_id == self._asked else None
        words, tone = _told(job)
        line = self.query_one("#job", Static)
        line.update(words)
        line.display = bool(words)
        line.set_class(tone == "good", "good")
        line.set_class(tone == "warning", "warning")
        if self._looking is not None:
            (self._looking.resume if job is not None and job.phase in BUSY else self._looking.pause)()

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        way, _, medium = event.row.key.partition(":")
        self.ask(way, medium)

    @errand("ask")
    async def ask(self, way: str, medium: str, *, again: bool = False) -> None:
        """Ask the courier; how it goes is looked at until it is done."""
        order = AskCourier.model_validate({"way": way, "medium": medium, "again": again})
        given = await self.attempt(lambda: self.counter.client.ask_courier(order))
        if given is not None:
            self.say("")
            self._asked = given.value.job.order_id if given.value.job else None
            self._show(given.value)

    @errand("ask_again")
    async def action_again(self) -> None:
        """An earlier stick was lost: everything is written once more onto the one in front."""
        row = self.query_one(NumberedList).current
        if row is None:
            self.say(t("courier.again_needs_stick"), "warning")
            return
        medium = row.key.partition(":")[2]
        question = confirm(t("courier.again_question", medium=medium), t("courier.again"))
        if await self.app.push_screen_wait(question) == YES:
            self.ask("out", medium, again=True)

    def action_reload(self) -> None:
        self.load()


def _rows(name: str, free: str) -> list[Row]:
    return [
        Row(f"out:{name}", t("courier.write", medium=name), t("courier.write_detail", free=free)),
        Row(f"in:{name}", t("courier.read", medium=name), t("courier.read_detail")),
    ]


def _told(job: CourierJob | None) -> tuple[str, str]:
    """What to say about the order of this screen, and its tone."""
    if job is None:
        return "", ""
    if job.phase == "waiting":
        return t("courier.starting"), ""
    if job.phase == "working":
        done, all_of = size_words(job.bytes), size_words(job.bytes_all)
        percent = 100 * job.bytes // job.bytes_all if job.bytes_all else 0
        counts: dict[str, Any] = {"files": job.files, "files_all": job.files_all, "done": done, "all": all_of}
        if job.way == "out":
            return t("courier.writing", percent=percent, **counts), ""
        return t("courier.reading", percent=percent, **counts), ""
    code = job.code.removeprefix("courier.")
    params = {name: size_words(value) if name in SIZES else value for name, value in job.params.items()}
    words = [of("courier_job", code, **params)]
    if params.get("damaged"):
        words.append(t("courier.damaged", scans=params["damaged"]))
    if params.get("unreadable"):
        words.append(t("courier.unreadable", count=params["unreadable"]))
    if params.get("more"):
        words.append(t("courier.more"))
    if str(params.get("catalog") or "").startswith("catalog"):
        words.append(t("courier.catalog_refused"))
    return "\n".join(words), "good" if code in GOOD else "warning"
