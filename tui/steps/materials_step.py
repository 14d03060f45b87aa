"""The materials of the guide: which are there, which are missing, which have to be decided."""

from textual.app import ComposeResult
from textual.containers import Vertical

from casework.materials import Need
from tui.draft_desk import DraftDesk
from tui.widgets.numbered_list import NumberedList, Row
from tui.wizard_model import materials_of
from tui.wording import of, t


class MaterialsStep(Vertical):
    """One row a material."""

    def __init__(self, desk: DraftDesk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        yield NumberedList()

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        """Show how each material stands now."""
        missing = {one.material_id: one.why for one in self.desk.missing()}
        rows = [self._row(need, missing.get(need.material_id)) for need in materials_of(self.desk)]
        self.query_one(NumberedList).show(rows, keep=True)

    def _row(self, need: Need, why: str | None) -> Row:
        held = self.desk.handed_in.get(need.material_id)
        pages = self.desk.pages(need.material_id)
        wanted = t("guide.on_condition", condition=need.condition) if need.condition else of("necessity", need.kind)
        parts = [wanted]
        if held is not None and held.applies is False:
            parts.append(t("materials.not_needed"))
        else:
            if held is not None and held.applies:
                parts.append(t("materials.applies"))
            parts.append(of("seen", held.seen) if held and held.seen else t("materials.not_said"))
            parts.append(t("materials.pages", pages=pages) if pages else t("materials.no_page"))
        mark = of("missing", why.removeprefix("material.")) if why else "✓"
        if not why and self.desk.is_open(need.material_id):
            mark = why = t("materials.to_mend")
        return Row(need.material_id, need.name, " · ".join(parts), mark, "$text-warning" if why else "$text-success")

    def go_to(self, material_id: str) -> None:
        """Put the cursor on a material."""
        rows = self.query_one(NumberedList)
        rows.cursor = next((at for at, row in enumerate(rows.rows) if row.key == material_id), 0)
        rows.focus()

    def go_to_first(self) -> None:
        rows = self.query_one(NumberedList)
        rows.cursor = next((at for at, row in enumerate(rows.rows) if row.mark != "✓"), 0)
        rows.focus()
