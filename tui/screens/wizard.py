"""The wizard: a draft step by step, from its first field to the receipt.

Laws:
- Every change is on its way to the node within 300 ms; the step line says when it is not saved.
- Leaving, by whatever key, sends what is unsaved first. With the node away the screen asks before it lets go.
- Steps may be visited in any order; only the node's summary opens the way to collecting.
"""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from casework.materials import FIELD_PREFIX
from tui.autosave import Kept
from tui.draft_desk import AUTHORIZATION, DraftDesk
from tui.drawn import forget
from tui.errand import errand
from tui.keymap import bindings_for, shown_for
from tui.notice_words import strip
from tui.screens.answer_form import answer_form
from tui.screens.choose import YES, ChooseScreen, confirm
from tui.screens.counter_screen import CounterScreen
from tui.screens.field_filling import FieldFilling
from tui.screens.material import MaterialScreen
from tui.screens.notice import NoticeScreen
from tui.screens.slip import SlipScreen
from tui.steps.authorization_step import AuthorizationStep
from tui.steps.fields_step import FieldsStep
from tui.steps.materials_step import MaterialsStep
from tui.steps.points_step import PointsStep
from tui.steps.summary_step import SummaryStep
from tui.widgets.editing import Edited, Left, Wanted
from tui.widgets.key_bar import KeyBar
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.step_line import StepLine
from tui.widgets.title_bar import TitleBar
from tui.wizard_model import Step, StepKind, mark_of, place_of, steps_of
from tui.wording import of, t
from wire.counter import DraftView, ReturnPointView

T = TypeVar("T")

NEWER_KEY, COLLECT_KEY, SCANS_KEY, NOTICE_KEY = "F7", "F9", "F4", "F6"
WITH_SCANS = {StepKind.MATERIALS, StepKind.AUTHORIZATION}

SAVED_TONES = {Kept.SAVED: "good", Kept.WAITING: "", Kept.AWAY: "error", Kept.REFUSED: "error"}


class WizardScreen(CounterScreen[None]):
    """One draft."""

    place = "wizard"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("wizard")

    def __init__(self, view: DraftView) -> None:
        super().__init__()
        self.view = view
        self.desk: DraftDesk | None = None
        self.at = 0
        self.seen: set[Step] = set()
        self.filling: FieldFilling | None = None
        self.ready = False

    def body(self) -> ComposeResult:
        yield Static("", id="notice", markup=False)
        with Horizontal(id="progress"):
            yield StepLine()
            yield Static("", id="kept", markup=False)
        yield Vertical(id="step")

    def help_first(self) -> str:
        asked = any(frame.field.type == "consent" for step in self.query(FieldsStep) for frame in step.frames())
        return t("consent.notice") if asked else ""

    def on_mount(self) -> None:
        self.say(t("wizard.opening"))
        self.load()

    @errand("load")
    async def load(self) -> None:
        """Fetch the form and the guide of the draft, then show its first step."""
        opened = await self.attempt(lambda: DraftDesk.open(self.counter.client, self._ask, self.view, self._told))
        if opened is None:
            return
        self.say("")
        self.desk = opened.value
        self.filling = FieldFilling(self, self.desk)
        self._told(self.desk.autosave.kept)
        item = self.desk.item.get("name")
        title = t("wizard.answer_caption", item=item) if self.answering else t("wizard.caption", item=item)
        self.query_one(TitleBar).caption = title
        told = self.query_one("#notice", Static)
        told.update(strip(self.desk.notices))
        told.set_class(bool(self.desk.notices), "told")
        self._turn_to(0)

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self.counter.ask(call)

    def _told(self, kept: Kept) -> None:
        for words in self.query("#kept").results(Static):
            words.update(of("kept", kept))
            words.set_class(SAVED_TONES[kept] == "error", "error")
            if kept is Kept.AWAY:
                self.say(t("wizard.kept_here"), "error")
            elif kept is Kept.SAVED and self.query("#say.error"):
                self.say(t("wizard.saved_again"), "good")

    # --- steps ------------------------------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        return steps_of(self.desk) if self.desk else []

    def _turn_to(self, at: int, *, field_id: str = "", material_id: str = "") -> None:
        """Go to a step, and to a field or a material of it.

        The step is left at once, so that keys typed ahead never land in a field that is going away.
        """
        if self.desk is None:
            return
        steps = self.steps
        if self.query_one("#step", Vertical).children:
            self.seen.add(steps[min(self.at, len(steps) - 1)])
        self.at = max(0, min(at, len(steps) - 1))
        self.ready = False
        self.set_focus(None)
        self.show_step(steps[self.at], field_id, material_id)

    @errand("step")
    async def show_step(self, step: Step, field_id: str, material_id: str) -> None:
        """Put the body of a step in place of the one before."""
        body = await self._body_of(step)
        holder = self.query_one("#step", Vertical)
        await holder.remove_children()
        forget()
        await holder.mount(body)
        self.show_marks()
        if field_id and isinstance(body, FieldsStep):
            body.go_to(field_id)
        elif material_id and isinstance(body, MaterialsStep):
            body.go_to(material_id)
        else:
            getattr(body, "go_to_first", holder.focus)()
        if step.kind is StepKind.SUMMARY:
            self.ask_summary()

    async def _body_of(self, step: Step) -> Widget:
        if self.desk is None or self.filling is None:
            return Static()
        match step.kind:
            case StepKind.POINTS:
                return PointsStep(self.desk)
            case StepKind.AUTHORIZATION:
                return AuthorizationStep(self.desk)
            case StepKind.MATERIALS:
                return MaterialsStep(self.desk)
            case StepKind.SUMMARY:
                return SummaryStep(self.desk)
            case StepKind.SECTION:
                clerk = self.counter.clerk
                shown = await self.filling.shown_in(step.ref)
                name = clerk.name if clerk else ""
                return FieldsStep(self.desk, step.ref, shown, agent_name=name, checked=step in self.seen)

    def show_marks(self) -> None:
        """Show how far each step has come."""
        if self.desk is not None:
            steps = self.steps
            self.at = min(self.at, len(steps) - 1)
            marks = [(step.title, mark_of(self.desk, step, seen=step in self.seen)) for step in steps]
            self.query_one(StepLine).show(marks, self.at)
            self.query_one(KeyBar).show(self._keys(steps[self.at]))

    def _keys(self, step: Step) -> list[tuple[str, str]]:
        """The key bar names only what can be done at this step."""
        hidden = set() if self.view.newer_version is not None else {NEWER_KEY}
        if step.kind is not StepKind.SUMMARY:
            hidden.add(COLLECT_KEY)
        if step.kind not in WITH_SCANS:
            hidden.add(SCANS_KEY)
        if self.desk is None or not self.desk.notices:
            hidden.add(NOTICE_KEY)
        other = {COLLECT_KEY: t("summary.answer")} if self.answering else {}
        return [(key, other.get(key, words)) for key, words in shown_for(self.place) if key not in hidden]

    @property
    def answering(self) -> bool:
        """Is this the answer to a return?"""
        return self.view.kind == "supplement"

    def action_step(self, by: int) -> None:
        self._turn_to(self.at + by)

    def action_notice(self) -> None:
        if self.desk is not None and self.desk.notices:
            self.app.push_screen(NoticeScreen(self.desk.notices))

    def action_check(self) -> None:
        self._turn_to(len(self.steps) - 1)

    def go_to(self, *, field_id: str = "", material_id: str = "") -> None:
        """Go to where a field or a material is put right."""
        if self.desk is not None:
            at = place_of(self.desk, self.steps, field_id=field_id, material_id=material_id)
            self._turn_to(at, field_id=field_id or material_id.removeprefix(FIELD_PREFIX), material_id=material_id)

    # --- what the steps ask for -------------------------------------------------------------------------------

    @on(Edited)
    def _edited(self) -> None:
        self.show_marks()

    @on(Left)
    def _left(self) -> None:
        self.show_marks()
        if self.desk is not None:
            self._flush(self.desk)

    @work(group="flush", description="flush")
    async def _flush(self, desk: DraftDesk) -> None:
        await desk.autosave.flush()

    @on(Wanted)
    def _wanted(self, event: Wanted) -> None:
        step = self.query_one("#step").query_one(FieldsStep)
        self.fill(event, step)

    @errand("fill")
    async def fill(self, event: Wanted, step: FieldsStep) -> None:
        """Fill a field on another screen."""
        if self.filling is not None:
            await self.filling.fill(event, step)
            self.show_marks()

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        match self.steps[self.at].kind:
            case StepKind.MATERIALS | StepKind.AUTHORIZATION:
                self.open_material(event.row.key)
            case StepKind.POINTS:
                self.open_point(self.view.return_points[int(event.row.key)])
            case StepKind.SUMMARY:
                self._open_line(event.row.key)

    def _open_line(self, key: str) -> None:
        kind, _, ref = key.partition(":")
        if key == SummaryStep.COLLECT:
            self.action_collect()
        elif key == SummaryStep.NEWER:
            self.action_newer()
        elif kind == "field":
            self.go_to(field_id=ref)
        else:
            self._lead_to(ref)

    def _lead_to(self, material_id: str) -> None:
        """Go straight to a material; what the written authority must say stands on a step of its own."""
        if material_id == AUTHORIZATION or material_id.startswith(FIELD_PREFIX):
            self.go_to(material_id=material_id)
        else:
            self.seen |= {step for step in self.steps if step.kind is StepKind.MATERIALS}
            self.open_material(material_id)

    @errand("fill")
    async def open_material(self, material_id: str, *, scans: bool = False) -> None:
        """Work on one material, with its scans first if so asked; then show how it stands where one came from."""
        if self.desk is None:
            return
        await self.app.push_screen_wait(MaterialScreen(self.desk, material_id, scans=scans))
        for step in self.query(Vertical):
            if isinstance(step, MaterialsStep | AuthorizationStep | PointsStep):
                step.show()
        self.show_marks()
        if self.query(SummaryStep):
            self.ask_summary()

    def action_add_scan(self) -> None:
        """Scans for the material under the cursor; elsewhere, where scans are attached."""
        row = self.query_one("#step").query(NumberedList)
        if self.desk is None or self.steps[self.at].kind not in WITH_SCANS or not row or row.first().current is None:
            self.say(t("wizard.scans_where"), "warning")
            return
        self.open_material(cast("Row", row.first().current).key, scans=True)

    @errand("fill")
    async def open_point(self, point: ReturnPointView) -> None:
        """Put a point of a return right, or say what was done about it."""
        if self.desk is None:
            return
        desk = self.desk
        words = t("return.line", problem=point.problem, remedy=point.remedy)
        if point.kind != "condition":
            answers = [Row("go", t("return.go")), Row("say", t("return.say"), desk.answers.get(point.ref, ""))]
            chosen = await self.app.push_screen_wait(ChooseScreen(words, answers))
            if chosen == "go":
                if point.kind == "field":
                    self.go_to(field_id=point.ref)
                    if point.ref not in desk.visible():
                        self.say(
                            t("return.not_asked", what=point.label or desk.labels.get(point.ref, point.ref)), "warning"
                        )
                else:
                    self._lead_to(point.ref)
            if chosen != "say":
                return

        def typed(values: dict[str, Any]) -> None:
            desk.answer(point.ref, str(values["answer"] or ""))

        async def said(_: dict[str, Any]) -> None:
            await desk.autosave.flush()

        await self.app.push_screen_wait(answer_form(words, desk.answers.get(point.ref, ""), said, typed))
        for step in self.query(PointsStep):
            step.show()
        self.show_marks()

    # --- the end ----------------------------------------------------------------------------------------------

    @errand("summary")
    async def ask_summary(self) -> None:
        """Save what is unsaved, then ask the node what is missing."""
        desk = self.desk
        if desk is None:
            return
        if not await desk.autosave.flush():
            self.say(t("wizard.kept_here"), "error")
            return
        found = await self.attempt(desk.summary)
        said = await self.filling.read_back() if found and found.value.ready and self.filling else []
        steps = self.query(SummaryStep)
        if found is not None and steps:
            steps.first().show(found.value, said)
            self.ready = found.value.ready
            self.say("")

    @errand("collect")
    async def action_collect(self) -> None:
        """代办收件: the one act that cannot be taken back here, so it is asked for once more."""
        desk, answering = self.desk, self.answering
        summed = bool(self.query(SummaryStep))
        if desk is None or not summed or not self.ready:
            self.say(t("wizard.check_first") if not summed else t("wizard.not_complete"), "warning")
            return
        question = t("wizard.answer_question") if answering else t("wizard.collect_question")
        if any(one.shut_here for one in desk.notices):
            question = t("wizard.shut_question", question=question)
        yes = t("summary.answer") if answering else t("summary.collect")
        if await self.app.push_screen_wait(confirm(question, yes)) != YES:
            return
        self.say(t("wizard.collecting"))
        slip = await self.attempt(desk.collect)
        if slip is None:
            self.ask_summary()
            return
        desk.autosave.close()
        self.app.switch_screen(SlipScreen(slip.value, answering=answering))

    @errand("collect")
    async def action_newer(self) -> None:
        """Carry the draft over to the newest catalog; what still fits is kept by the node."""
        if self.desk is None or self.view.newer_version is None:
            return
        if not await self.desk.autosave.flush():
            return
        moved = await self.attempt(lambda: self.counter.client.carry_over(self.view.draft_id))
        if moved is not None:
            self.desk.autosave.close()
            self.app.switch_screen(WizardScreen(moved.value))

    async def put_away(self) -> None:
        if self.desk is not None:
            await self.desk.autosave.flush()

    def action_back(self) -> None:
        self.leave()

    @errand("leave")
    async def leave(self) -> None:
        """Leave; the draft stays on the node. With unsaved text the screen asks first."""
        if self.desk is not None:
            if not await self.desk.autosave.flush():
                question = confirm(t("wizard.leave_question"), t("wizard.leave_anyway"))
                if await self.app.push_screen_wait(question) != YES:
                    return
            self.desk.autosave.close()
        self.dismiss(None)
