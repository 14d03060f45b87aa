"""Whether one value fits one field: a rule per type, exactly as the catalog defines them.

Every problem is a stable code with typed parameters, never the value. The codes:

    form.required  form.consent  form.unknown_field
    form.not_text  form.characters  form.too_short{min}  form.too_long{max}  form.pattern
    form.not_a_number  form.below{min}  form.above{max}  form.scale{scale}
    form.not_a_date  form.before{other}
    form.not_an_option  form.not_a_list  form.not_a_boolean
    form.not_a_region  form.region_level{level}
    form.resident_id.{length,characters,region,birth_date,check_digit}  form.uscc.{length,characters,check_digit}
    form.not_a_file  form.not_a_table  form.table_rows{max}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from casework.form_fields import Check, Field, FieldType
from casework.identifiers import LEVELS, is_region_code, region_level, resident_id_problem, uscc_problem

TEXT_CEILING: Final = 2000
"""Characters; where the catalog sets no maximum, a value still has one."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SCAN_HASH: Final = re.compile(r"[0-9a-f]{64}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL_BUT_LINES: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

PROBLEM_CODES: Final = frozenset(
    {
        "form.required",
        "form.consent",
        "form.unknown_field",
        "form.not_text",
        "form.characters",
        "form.too_short",
        "form.too_long",
        "form.pattern",
        "form.not_a_number",
        "form.below",
        "form.above",
        "form.scale",
        "form.not_a_date",
        "form.before",
        "form.not_an_option",
        "form.not_a_list",
        "form.not_a_boolean",
        "form.not_a_region",
        "form.region_level",
        "form.resident_id.length",
        "form.resident_id.characters",
        "form.resident_id.region",
        "form.resident_id.birth_date",
        "form.resident_id.check_digit",
        "form.uscc.length",
        "form.uscc.characters",
        "form.uscc.check_digit",
        "form.not_a_file",
        "form.not_a_table",
        "form.table_rows",
    }
)
"""All of them; every surface has a sentence for each."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field, or with one cell of a table (`row` counts from 0)."""

    field_id: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    row: int | None = None
    column: str | None = None


def value_problem(one: Field, value: object, values: Mapping[str, Any]) -> FieldProblem | None:
    """Check an entered value of any type but table against its field; `values` holds the fields it may refer to.

    >>> value_problem(Field("day", "day", "date"), "2026-02-30", {}).code
    'form.not_a_date'
    """
    return _RULES[one.type](one, value, values)


def _problem(one: Field, code: str, **params: object) -> FieldProblem:
    return FieldProblem(one.id, f"form.{code}", params)


def _text(one: Field, value: object, values: Mapping[str, Any]) -> FieldProblem | None:
    if not isinstance(value, str):
        return _problem(one, "not_text")
    if (_CONTROL_BUT_LINES if one.type == "textarea" else _CONTROL).search(value):
        return _problem(one, "characters")
    rules = one.validation
    if rules.min_length is not None and len(value) < rules.min_length:
        return _problem(one, "too_short", min=rules.min_length)
    ceiling = TEXT_CEILING if rules.max_length is None else rules.max_length
    if len(value) > ceiling:
        return _problem(one, "too_long", max=ceiling)
    if rules.pattern is not None and not rules.pattern.fullmatch(value):
        return _problem(one, "pattern")
    why = _check_problem(rules.check, value, values)
    return _problem(one, why) if why else None


def _check_problem(check: Check | None, value: str, values: Mapping[str, Any]) -> str | None:
    if check is None or (check.when_field and values.get(check.when_field) != check.when_value):
        return None
    if check.scheme == "uscc":
        why = uscc_problem(value)
        return why and f"uscc.{why}"
    why = resident_id_problem(value)
    return why and f"resident_id.{why}"


def number_from(value: object) -> Decimal | None:
    """Read a number, typed or from JSON; None where it is none.

    >>> number_from("12.50"), number_from(True), number_from("1e5")
    (Decimal('12.50'), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value.strip() if isinstance(value, str) else str(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _number(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    number = number_from(value)
    if number is None:
        return _problem(one, "not_a_number")
    rules = one.validation
    if rules.scale is not None and number != round(number, rules.scale):
        return _problem(one, "scale", scale=rules.scale)
    if rules.min is not None and number < Decimal(str(rules.min)):
        return _problem(one, "below", min=rules.min)
    if rules.max is not None and number > Decimal(str(rules.max)):
        return _problem(one, "above", max=rules.max)
    return None


def date_from(value: object) -> date | None:
    """Read a day written `YYYY-MM-DD`; None where it is none.

    >>> date_from("2026-11-23"), date_from("20261123")
    (datetime.date(2026, 11, 23), None)
    """
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _date(one: Field, value: object, values: Mapping[str, Any]) -> FieldProblem | None:
    day = date_from(value)
    if day is None:
        return _problem(one, "not_a_date")
    other = one.validation.not_before
    earliest = date_from(values.get(other)) if other else None
    if earliest is not None and day < earliest:
        return _problem(one, "before", other=other)
    return None


def _select(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    return None if _is_option(one, value) else _problem(one, "not_an_option")


def _multiselect(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    if not isinstance(value, list | tuple):
        return _problem(one, "not_a_list")
    if not all(_is_option(one, choice) for choice in value) or len(set(value)) != len(value):
        return _problem(one, "not_an_option")
    return None


def _is_option(one: Field, value: object) -> bool:
    return isinstance(value, str) and any(option == value for option, _label in one.options)


def _boolean(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    return None if isinstance(value, bool) else _problem(one, "not_a_boolean")


def _consent(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    if not isinstance(value, bool):
        return _problem(one, "not_a_boolean")
    return _problem(one, "consent") if one.required and not value else None


def _region(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    if not isinstance(value, str) or not is_region_code(value):
        return _problem(one, "not_a_region")
    level = one.validation.level
    if level is not None and region_level(value) != LEVELS[level]:
        return _problem(one, "region_level", level=level)
    return None


def _file(one: Field, value: object, _values: Mapping[str, Any]) -> FieldProblem | None:
    hashes = value if isinstance(value, list | tuple) else [value]
    if all(isinstance(name, str) and _SCAN_HASH.fullmatch(name) for name in hashes):
        return None
    return _problem(one, "not_a_file")


_RULES: Final[dict[FieldType, Callable[[Field, object, Mapping[str, Any]], FieldProblem | None]]] = {
    "text": _text,
    "textarea": _text,
    "number": _number,
    "date": _date,
    "select": _select,
    "multiselect": _multiselect,
    "boolean": _boolean,
    "consent": _consent,
    "region": _region,
    "file": _file,
}
