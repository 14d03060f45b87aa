"""Forms (代办登记表): which fields are shown, which must be filled, and what is wrong with what was entered.

- A field whose `visible_when` is not met is not shown, not required, not checked and not filed; neither is one
  that hangs on a field which is itself hidden.
- `REQUIRED_WHEN_SHOWN` names the conditional fields of the sections every form has that a file cannot do without; the
  catalog leaves them `required: false` and to the program.
- A `file` field holds no value that has to be there: its scans are materials (`materials.py`).
- `check` reports everything at once; `check_field` answers for one field as it is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from casework.errors import MalformedCatalog
from casework.field_rules import FieldProblem, value_problem
from casework.form_fields import Field, FieldType, Validation, is_blank

__all__ = [
    "REQUIRED_WHEN_SHOWN",
    "Field",
    "FieldProblem",
    "FieldType",
    "Form",
    "Section",
    "Validation",
    "check",
    "check_field",
    "filed_values",
    "is_blank",
    "required",
    "visible",
]

REQUIRED_WHEN_SHOWN: Final = frozenset(
    {"agent_name", "agent_id_no", "relation", "ems_address", "ems_receiver", "guardian_name"}
)
"""A mandate names the agent (民法典 165), a minor has a guardian, a letter has an address."""


@dataclass(frozen=True, slots=True)
class Section:
    """A page of the form."""

    id: str
    title: str
    fields: tuple[Field, ...]

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Section:
        """Read one section."""
        return cls(plain["id"], plain.get("title") or "", tuple(map(Field.from_plain, plain.get("fields") or ())))


@dataclass(frozen=True, slots=True)
class Form:
    """One entry of `forms.json`."""

    form_id: str
    item_id: str
    title: str
    version: int
    sections: tuple[Section, ...]
    by_id: Mapping[str, Field] = field(repr=False, compare=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Form:
        """Read a form; a rule that points at no field, or in a circle, is refused."""
        try:
            sections = tuple(map(Section.from_plain, plain["sections"]))
            form_id, item_id = plain["form_id"], plain["item_id"]
        except KeyError as missing:
            raise MalformedCatalog(f"form {missing.args[0]}") from missing
        fields = [one for section in sections for one in section.fields]
        by_id = {one.id: one for one in fields}
        if len(by_id) != len(fields):
            raise MalformedCatalog(f"form {form_id}: a field id twice")
        form = cls(form_id, item_id, plain.get("title") or "", int(plain.get("version") or 0), sections, by_id)
        _refuse_bad_references(form)
        return form


def visible(form: Form, values: Mapping[str, Any]) -> set[str]:
    """Say which fields are shown while `values` are entered."""
    return {one for one in form.by_id if _is_visible(form.by_id, one, values)}


def required(form: Form, values: Mapping[str, Any]) -> set[str]:
    """Say which of the shown fields must be filled."""
    return {one for one in visible(form, values) if _must_be_filled(form.by_id[one])}


def check_field(form: Form, field_id: str, value: object, values: Mapping[str, Any]) -> FieldProblem | None:
    """Check one field as it is left, the others being `values`; a hidden field has no problem."""
    one = form.by_id.get(field_id)
    if one is None:
        return FieldProblem(field_id, "form.unknown_field")
    now = {**values, field_id: value}
    if not _is_visible(form.by_id, field_id, now):
        return None
    return next(_problems(one, value, now), None)


def check(form: Form, values: Mapping[str, Any]) -> list[FieldProblem]:
    """Report every problem at once, in the order of the form."""
    problems = [FieldProblem(name, "form.unknown_field") for name in values if name not in form.by_id]
    shown = visible(form, values)
    for name, one in form.by_id.items():
        if name in shown:
            problems.extend(_problems(one, values.get(name), values))
    return problems


def filed_values(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is to be filed: shown fields with a value; what was typed and then hidden stays behind."""
    shown = visible(form, values)
    return {name: values[name] for name in form.by_id if name in shown and not is_blank(values.get(name))}


def _must_be_filled(one: Field) -> bool:
    return one.type != "file" and (one.required or (bool(one.visible_when) and one.id in REQUIRED_WHEN_SHOWN))


def _is_visible(fields: Mapping[str, Field], name: str, values: Mapping[str, Any]) -> bool:
    return all(
        (other not in fields or _is_visible(fields, other, values)) and _holds(values.get(other), wanted)
        for other, wanted in fields[name].visible_when.items()
    )


def _holds(value: object, wanted: tuple[Any, ...]) -> bool:
    entered = value if isinstance(value, list | tuple) else (value,)
    return any(
        one == choice and isinstance(one, bool) == isinstance(choice, bool) for one in entered for choice in wanted
    )


def _problems(one: Field, value: object, values: Mapping[str, Any]) -> Iterator[FieldProblem]:
    if is_blank(value):
        if _must_be_filled(one):
            yield FieldProblem(one.id, "form.consent" if one.type == "consent" else "form.required")
    elif one.type == "table":
        yield from _table_problems(one, value, values)
    else:
        problem = value_problem(one, value, values)
        if problem is not None:
            yield problem


def _table_problems(table: Field, rows: object, values: Mapping[str, Any]) -> Iterator[FieldProblem]:
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        yield FieldProblem(table.id, "form.not_a_table")
        return
    if table.max_rows is not None and len(rows) > table.max_rows:
        yield FieldProblem(table.id, "form.table_rows", {"max": table.max_rows})
        return
    columns = {column.id: column for column in table.columns}
    for number, row in enumerate(rows):
        for name in row:
            if name not in columns:
                yield FieldProblem(table.id, "form.unknown_field", row=number, column=name)
        around = {**values, **row}
        for name, column in columns.items():
            if _is_visible(columns, name, around):
                for problem in _problems(column, row.get(name), around):
                    yield FieldProblem(table.id, problem.code, problem.params, number, name)


def _refuse_bad_references(form: Form) -> None:
    for one in form.by_id.values():
        inner = {column.id: column for column in one.columns}
        for member in (one, *one.columns):
            known = form.by_id if member is one else {**form.by_id, **inner}
            check_rule = member.validation.check
            wanted = [*member.visible_when, member.validation.not_before, check_rule and check_rule.when_field]
            if any(name and name not in known for name in wanted):
                raise MalformedCatalog(f"form {form.form_id}: {member.id} refers to no field")
        _refuse_circle(form.form_id, form.by_id, one.id, ())
        for column in inner:
            _refuse_circle(form.form_id, inner, column, ())


def _refuse_circle(form_id: str, fields: Mapping[str, Field], name: str, path: tuple[str, ...]) -> None:
    if name in path:
        raise MalformedCatalog(f"form {form_id}: {name} is shown by itself")
    for other in fields[name].visible_when:
        if other in fields:
            _refuse_circle(form_id, fields, other, (*path, name))
