"""Values that fit the fields of any form; the people in them are evidently invented."""

from __future__ import annotations

from typing import Any

from casework.forms import Field, Form, visible
from casework.identifiers import resident_id_check, uscc_check

INVENTED_ID = "51160218000101001"
INVENTED_BODY = "92511602MA6000000"
VILLAGE, COUNTY = "511603106205", "511602000000"


def fitting(field: Field) -> Any:
    """A value that fits one field."""
    rules = field.validation
    match field.type:
        case "select":
            return field.options[0][0]
        case "multiselect":
            return [field.options[0][0]]
        case "boolean" | "consent":
            return True
        case "region":
            return COUNTY if rules.level == "county" else VILLAGE
        case "number":
            return str(int(rules.min or 1))
        case "date":
            return "2026-01-05"
        case "table":
            return [{column.id: fitting(column) for column in field.columns}]
        case "file":
            return None
        case _:
            return _text(field)


def _text(field: Field) -> str:
    rules = field.validation
    if rules.check is not None and rules.check.scheme == "gb11643":
        return INVENTED_ID + resident_id_check(INVENTED_ID)
    if rules.check is not None:
        return INVENTED_BODY + uscc_check(INVENTED_BODY)
    if rules.pattern is not None:
        return "13800000001" if rules.pattern.fullmatch("13800000001") else "A123"
    return "李样例" if (rules.max_length or 9) >= 3 else "李"


def filled(form: Form, **given: Any) -> dict[str, Any]:
    """Values for every field that is shown while they are entered."""
    values: dict[str, Any] = dict(given)
    for _ in form.by_id:
        fresh = {name for name in visible(form, values) if name not in values}
        if not fresh:
            break
        values |= {name: fitting(form.by_id[name]) for name in fresh}
    return {name: value for name, value in values.items() if value is not None}
