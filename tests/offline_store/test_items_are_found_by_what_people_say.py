"""Search over items: recall 1.00 from two characters on, ranked, each item once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_store.desk import catalog
from offline_store.desk.catalog import Edition
from offline_store.desk.database import Desk
from offline_store.desk.grams import folded
from tests.offline_store.desk_fixtures import NOON, edition, new_desk, service_item

pytestmark = pytest.mark.node

SEED = Path(__file__).parents[2] / "seed_catalog" / "items.json"
INITIALS = {"最低生活保障申请": "zdshbzsq", "社会保障卡申领": "shbzksl", "养老保险代扣": "ylbxdk"}


@pytest.fixture(scope="module")
def real_items() -> list[dict]:
    return json.loads(SEED.read_text())["items"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, real_items: list[dict]) -> Iterator[Desk]:
    """3,000 items: the real ones, in made-up places."""
    regions = [f"{a}{b}{kind}" for kind in ("镇", "乡") for a in "东西南北上下" for b in "河山林田溪桥"][:52]
    items = [
        {**one, "item_id": f"{one['item_id']}-{number}", "name": f"{region}{one['name']}"}
        for number, region in enumerate(regions)
        for one in real_items
    ][:3000]
    with new_desk(tmp_path_factory.mktemp("many")) as desk:
        with desk.transaction() as tx:
            catalog.activate(tx, Edition(version=1, released_at=NOON, items=items, forms=[]), NOON)
        yield desk


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Desk]:
    with new_desk(tmp_path) as desk:
        items = [
            service_item("A", "最低生活保障申请", aliases=["低保", "吃低保"], initials_of_aliases=["db", "cdb"]),
            service_item("B", "社会保障卡申领", aliases=["社保卡"], initials_of_aliases=["sbk"], domain="社保"),
            service_item("C", "养老保险代扣", conditions=["有社会保障卡且余额足够"]),
        ]
        for one in items:
            one["initials"] = INITIALS[one["name"]]
        with desk.transaction() as tx:
            catalog.activate(tx, edition(1, *items), NOON)
        yield desk


def ids(desk: Desk, text: str, **more: object) -> list[str]:
    with desk.reading() as tx:
        return [line.item_id for line in catalog.search(tx, text, **more).rows]


@given(data=st.data())
def test_any_two_or_more_characters_of_a_title_or_alias_find_exactly_those_that_contain_them(
    many: Desk, real_items: list[dict], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(real_items))
    title = folded(data.draw(st.sampled_from([one["name"], *one["aliases"]])))
    start = data.draw(st.integers(0, len(title) - 2))
    text = title[start : data.draw(st.integers(start + 2, len(title)))]
    with many.reading() as tx:
        everything = catalog.search(tx, "", 5000).rows
        answer = catalog.search(tx, text, 5000)
    wanted = {line.item_id for line in everything if any(text in folded(title) for title in (line.name, *line.aliases))}
    got = [line.item_id for line in answer.rows]
    assert wanted
    assert len(got) == len(set(got)) == answer.total
    assert set(got[: len(wanted)]) == wanted
    if not text.isascii():
        assert set(got) == wanted or any(sign.isascii() for sign in text)


def test_pages_of_an_answer_make_up_the_whole(many: Desk) -> None:
    whole = ids(many, "登记", limit=5000)
    parts = [one for offset in range(0, len(whole), 37) for one in ids(many, "登记", limit=37, offset=offset)]
    assert parts == whole
    assert len(whole) > 100


def test_tiers_title_alias_initials_scattered_initials_guide(few: Desk) -> None:
    assert ids(few, "最低生活保障申请") == ["A"]
    assert ids(few, "保障") == ["B", "A"]
    assert ids(few, "低保") == ["A"]
    assert ids(few, "zds") == ["A"]
    assert ids(few, "SHBZ") == ["B", "A"]
    assert ids(few, "sbk") == ["B"]
    assert ids(few, "ylk") == ["C"]
    assert ids(few, "余额足够") == ["C"]
    assert ids(few, "没有这个") == []


def test_words_apart_must_all_be_found_and_scripts_may_mix(few: Desk) -> None:
    assert ids(few, "保障 申领") == ["B"]
    assert ids(few, "社会bz") == ["B"]
    assert ids(few, "（保障）") == ["B", "A"]
    assert ids(few, "保障 养老") == []


def test_one_character_is_found_too(few: Desk) -> None:
    assert ids(few, "卡") == ["B"]
    assert ids(few, "z") == ["A"]


def test_no_text_lists_everything_in_the_order_of_the_catalog(few: Desk) -> None:
    assert ids(few, "  ") == ["A", "B", "C"]
    assert ids(few, "", domain="社保") == ["B"]
    assert ids(few, "保障", domain="社保") == ["B"]
    with few.reading() as tx:
        assert [(one.domain, one.items) for one in catalog.domains(tx)] == [("试验", 2), ("社保", 1)]


def test_an_expression_typed_by_a_person_is_only_text(few: Desk) -> None:
    for text in ('"', "item_words:", "NEAR(a b)", "%%", "__", "'; DROP TABLE item_line; --", "\x00", "*", "^"):
        ids(few, text)
    assert ids(few, "") == ["A", "B", "C"]


def test_a_new_version_replaces_the_index(few: Desk) -> None:
    with few.transaction() as tx:
        catalog.activate(tx, edition(2, service_item("D", "老年人优待证办理")), NOON)
    assert (ids(few, "保障"), ids(few, "优待"), ids(few, "")) == ([], ["D"], ["D"])
