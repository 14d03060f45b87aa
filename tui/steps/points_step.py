"""The points of a return, one by one: what is wrong, what to do, and what was done about it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.draft_desk import DraftDesk
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import of, t


class PointsStep(Vertical):
    """One row a point."""

    def __init__(self, desk: DraftDesk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        yield Static(Content(t("return.intro", count=len(self.desk.view.return_points))), classes="sentence")
        yield NumberedList()

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        """Show which points are answered."""
        rows = []
        for at, point in enumerate(self.desk.view.return_points):
            answered = bool(self.desk.answers.get(point.ref))
            title = t("return.point", kind=of("return_kind", point.kind), what=point.label or self._label(point.ref))
            words = t("return.line", problem=point.problem, remedy=point.remedy)
            mark = t("return.answered") if answered else t("return.open")
            rows.append(Row(str(at), title, words, mark, "$text-success" if answered else "$text-warning"))
        self.query_one(NumberedList).show(rows, keep=True)

    def _label(self, ref: str) -> str:
        return self.desk.labels.get(ref) or self.desk.need(ref).name

    def go_to_first(self) -> None:
        rows = self.query_one(NumberedList)
        rows.cursor = next((at for at, row in enumerate(rows.rows) if row.mark == t("return.open")), 0)
        rows.focus()
