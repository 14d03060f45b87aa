"""Valid and invalid values for any form of the catalog, seeded and evidently invented; for the tests of every room.

- `valid_values` fills a form so that `casework.forms.check` finds nothing; `fixed` decides some fields beforehand.
- `invalid_variants` breaks one field at a time and names the code that has to be found.
- People are invented: born in the 19th century, called 张测试 and the like, with telephone numbers 138000000xx.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from casework.field_rules import TEXT_CEILING
from casework.form_fields import Field
from casework.forms import Form, required, visible
from casework.identifiers import LEVELS, region_level, resident_id_check, uscc_check

NAMES = ("张测试", "李样例", "王虚构", "赵演示", "钱假设", "孙示范")
WORDS = ("测试内容", "样例说明", "虚构情况", "演示用途")
PATTERNS = {
    r"^1[3-9]\d{9}$": lambda rng: f"138000000{rng.randint(1, 99):02d}",
    r"^[0-9A-Z]{4}$": lambda rng: "".join(rng.choice("0123456789ABCXYZ") for _ in range(4)),
}
NOBODYS_VILLAGE = "511603106205"


def resident_id(rng: random.Random) -> str:
    """A resident id with a right check digit of somebody who cannot be alive."""
    born = date(1800, 1, 1) + timedelta(days=rng.randint(0, 36_000))
    digits = f"{rng.choice(('511602', '511603'))}{born:%Y%m%d}{rng.randint(1, 999):03d}"
    return digits + resident_id_check(digits)


def uscc(rng: random.Random) -> str:
    """A unified social credit code with a right check digit that nobody was given."""
    body = "91511602TEST" + f"{rng.randint(0, 99_999):05d}"
    body = body.replace("S", "A")
    return body + uscc_check(body)


def region_codes(regions: Iterable[Mapping[str, Any] | str]) -> list[str]:
    """The codes of a region table, or of a list of codes."""
    return [one if isinstance(one, str) else one["code"] for one in regions]


def valid_values(
    form: Form,
    regions: Iterable[Mapping[str, Any] | str],
    rng: random.Random,
    fixed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fill the form: every required field, about half of the others."""
    codes = region_codes(regions) or [NOBODYS_VILLAGE]
    values: dict[str, Any] = dict(fixed or {})
    for _ in range(len(form.by_id)):
        missing = [name for name in form.by_id if name in visible(form, values) and name not in values]
        must = required(form, {**values})
        open_fields = [name for name in missing if name in must or not form.by_id[name].visible_when]
        if not open_fields:
            break
        for name in open_fields:
            one = form.by_id[name]
            if name in must or (one.type != "file" and rng.random() < 0.5):
                values[name] = _valid(one, codes, rng, values)
            else:
                values[name] = None
    return {name: value for name, value in values.items() if value is not None}


def _valid(one: Field, codes: list[str], rng: random.Random, around: Mapping[str, Any]) -> Any:
    rules = one.validation
    match one.type:
        case "text" | "textarea":
            return _valid_text(one, rng, around)
        case "number":
            low = int(rules.min if rules.min is not None else 0)
            high = int(rules.max if rules.max is not None else low + 50_000)
            number = rng.randint(low, high)
            return f"{number}.{rng.randint(0, 99):02d}" if rules.scale == 2 and number < high else number
        case "date":
            start = around.get(rules.not_before) if rules.not_before else None
            first = date.fromisoformat(start) if start else date(2025, 1, 1)
            return (first + timedelta(days=rng.randint(0, 300))).isoformat()
        case "select":
            return rng.choice(one.options)[0]
        case "multiselect":
            count = rng.randint(1, len(one.options))
            return [value for value, _label in rng.sample(one.options, count)]
        case "boolean":
            return rng.random() < 0.5
        case "consent":
            return True
        case "region":
            level = LEVELS[rules.level or "village"]
            return rng.choice([code for code in codes if region_level(code) == level] or [NOBODYS_VILLAGE])
        case "table":
            return [_valid_row(one, codes, rng, around) for _ in range(rng.randint(1, min(3, one.max_rows or 3)))]
        case "file":
            return f"{rng.getrandbits(256):064x}"


def _valid_row(table: Field, codes: list[str], rng: random.Random, around: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.required or rng.random() < 0.5:
            row[column.id] = _valid(column, codes, rng, {**around, **row})
    return row


def _valid_text(one: Field, rng: random.Random, around: Mapping[str, Any]) -> str:
    rules = one.validation
    if rules.check is not None and (not rules.check.when_field or _conditional_check_counts(one, around)):
        return uscc(rng) if rules.check.scheme == "uscc" else resident_id(rng)
    if rules.pattern is not None:
        return PATTERNS[rules.pattern.pattern](rng)
    if one.pii == "name":
        return rng.choice(NAMES)
    if one.pii == "id_no":
        return f"E{rng.randint(0, 9_999_999):08d}"
    if one.pii == "phone":
        return PATTERNS[r"^1[3-9]\d{9}$"](rng)
    text = rng.choice(WORDS) + str(rng.randint(1, 99))
    text = text.ljust(rules.min_length or 0, "样")
    return text[: rules.max_length] if rules.max_length else text


def _conditional_check_counts(one: Field, around: Mapping[str, Any]) -> bool:
    check = one.validation.check
    return check is not None and (not check.when_field or around.get(check.when_field) == check.when_value)


def invalid_variants(form: Form, values: Mapping[str, Any], rng: random.Random) -> Iterator[tuple[str, Any, str]]:
    """Break one shown field after the other: its id, a value that is refused, and the code it is refused with."""
    must = required(form, values)
    for name in form.by_id:
        if name not in visible(form, values):
            continue
        one = form.by_id[name]
        if name in must:
            yield name, None, "form.consent" if one.type == "consent" else "form.required"
        if one.type == "table":
            yield from ((name, rows, code) for rows, code in _invalid_tables(one, values, rng))
        else:
            yield from ((name, bad, code) for bad, code in _invalid(one, values))
    yield "no_such_field", "x", "form.unknown_field"


def _invalid(one: Field, values: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    match one.type:
        case "text" | "textarea":
            yield from _invalid_texts(one, values)
        case "number":
            yield from _invalid_numbers(one)
        case "date":
            yield "2026-02-30", "form.not_a_date"
            yield "2026/01/01", "form.not_a_date"
            if one.validation.not_before and values.get(one.validation.not_before):
                yield "1900-01-01", "form.before"
        case "select" | "multiselect":
            yield from _invalid_choices(one)
        case "boolean" | "consent":
            yield "true", "form.not_a_boolean"
            if one.type == "consent" and one.required:
                yield False, "form.consent"
        case "region":
            yield "511603", "form.not_a_region"
            if one.validation.level not in (None, "province"):
                yield "510000000000", "form.region_level"
        case "file":
            yield "../photo.jpg", "form.not_a_file"


def _invalid_numbers(one: Field) -> Iterator[tuple[Any, str]]:
    rules = one.validation
    yield "许多", "form.not_a_number"
    yield True, "form.not_a_number"
    yield "1e3", "form.not_a_number"
    if rules.min is not None:
        yield rules.min - 1, "form.below"
    if rules.max is not None:
        yield rules.max + 1, "form.above"
    if rules.scale is not None:
        yield "10." + "0" * rules.scale + "1", "form.scale"


def _invalid_choices(one: Field) -> Iterator[tuple[Any, str]]:
    first = one.options[0][0]
    if one.type == "select":
        yield "没有这一项", "form.not_an_option"
        yield [first], "form.not_an_option"
    else:
        yield first, "form.not_a_list"
        yield ["没有这一项"], "form.not_an_option"
        yield [first, first], "form.not_an_option"


def _invalid_texts(one: Field, values: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    rules = one.validation
    yield 42, "form.not_text"
    yield "测\x1b[2J试", "form.characters"
    yield "样" * ((rules.max_length or TEXT_CEILING) + 1), "form.too_long"
    if (rules.min_length or 0) > 1:
        yield "样", "form.too_short"
    if rules.pattern is not None:
        yield "12-34", "form.pattern"
    if _conditional_check_counts(one, values) and rules.check is not None:
        if rules.check.scheme == "uscc":
            yield "91511602", "form.uscc.length"
            yield "9" * 17 + "I", "form.uscc.characters"
        else:
            yield "5116021800", "form.resident_id.length"
            yield "511602180013010012", "form.resident_id.birth_date"
            yield "511602180001010011", "form.resident_id.check_digit"
            yield "51160218000101001A", "form.resident_id.characters"


def _invalid_tables(table: Field, values: Mapping[str, Any], rng: random.Random) -> Iterator[tuple[Any, str]]:
    row = _valid_row(table, [NOBODYS_VILLAGE], rng, values)
    yield "不是表格", "form.not_a_table"
    yield [*[row] * 2, "不是一行"], "form.not_a_table"
    yield [{**row, "no_such_column": 1}], "form.unknown_field"
    if table.max_rows is not None:
        yield [row] * (table.max_rows + 1), "form.table_rows"
    for column in table.columns:
        if column.required:
            yield [{**row, column.id: None}], "form.required"
        for bad, code in _invalid(column, {**values, **row}):
            yield [{**row, column.id: bad}], code
