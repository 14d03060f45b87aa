"""Everything that is still missing, at once, as the node sees it; when nothing is, everything that was filled in, to be
read to the applicant before it is signed. Each line leads to where it is put right."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from casework.forms import Field
from tui.draft_desk import DraftDesk
from tui.problems import problem_words
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import of, t
from wire.counter import FieldProblemView, Summary

LINE_CELLS = 70


class SummaryStep(Vertical):
    """The verdict and the list. Row keys: `field:<id>`, `material:<id>`, `collect`, `newer`."""

    COLLECT: ClassVar[str] = "collect"
    NEWER: ClassVar[str] = "newer"

    def __init__(self, desk: DraftDesk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        yield Static(t("summary.asking"), id="verdict", markup=False)
        yield NumberedList()

    def show(self, summary: Summary, filled: Sequence[tuple[Field, str]] = ()) -> None:
        """Show what the node answered; `filled` is what was filled in, with its words."""
        count = len(summary.problems) + len(summary.missing)
        verdict = self.query_one("#verdict", Static)
        verdict.set_class(summary.ready, "good")
        verdict.set_class(not summary.ready, "warning")
        if summary.proxy_refusal:
            verdict.update(of("proxy_refusal", summary.proxy_refusal.removeprefix("proxy.")))
        elif summary.ready:
            verdict.update(t("summary.ready_again") if self.desk.view.kind == "supplement" else t("summary.ready"))
        else:
            verdict.update(t("summary.missing", count=count))
        rows = [self._ready_row()] if summary.ready else []
        if self.desk.view.newer_version is not None or summary.catalog_changes:
            rows.append(self._newer_row(summary))
        rows += [self._problem_row(problem) for problem in summary.problems]
        rows += [
            Row(
                f"material:{one.material_id}",
                one.name,
                one.message or of("missing", one.why.removeprefix("material.")),
                t("summary.material"),
            )
            for one in summary.missing
        ]
        rows += [self._filled_row(field, words) for field, words in filled]
        self.query_one(NumberedList).show(rows)

    def _filled_row(self, field: Field, words: str) -> Row:
        line = t("summary.filled", label=field.label, words=words)
        fits = cell_len(line) <= LINE_CELLS
        return Row(f"field:{field.id}", line if fits else field.label, "" if fits else words)

    def _ready_row(self) -> Row:
        answering = self.desk.view.kind == "supplement"
        words = t("summary.answer") if answering else t("summary.collect")
        detail = t("summary.answer_detail") if answering else t("summary.collect_detail")
        return Row(self.COLLECT, words, detail, "F9", "bold $text-success")

    def _newer_row(self, summary: Summary) -> Row:
        changes = t("list.comma").join(change.label for change in summary.catalog_changes) or t(
            "summary.no_changes_named"
        )
        return Row(self.NEWER, t("summary.newer", version=self.desk.view.newer_version or ""), changes, "F7")

    def _problem_row(self, problem: FieldProblemView) -> Row:
        points = [point.label for point in self.desk.points_on(problem.field_id) if point.label]
        label = self.desk.labels.get(problem.field_id) or next(iter(points), self.desk.need(problem.field_id).name)
        words = problem.message or problem_words(problem.code, problem.params, self.desk.labels)
        if problem.row is not None:
            words = t("table.row_problem", row=problem.row + 1, column=self._column(problem), why=words)
        return Row(f"field:{problem.field_id}", label, words, t("summary.field"))

    def _column(self, problem: FieldProblemView) -> str:
        field = self.desk.fields.get(problem.field_id)
        columns = field.columns if field else ()
        return next((one.label for one in columns if one.id == problem.column), problem.column or "")

    def go_to_first(self) -> None:
        self.query_one(NumberedList).focus()
