"""A section of the form: its fields, checked as each is left, shown and hidden as the answers ask for it."""

from textual import on
from textual.app import ComposeResult

from tui.draft_desk import DraftDesk
from tui.problems import problem_words
from tui.widgets.editing import Done, Edited, Left
from tui.widgets.editor_for import editor_for, row_words
from tui.widgets.field_frame import FieldFrame, beside
from tui.widgets.opening_editor import OpeningEditor
from tui.widgets.quiet_scroll import QuietScroll
from tui.widgets.table_editor import TableEditor
from tui.widgets.text_editor import TextEditor
from tui.wording import t

AGENT_IS_HERE = ("agent_mode", "village_agent")


class FieldsStep(QuietScroll):
    """The fields of one section."""

    def __init__(
        self, desk: DraftDesk, section_id: str, shown: dict[str, str], *, agent_name: str, checked: bool
    ) -> None:
        super().__init__()
        self.desk = desk
        self.section = next(section for section in desk.form.sections if section.id == section_id)
        self.shown = shown
        self.agent_name = agent_name
        self.checked = checked
        self.visited: set[str] = set()

    def compose(self) -> ComposeResult:
        for field in self.section.fields:
            value = self.desk.values.get(field.id)
            yield FieldFrame(field, editor_for(field, value, self.shown.get(field.id, "")))

    def on_mount(self) -> None:
        self.show_visible()
        for frame in self.frames():
            if self.checked or self.desk.points_on(frame.field.id):
                self._check(frame)

    def frames(self) -> list[FieldFrame]:
        return list(self.query(FieldFrame))

    def frame(self, field_id: str) -> FieldFrame | None:
        return next((frame for frame in self.frames() if frame.field.id == field_id), None)

    def show_visible(self) -> None:
        """Show exactly the fields that the answers so far ask for."""
        visible, needed = self.desk.visible(), self.desk.required()
        for frame in self.frames():
            frame.display = frame.field.id in visible
            frame.show_needed(needed=frame.field.id in needed)

    @on(Edited)
    def _edited(self, event: Edited) -> None:
        self.desk.put(event.field_id, event.value)
        if (event.field_id, event.value) == AGENT_IS_HERE:
            self._name_the_agent()
        self.show_visible()
        frame = self.frame(event.field_id)
        if frame is not None and frame.problem:
            self._check(frame)

    def _name_the_agent(self) -> None:
        """The village agent who files is the one who is signed in; the name stays open to correction."""
        frame = self.frame("agent_name")
        if frame is not None and isinstance(frame.editor, TextEditor) and not frame.editor.value:
            frame.editor.value = self.agent_name

    @on(Left)
    def _left(self, event: Left) -> None:
        frame = self.frame(event.field_id)
        if frame is not None:
            self.visited.add(event.field_id)
            self._check(frame)
            self._check_dependents(event.field_id)

    def _check_dependents(self, field_id: str) -> None:
        """Fields already left whose rule refers to this one are checked again."""
        for frame in self.frames():
            rules = frame.field.validation
            depends = rules.not_before == field_id or (rules.check is not None and rules.check.when_field == field_id)
            if depends and frame.field.id in self.visited:
                self._check(frame)

    @on(Done)
    def _done(self, event: Done) -> None:
        frame = beside(self.frames(), event.field_id, event.by)
        if frame is not None:
            self.screen.set_focus(frame.editor)
        else:  # there is nothing to go to, so the focus stays; the person is done with the field all the same
            self.post_message(Left(event.field_id))

    def _check(self, frame: FieldFrame) -> None:
        problem = self.desk.problem(frame.field.id)
        points = self.desk.points_on(frame.field.id)
        words = problem_words(problem.code, problem.params, self.desk.labels) if problem else ""
        if problem and problem.row is not None:
            words = t("table.row_problem", row=problem.row + 1, column=self._column(frame, problem.column), why=words)
        if not words and points and not self.desk.answers.get(frame.field.id):
            words = t("return.line", problem=points[0].problem, remedy=points[0].remedy)
        frame.show_problem(words)

    @staticmethod
    def _column(frame: FieldFrame, column: str | None) -> str:
        return next((one.label for one in frame.field.columns if one.id == column), column or "")

    def refilled(self, field_id: str, words: str = "") -> None:
        """A field was filled on another screen: show it, check it, go on from it."""
        frame = self.frame(field_id)
        if frame is None:
            return
        if isinstance(frame.editor, TableEditor):
            rows = self.desk.values.get(field_id) or []
            frame.editor.show([row_words(frame.field, row) for row in rows])
        elif isinstance(frame.editor, OpeningEditor):
            frame.editor.show(words)
        self.show_visible()
        self._check(frame)

    def go_to(self, field_id: str) -> None:
        """Put the cursor into a field."""
        if (frame := self.frame(field_id)) is not None:
            self.screen.set_focus(frame.editor)

    def go_to_first(self) -> None:
        """Put the cursor into the first field that needs something, else into the first."""
        shown = [frame for frame in self.frames() if frame.display]
        open_ones = [frame for frame in shown if self.desk.problem(frame.field.id) is not None]
        for frame in (open_ones or shown)[:1]:
            self.screen.set_focus(frame.editor)
