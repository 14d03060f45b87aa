"""The fields a form is made of, as the catalog writes them; a rule that nobody could apply is refused when read.

A field: id, label, type, required, options, validation, visible_when, pii, help; a table has columns (fields again)
and may have max_rows. Options and `visible_when` keep the catalog's JSON values (`true` is not `"true"`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from casework.errors import MalformedCatalog
from casework.identifiers import LEVELS

FieldType = Literal[
    "text", "textarea", "number", "date", "select", "multiselect", "boolean", "region", "file", "table", "consent"
]
FIELD_TYPES: tuple[FieldType, ...] = get_args(FieldType)

_VALIDATION_KEYS = frozenset(
    {"min_length", "max_length", "pattern", "min", "max", "scale", "not_before", "level", "check"}
)
_CHECKS = frozenset({"gb11643", "uscc"})
_CONDITIONAL_CHECK = "gb11643_if:"


@dataclass(frozen=True, slots=True)
class Check:
    """A check digit rule; with `when_field` it counts only while that field holds `when_value`."""

    scheme: str
    when_field: str = ""
    when_value: str = ""

    @classmethod
    def from_text(cls, text: str) -> Check:
        """Read `gb11643`, `uscc` or `gb11643_if:field=value`.

        >>> Check.from_text("gb11643_if:applicant_id_type=111")
        Check(scheme='gb11643', when_field='applicant_id_type', when_value='111')
        """
        if text in _CHECKS:
            return cls(text)
        name, equals, value = text.removeprefix(_CONDITIONAL_CHECK).partition("=")
        if not text.startswith(_CONDITIONAL_CHECK) or not equals or not name:
            raise MalformedCatalog("validation.check")
        return cls("gb11643", name, value)


@dataclass(frozen=True, slots=True)
class Validation:
    """The rules of one field; None means no such rule."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: re.Pattern[str] | None = None
    min: float | None = None
    max: float | None = None
    scale: int | None = None
    not_before: str | None = None
    level: str | None = None
    check: Check | None = None

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Validation:
        """Read a `validation` object; a key or level this version cannot apply is refused."""
        rules = dict(plain or {})
        if set(rules) - _VALIDATION_KEYS or rules.get("level", "village") not in LEVELS:
            raise MalformedCatalog("validation")
        if "pattern" in rules:
            try:
                # ASCII: `\d` in the catalog means 0-9, not every digit of Unicode.
                rules["pattern"] = re.compile(rules["pattern"], re.ASCII)
            except re.error as problem:
                raise MalformedCatalog("validation.pattern") from problem
        if "check" in rules:
            rules["check"] = Check.from_text(rules["check"])
        return cls(**rules)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a form asks for."""

    id: str
    label: str
    type: FieldType
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    validation: Validation = field(default_factory=Validation)
    visible_when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    pii: str | None = None
    help: str = ""
    columns: tuple[Field, ...] = ()
    max_rows: int | None = None

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Field:
        """Read one field, its columns included."""
        where = plain.get("id")
        kind = next((one for one in FIELD_TYPES if one == plain.get("type")), None)
        if not isinstance(where, str) or not where or kind is None:
            raise MalformedCatalog(f"field {where}")
        options = tuple((value, label) for value, label in plain.get("options") or ())
        columns = tuple(cls.from_plain(column) for column in plain.get("columns") or ())
        if (kind in ("select", "multiselect") and not options) or (kind == "table") != bool(columns):
            raise MalformedCatalog(f"field {where}")
        return cls(
            id=where,
            label=plain.get("label") or where,
            type=kind,
            required=plain.get("required") is True,
            options=options,
            validation=Validation.from_plain(plain.get("validation")),
            visible_when={name: tuple(values) for name, values in (plain.get("visible_when") or {}).items()},
            pii=plain.get("pii"),
            help=plain.get("help") or "",
            columns=columns,
            max_rows=plain.get("max_rows"),
        )


def is_blank(value: object) -> bool:
    """Tell whether nothing was entered: None, blank text, an empty list. `False` and 0 are answers.

    >>> is_blank("  "), is_blank([]), is_blank(False)
    (True, True, False)
    """
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, list | tuple | dict) and not value)
