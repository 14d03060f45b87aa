"""The editor for a field of a form, by the field's type. A type that is not known here is edited as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual.widget import Widget

from casework.forms import Field
from tui.widgets.choice_editor import ChoiceEditor
from tui.widgets.long_text_editor import LongTextEditor
from tui.widgets.opening_editor import OpeningEditor
from tui.widgets.table_editor import TableEditor
from tui.widgets.text_editor import TextEditor
from tui.wording import t

MAX_ROWS = 99


def editor_for(
    field: Field,
    value: Any,  # noqa: ANN401 - a value has the type its field asks for
    shown: str = "",
) -> Widget:
    """An editor that holds the value; `shown` is what a region or file field shows."""
    match field.type:
        case "textarea":
            return LongTextEditor(field.id, value)
        case "select" | "multiselect":
            return ChoiceEditor(field.id, field.options, value, many=field.type == "multiselect")
        case "boolean":
            return ChoiceEditor(field.id, ((True, t("choice.yes")), (False, t("choice.no"))), value)
        case "consent":
            return ChoiceEditor(field.id, ((True, t("choice.agreed")), (False, t("choice.not_agreed"))), value)
        case "region":
            return OpeningEditor(field.id, "region", shown=shown, invitation=t("field.open_region"))
        case "file":
            return OpeningEditor(field.id, "file", shown=shown, invitation=t("field.open_file"))
        case "table":
            rows = [row_words(field, row) for row in value or []]
            return TableEditor(field.id, rows, max_rows=field.max_rows or MAX_ROWS)
        case "number":
            return TextEditor(field.id, "number", value)
        case "date":
            return TextEditor(field.id, "date", value, placeholder=t("field.date_pattern"))
        case _:
            return TextEditor(field.id, "text", value)


def row_words(field: Field, row: Mapping[str, Any]) -> str:
    """A row of a table on one line."""
    return " · ".join(value_words(column, row.get(column.id)) for column in field.columns)


def value_words(field: Field, value: object) -> str:
    """A value the way a person reads it."""
    if value is None or value == "":
        return t("value.empty")
    if isinstance(value, bool):
        return t("choice.yes") if value else t("choice.no")
    names: dict[object, str] = dict(field.options)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if field.type == "table":
            return t("value.rows", rows=len(value))
        return t("list.comma").join(str(names.get(one, one)) for one in value)
    return str(names.get(value, value))
