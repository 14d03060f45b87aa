"""One application: where it stands, who must act, its clocks, its history, and what can be done here now.

Laws: only acts that the node allows are offered; what the city has not confirmed is marked as not confirmed.
"""

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from tui.application_words import clock_words, decision_words, due_words, duty_words, outcome_lines, standing_words
from tui.city_clock import at_city
from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.counter_acts import act_forms, offered
from tui.screens.counter_screen import CounterScreen
from tui.screens.slip import SlipScreen
from tui.screens.wizard import WizardScreen
from tui.waiting_words import scans_words, waiting_lines
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import of, t
from wire.counter import ApplicationDetail, together

NOT_APPLIED = "not_applied"  # told with its reason and what to do
RATED, VILLAGER = "rated", "villager"  # the villager rates, at the agent's counter


class ApplicationDetailScreen(CounterScreen[None]):
    """Reads one application; acts are chosen by number."""

    place = "application"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("application")

    def __init__(self, application_id: str) -> None:
        super().__init__()
        self.application_id = application_id
        self.detail: ApplicationDetail | None = None

    def body(self) -> ComposeResult:
        yield NumberedList()
        with ReadingScroll():
            yield Static("", id="detail", markup=False)

    def on_mount(self) -> None:
        self.query_one(NumberedList).focus()

    def uncovered(self) -> None:
        self.load()

    def action_reload(self) -> None:
        self.load()

    @errand("load")
    async def load(self) -> None:
        """Fetch and show the application as it stands now."""
        given = await self.attempt(lambda: self.counter.client.application(self.application_id))
        if given is None:
            return
        self.detail = detail = given.value
        rows = [Row(act, of("act", act)) for act in offered(detail)]
        acts = self.query_one(NumberedList)
        acts.show(rows, keep=True)
        acts.styles.height = len(rows)
        self.query_one("#detail", Static).update(page_of(detail, self.counter.now()))

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        match event.row.key:
            case "slip":
                self.show_slip()
            case "supplement" | "rescan":
                self.answer()
            case act if self.detail is not None:
                self.app.push_screen(act_forms(self.counter.client, self.detail)[act]())

    @errand("act")
    async def show_slip(self) -> None:
        """Show the receipt again."""
        given = await self.attempt(lambda: self.counter.client.slip(self.application_id))
        if given is not None:
            await self.app.push_screen(SlipScreen(given.value, fresh=False))

    @errand("act")
    async def answer(self) -> None:
        """Open a draft that answers the return point by point, or in which lost pages are scanned again."""
        given = await self.attempt(lambda: self.counter.client.supplement(self.application_id))
        if given is not None:
            await self.app.push_screen(WizardScreen(given.value))


def page_of(detail: ApplicationDetail, now: datetime) -> Content:
    """The application as text."""
    lines = [
        Content.styled(f"{detail.receipt_no}  {detail.item_name}", "bold"),
        Content(f"{t('slip.applicant', name=detail.applicant_masked)} · {of('proxy_standing', detail.proxy)}"),
        Content.assemble(
            (standing_words(detail), "bold"),
            *(f" · {words}" for words in (duty_words(detail), due_words(detail)) if words),
        ),
    ]
    if arrived := scans_words(detail):
        lines[-1] = Content.assemble(lines[-1], (f" · {arrived}", "$text-warning"))
    if detail.erased_at is not None:
        lines.append(
            Content.styled(t("application.erased", day=f"{at_city(detail.erased_at):%Y-%m-%d}"), "$text-warning")
        )
    if detail.refusal is not None:
        what = of("event", detail.refusal.op) if detail.refusal.op else t("application.last_act")
        words = t("application.not_applied", what=what, why=detail.refusal.message)
        lines.append(Content.styled(words, "bold $text-error"))
        lines.append(Content.styled(t("application.remedy", remedy=detail.refusal.remedy), "$text-error"))
    for same in together(detail.waiting):
        if same[0].why != NOT_APPLIED:
            first, second = waiting_lines(same, now)
            lines += [Content.styled("! " + first, "$text-warning"), Content.styled("  " + second, "$text-muted")]
    lines += [Content(clock_words(clock)) for clock in detail.clocks]
    lines += [Content(words) for words in outcome_lines(detail)]
    if detail.decision is not None:
        lines.append(Content.styled(decision_words(detail), "bold"))
    if detail.return_points:
        lines.append(Content.styled(t("application.returned", count=detail.returns_count), "bold $text-warning"))
        for number, point in enumerate(detail.return_points, 1):
            what = t("return.point", kind=of("return_kind", point.kind), what=point.label or point.ref)
            words = t("return.line", problem=point.problem, remedy=point.remedy)
            lines.append(Content(f"{number}. {what} — {words}"))
    lines.append(Content.styled(t("application.history"), "bold $text-accent"))
    for step in reversed(detail.history):
        open_mark = t("application.step_pending") if step.pending else ""
        what = t(
            "application.step",
            event=of("event", step.event),
            who=of("role", VILLAGER if step.event == RATED else step.role),
        )
        note = f" · {step.note}" if step.note else ""
        words = f"{at_city(step.at):%m-%d %H:%M}  {what}{note}{open_mark}"
        lines.append(Content(words))
    return Content("\n").join(lines)
