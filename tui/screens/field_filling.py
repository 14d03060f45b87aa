"""Fields that are filled on another screen: regions, scans, rows of a table.

Laws: what was chosen or typed there is in the draft before that screen is closed, so leaving it by any key, or a
power cut, loses nothing but the key being pressed.
"""

from collections.abc import Mapping
from typing import Any

from casework.forms import Field
from casework.identifiers import is_region_code
from casework.materials import FIELD_PREFIX
from tui.draft_desk import DraftDesk
from tui.screens.act_form import ActForm
from tui.screens.choose import YES, confirm
from tui.screens.counter_screen import CounterScreen
from tui.screens.material import MaterialScreen
from tui.screens.region_picker import RegionPicker
from tui.steps.fields_step import FieldsStep
from tui.widgets.editing import Done, Wanted
from tui.widgets.editor_for import row_words, value_words
from tui.widgets.opening_editor import OpeningEditor
from tui.wording import t


class FieldFilling:
    """Opens the screen that a field wants, and puts what comes back into the draft."""

    def __init__(self, screen: CounterScreen[None], desk: DraftDesk) -> None:
        self.screen = screen
        self.desk = desk

    async def shown_in(self, section_id: str) -> dict[str, str]:
        """What the region and file fields of a section show."""
        section = next(section for section in self.desk.form.sections if section.id == section_id)
        return {field.id: await self._shown(field) for field in section.fields if field.type in {"region", "file"}}

    async def read_back(self) -> list[tuple[Field, str]]:
        """What was filled in and is asked for, in the order of the form, the way a person reads it."""
        asked, said = self.desk.visible(), []
        for field in self.desk.fields.values():
            value = self.desk.values.get(field.id)
            if field.id in asked and value not in (None, "", []):
                said.append((field, await self._read(field, value)))
        return said

    async def _read(self, field: Field, value: object) -> str:
        if field.type in {"region", "file"}:
            return await self._shown(field)
        if field.type == "table" and isinstance(value, list):
            return t("list.semicolon").join(row_words(field, row) for row in value)
        return value_words(field, value)

    async def _shown(self, field: Field) -> str:
        if field.type == "file":
            pages = len(self.desk.scans_of(FIELD_PREFIX + field.id))
            return t("materials.pages", pages=pages) if pages else ""
        code = self.desk.values.get(field.id)
        if not isinstance(code, str) or not is_region_code(code):
            return str(code or "")
        named = await self.screen.attempt(lambda: self.screen.counter.region_words(code))
        return f"{named.value} {code}" if named else code

    async def fill(self, event: Wanted, step: FieldsStep) -> None:
        """Let the person fill one field."""
        field = self.desk.fields[event.field_id]
        match event.kind:
            case "region":
                frame = step.frame(field.id)
                editor = frame.editor if frame else None
                typed = editor.take_typed() if isinstance(editor, OpeningEditor) else ""
                picker = RegionPicker(field.validation.level, typed)
                code = await self.screen.app.push_screen_wait(picker)
                if code:
                    self.desk.put(field.id, code)
            case "file":
                await self.screen.app.push_screen_wait(MaterialScreen(self.desk, FIELD_PREFIX + field.id))
                pages = [scan.scan_hash for scan in self.desk.scans_of(FIELD_PREFIX + field.id)]
                self.desk.put(field.id, pages or None)
            case "row":
                await self._edit_row(field, event.row or 0)
            case "row_removed":
                await self._remove_row(field, event.row or 0)
        shown = await self._shown(field) if field.type in {"region", "file"} else ""
        step.refilled(field.id, shown)
        step.go_to(field.id)
        if event.kind == "region" and self.desk.problem(field.id) is None:
            step.post_message(Done(field.id))

    async def _edit_row(self, field: Field, at: int) -> None:
        rows = [dict(row) for row in self.desk.values.get(field.id) or []]
        row = rows[at] if at < len(rows) else {}

        def changed(values: dict[str, Any]) -> None:
            filled = {key: value for key, value in values.items() if value is not None}
            now = [*rows[:at], filled, *rows[at + 1 :]]
            self.desk.put(field.id, [one for one in now if one] or None)

        async def kept(_: dict[str, Any]) -> None:
            await self.desk.autosave.flush()

        caption = t("table.row_caption", label=field.label, row=at + 1)
        plain = row_form(self.desk.raw_form, field.id)
        await self.screen.app.push_screen_wait(
            ActForm(caption, "", plain, kept, values=row, changed=changed, place="table_row")
        )

    async def _remove_row(self, field: Field, at: int) -> None:
        rows = list(self.desk.values.get(field.id) or [])
        words = row_words(field, rows[at]) if at < len(rows) else ""
        question = confirm(t("table.remove_question", row=at + 1, label=field.label, words=words), t("table.remove"))
        if await self.screen.app.push_screen_wait(question) == YES and at < len(rows):
            del rows[at]
            self.desk.put(field.id, rows or None)


def row_form(form: Mapping[str, Any], field_id: str) -> dict[str, Any]:
    """The columns of a table as a form of their own; rules that point outside the row are left to the node."""
    fields = [field for section in form["sections"] for field in section["fields"]]
    table = next(field for field in fields if field["id"] == field_id)
    inside = {column["id"] for column in table["columns"]}
    columns = []
    for column in table["columns"]:
        rules = dict(column.get("validation") or {})
        if rules.get("not_before") not in inside:
            rules.pop("not_before", None)
        if str(rules.get("check", "")).partition(":")[2].partition("=")[0] not in {"", *inside}:
            rules.pop("check", None)
        shown = {other: values for other, values in (column.get("visible_when") or {}).items() if other in inside}
        columns.append({**column, "validation": rules, "visible_when": shown})
    return {"form_id": field_id, "item_id": "", "sections": [{"id": "row", "title": "", "fields": columns}]}
