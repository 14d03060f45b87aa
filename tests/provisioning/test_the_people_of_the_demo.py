"""Every item that can be collected can be filled with invented people, and nobody of them can be alive."""

from __future__ import annotations

import io
import json
import random

import pytest
from PIL import Image

from casework.catalog import ServiceItem
from casework.forms import Form, check
from casework.identifiers import resident_id_problem, uscc_problem
from casework.materials import needed
from casework.proxy import may_collect
from provisioning.demo_day import APPLICATIONS, DIFFERENT_ITEMS_MIN, SCANS_EACH, _papers, choose_items
from provisioning.demo_people import credit_code, filled_form, invented_paper, phone, resident_id
from provisioning.demo_world import SEED_CATALOG

pytestmark = pytest.mark.node

ITEMS = {
    plain["item_id"]: ServiceItem.from_plain(plain)
    for plain in json.loads((SEED_CATALOG / "items.json").read_text("utf-8"))["items"]
}
FORMS = {
    plain["form_id"]: Form.from_plain(plain)
    for plain in json.loads((SEED_CATALOG / "forms.json").read_text("utf-8"))["forms"]
}
SITE = "511603106205"


@pytest.mark.parametrize("item_id", sorted(name for name, item in ITEMS.items() if item.service_mode == "apply"))
def test_an_invented_villager_fills_the_form_and_may_file(item_id: str) -> None:
    item = ITEMS[item_id]
    form = FORMS[item.form_id]
    for seed in range(5):
        values = filled_form(form, SITE, item.agent_policy.mode, "王演示", random.Random(seed))
        assert check(form, values) == []
        assert may_collect(item, values) is None


def test_nobody_in_the_demo_can_be_alive() -> None:
    rng = random.Random(7)
    for _ in range(200):
        number = resident_id(rng)
        assert resident_id_problem(number) is None
        assert 1800 <= int(number[6:10]) <= 1899
        assert phone(rng).startswith("138000000")
        assert uscc_problem(credit_code(rng)) is None


def test_the_day_has_enough_different_items_each_with_two_papers() -> None:
    chosen = choose_items(APPLICATIONS)
    assert len(chosen) == APPLICATIONS
    assert len({choice.item_id for choice in chosen}) >= DIFFERENT_ITEMS_MIN
    for choice in chosen:
        item = ITEMS[choice.item_id]
        values = filled_form(FORMS[item.form_id], SITE, choice.mode, "王演示", random.Random(1))
        assert len(list(_papers(needed(item, values, FORMS[item.form_id])))) == SCANS_EACH


def test_the_same_seed_gives_the_same_paper_and_it_is_a_picture() -> None:
    paper = invented_paper("户口簿", "张测试", random.Random(3))
    assert paper == invented_paper("户口簿", "张测试", random.Random(3))
    assert paper != invented_paper("户口簿", "张测试", random.Random(4))
    with Image.open(io.BytesIO(paper)) as picture:
        assert picture.format == "JPEG"
        assert min(picture.size) > 1000
