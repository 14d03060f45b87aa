"""The mapper of applications: round trip, derived columns, lists."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.application import Applicant, Application
from casework.lifecycle import draft
from casework.states import CLOSED_STATES, State
from offline_store.desk import applications
from offline_store.desk.applications import Standing
from offline_store.desk.database import Desk
from offline_store.errors import Unknown
from tests.offline_store import drawn_applications as drawn
from tests.offline_store.desk_fixtures import NOON, new_desk

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with new_desk(tmp_path_factory.mktemp("shared")) as desk:
        yield desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with new_desk(tmp_path) as desk:
        yield desk


def application(number: int, **more: object) -> Application:
    applicant = Applicant("张测试", "111", f"51160218000101{number:04d}", "13800000001", "511603106205", "")
    first = replace(
        draft(f"{number:032x}"),
        receipt_no=f"511603106205-20261123-{number:04d}-K",
        item_id="GA-YB-001",
        site="511603106205",
        township="511603106000",
        applicant=applicant,
        state=State.COLLECTED,
        catalog_version=1,
    )
    return replace(first, **more)


def keep(desk: Desk, *kept: Application, at_step: int = 0, **more: object) -> None:
    with desk.transaction() as tx:
        for step, one in enumerate(kept):
            at = NOON + timedelta(minutes=at_step + step)
            fixed = {"confirmed": None, "standing": Standing.SAVED_HERE, "case_seq": 0, "at": at}
            applications.save(tx, one, **(fixed | more))


def found(desk: Desk, **asked: object) -> list[int]:
    with desk.reading() as tx:
        page = applications.page(tx, **asked)
        numbers = [int(known.application_id, 16) for known in page.rows]
        assert page.total >= len(numbers)
        return numbers


@given(
    shown=drawn.applications,
    confirmed=st.none() | drawn.applications,
    pending=st.lists(drawn.hexes, max_size=3),
    standing=st.sampled_from(Standing),
    due=st.none() | drawn.days,
    refusal=st.none() | st.dictionaries(drawn.words, drawn.plain, max_size=2),
    at=drawn.moments,
)
def test_what_is_read_is_what_was_saved(
    shared_desk: Desk, shown, confirmed, pending, standing, due, refusal, at
) -> None:
    with shared_desk.transaction() as tx:
        before = applications.find(tx, shown.application_id)
        version = applications.save(
            tx,
            shown,
            confirmed=confirmed,
            pending=pending,
            standing=standing,
            case_seq=3,
            at=at,
            due=due,
            refusal=refusal,
        )
    with shared_desk.reading() as tx:
        known = applications.load(tx, shown.application_id)
        assert (known.shown, known.confirmed, known.pending) == (shown, confirmed, tuple(pending))
        assert (known.standing, known.case_seq, known.due) == (standing, 3, due)
        assert (known.refusal, known.updated_at, known.version) == (refusal, at, version)
        assert version == (before.version if before else 0) + 1
        assert applications.by_receipt(tx, shown.receipt_no) is not None


@given(one=drawn.applications, data=st.data())
def test_an_application_is_found_by_any_part_of_its_name_and_numbers(
    shared_desk: Desk, one: Application, data: st.DataObject
) -> None:
    one = replace(one, applicant=replace(one.applicant, name="李样例" + one.applicant.name))
    id_no, tail = one.applicant.id_no, one.receipt_no[13:]
    start = data.draw(st.integers(0, len(id_no) - 3))
    asked = [
        "李样例",
        "样例",
        id_no,
        id_no[start : data.draw(st.integers(start + 3, len(id_no)))],
        one.receipt_no,
        one.receipt_no.replace("-", ""),
        one.receipt_no[: data.draw(st.integers(3, len(one.receipt_no)))],
        tail,
        tail[:8],
        f"样例 {id_no[-4:]}",
        id_no.lower(),
        one.receipt_no[:2],
    ]
    with shared_desk.transaction() as tx:
        applications.save(tx, one, confirmed=None, standing=Standing.CONFIRMED, case_seq=1, at=NOON)
    with shared_desk.reading() as tx:
        for text in asked:
            page = applications.page(tx, text=text, limit=1000)
            assert one.application_id in {known.application_id for known in page.rows}, text
            assert page.total == len(page.rows)


def test_a_search_finds_nothing_that_does_not_contain_the_text(desk: Desk) -> None:
    keep(desk, application(1), application(2, applicant=replace(application(2).applicant, name="李样例")))
    assert found(desk, text="样例") == [2]
    assert found(desk, text="李") == [2]
    assert found(desk, text="王") == []
    assert found(desk, text="样例 0001-K") == []
    assert found(desk, text="20261123-0001") == [1]
    assert found(desk, text="例样") == []


def test_an_expression_typed_by_a_person_is_only_text(desk: Desk) -> None:
    keep(desk, application(1))
    for text in ('"', "name:", "NEAR(", "%", "_", "'; DROP TABLE application; --", "\x00", "（", "-" * 50):
        found(desk, text=text)
    assert found(desk) == [1]


def test_a_changed_name_is_found_and_the_old_one_is_not(desk: Desk) -> None:
    keep(desk, application(1))
    keep(desk, application(1, applicant=replace(application(1).applicant, name="李样例")))
    assert found(desk, text="李样例") == [1]
    assert found(desk, text="张测试") == []


def test_lists_are_filtered_ordered_and_paged_by_the_desk(desk: Desk) -> None:
    keep(desk, *(application(number) for number in range(1, 6)))
    keep(desk, application(3, state=State.RETURNED), at_step=60, standing=Standing.CONFIRMED)
    assert found(desk) == [3, 5, 4, 2, 1]
    assert found(desk, offset=1, limit=2) == [5, 4]
    assert found(desk, states=[State.RETURNED, State.DECIDED]) == [3]
    assert found(desk, states=[]) == []
    assert found(desk, standings=[Standing.SAVED_HERE]) == [5, 4, 2, 1]
    assert found(desk, site="511603106299") == []
    assert found(desk, text="医保", items=["GA-YB-001"]) == [3, 5, 4, 2, 1]
    with desk.reading() as tx:
        assert applications.page(tx, offset=4, limit=2).total == 5


def test_the_queue_shows_the_soonest_due_first_and_the_unknown_last(desk: Desk) -> None:
    keep(desk, application(1), due=date(2026, 12, 1))
    keep(desk, application(2))
    keep(desk, application(3), due=date(2026, 11, 30))
    assert found(desk, by_due=True) == [3, 1, 2]


def test_only_open_applications_hold_a_catalog_version(desk: Desk) -> None:
    for number, state in enumerate(State, start=1):
        keep(desk, application(number, state=state, catalog_version=number))
    with desk.reading() as tx:
        held = applications.open_catalog_versions(tx)
    assert held == {number for number, state in enumerate(State, start=1) if state not in CLOSED_STATES}


def test_an_unknown_application_is_named_by_its_id(desk: Desk) -> None:
    with desk.reading() as tx:
        assert applications.find(tx, "0" * 32) is None
        assert applications.by_receipt(tx, "none") is None
        with pytest.raises(Unknown) as unknown:
            applications.load(tx, "0" * 32)
    assert (unknown.value.what, unknown.value.key) == ("application", "0" * 32)


def test_a_failed_act_leaves_row_and_index_as_they_were(desk: Desk) -> None:
    keep(desk, application(1))

    def act() -> None:
        with desk.transaction() as tx:
            renamed = application(1, applicant=replace(application(1).applicant, name="李样例"))
            applications.save(tx, renamed, confirmed=None, standing=Standing.REFUSED, case_seq=9, at=NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert (found(desk, text="张测试"), found(desk, text="李样例")) == ([1], [])
    with desk.reading() as tx:
        assert applications.load(tx, f"{1:032x}").case_seq == 0


def test_only_the_standing_changes_when_it_is_said_anew(desk: Desk) -> None:
    keep(desk, application(1), pending=["a" * 32], due=date(2026, 12, 1))
    with desk.reading() as tx:
        before = applications.load(tx, f"{1:032x}")
    with desk.transaction() as tx:
        applications.set_standing(tx, before.application_id, Standing.AT_CITY)
    with desk.reading() as tx:
        assert applications.load(tx, before.application_id) == replace(before, standing=Standing.AT_CITY)
    with pytest.raises(Unknown), desk.transaction() as tx:
        applications.set_standing(tx, f"{2:032x}", Standing.AT_CITY)
