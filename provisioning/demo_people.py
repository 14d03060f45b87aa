"""Invented villagers, valid forms for them, and scans of evidently invented papers; all from one seed.

Laws: nobody here can be alive (born in the nineteenth century, named 张测试 and the like); every picture carries
「演示样张」 across it; the same seed gives the same day.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from casework.form_fields import Field
from casework.forms import Form, required, visible
from casework.identifiers import LEVELS, region_at, resident_id_check, uscc_check

FAMILY_NAMES = "张李王赵钱孙周吴"
GIVEN_NAMES = ("测试", "样例", "虚构", "演示", "假设", "示范")
WORDS = ("演示内容", "样例说明", "虚构情况")
BORN_FIRST = date(1811, 1, 1)
BORN_DAYS = 30_000
PAPER = (1240, 1754)  # A4 at 150 dpi
JPEG_QUALITY = 82
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)


def person_name(rng: random.Random) -> str:
    """A name that says it is none."""
    return rng.choice(FAMILY_NAMES) + rng.choice(GIVEN_NAMES)


def resident_id(rng: random.Random) -> str:
    """A resident id with a right check digit, born in the nineteenth century."""
    born = BORN_FIRST + timedelta(days=rng.randrange(BORN_DAYS))
    digits = f"{rng.choice(('511602', '511603'))}{born:%Y%m%d}{rng.randrange(1, 1000):03d}"
    return digits + resident_id_check(digits)


def phone(rng: random.Random) -> str:
    """A number of the invented block."""
    return f"138000000{rng.randrange(1, 100):02d}"


def credit_code(rng: random.Random) -> str:
    """A unified credit code with a right check digit that nobody was given."""
    body = f"91511603TEXT{rng.randrange(100_000):05d}"
    return body + uscc_check(body)


def filled_form(form: Form, site: str, mode: str, agent_name: str, rng: random.Random) -> dict[str, Any]:
    """Valid values for a form: all required fields, some of the others; `mode` is the item's proxy rule."""
    values: dict[str, Any] = {"applicant_id_type": "111"} | _who_applies(mode, agent_name, rng)
    values = {name: value for name, value in values.items() if name in form.by_id}
    for _ in form.by_id:  # each round may make more fields visible
        shown, must = visible(form, values), required(form, values)
        open_fields = [one for name, one in form.by_id.items() if name in shown and name not in values]
        if not open_fields:
            break
        for one in open_fields:
            wanted = one.id in must or (one.type not in {"file", "consent"} and rng.random() < 0.5)
            values[one.id] = _value(one, site, values, rng) if wanted else None
    return {name: value for name, value in values.items() if value is not None and name in visible(form, values)}


def _who_applies(mode: str, agent_name: str, rng: random.Random) -> dict[str, Any]:
    if mode == "full":
        return {"agent_mode": "village_agent", "agent_name": agent_name, "agent_phone": phone(rng)}
    if mode == "relatives_only":
        relative = {"agent_name": person_name(rng), "agent_phone": phone(rng), "agent_id_no": resident_id(rng)}
        return {"agent_mode": "relative", "relation": "child"} | relative
    return {"agent_mode": "self"}


def _value(one: Field, site: str, around: Mapping[str, Any], rng: random.Random) -> Any:  # noqa: ANN401 - any field
    rules = one.validation
    match one.type:
        case "text" | "textarea":
            return _text(one, around, rng)
        case "number":
            low = int(rules.min if rules.min is not None else 0)
            return rng.randint(low, int(rules.max if rules.max is not None else low + 900))
        case "date":
            first = around.get(rules.not_before) if rules.not_before else None
            start = date.fromisoformat(first) if first else date(2026, 1, 5)
            return (start + timedelta(days=rng.randrange(200))).isoformat()
        case "select":
            return rng.choice(one.options)[0]
        case "multiselect":
            return [rng.choice(one.options)[0]]
        case "boolean":
            return rng.random() < 0.5
        case "consent":
            return True
        case "region":
            return region_at(site, LEVELS[rules.level or "village"])
        case "table":
            return [_row(one, site, around, rng) for _ in range(rng.randint(1, 2))]
        case "file":
            return f"{rng.getrandbits(256):064x}"


def _row(table: Field, site: str, around: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        row[column.id] = _value(column, site, {**around, **row}, rng)
    return row


def _text(one: Field, around: Mapping[str, Any], rng: random.Random) -> str:
    rules = one.validation
    check = rules.check
    if check is not None and (not check.when_field or around.get(check.when_field) == check.when_value):
        return credit_code(rng) if check.scheme == "uscc" else resident_id(rng)
    if one.pii == "name":
        return person_name(rng)
    if one.pii == "phone" or (rules.pattern and rules.pattern.fullmatch("13800000001")):
        return phone(rng)
    if rules.pattern is not None:
        return f"{rng.randrange(10_000):04d}"
    text = (rng.choice(WORDS) + str(rng.randrange(100))).ljust(rules.min_length or 0, "样")
    return text[: rules.max_length] if rules.max_length else text


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for path in FONTS:
        if Path(path).exists():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)


def invented_paper(title: str, holder: str, rng: random.Random) -> bytes:
    """A JPEG as a telephone's camera gives it: a paper with text, a red seal, shading and noise."""
    paper = Image.new("RGB", PAPER, (246, 243, 234))
    pen = ImageDraw.Draw(paper)
    chinese = isinstance(_font(20), ImageFont.FreeTypeFont) and "dejavu" not in str(getattr(_font(20), "path", ""))
    heading = f"{title[:16]}  演示样张" if chinese else "SAMPLE - INVENTED"
    pen.text((120, 120), heading, fill=(30, 30, 30), font=_font(56))
    for line in range(28):
        words = f"{holder} {rng.choice(WORDS)} {rng.randrange(10**6):06d}" if chinese else f"{rng.getrandbits(80):020x}"
        pen.text((120, 260 + 46 * line), words, fill=(60, 60, 60), font=_font(30))
    x, y = rng.randrange(650, 900), rng.randrange(1200, 1400)
    pen.ellipse((x, y, x + 240, y + 240), outline=(190, 40, 40), width=9)
    pen.text((x + 40, y + 90), "演示专用" if chinese else "DEMO ONLY", fill=(190, 40, 40), font=_font(40))
    noise = Image.frombytes("L", (PAPER[0] // 4, PAPER[1] // 4), rng.randbytes((PAPER[0] // 4) * (PAPER[1] // 4)))
    shaded = Image.blend(paper, noise.resize(PAPER).convert("RGB"), 0.06)
    encoded = io.BytesIO()
    shaded.save(encoded, "JPEG", quality=JPEG_QUALITY)
    return encoded.getvalue()
