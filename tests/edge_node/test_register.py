"""The register: what it holds, what narrows it, and what the journal keeps of handing it out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.application import Role
from casework.errors import NotYourDuty
from casework.months import Month
from casework.register_entry import Entry, Timeliness
from casework.states import State
from edge_node.acts import registering, reporting
from edge_node.acts.registering import FULL, PURPOSES, SHOWS, Asked
from edge_node.counter.errors import PurposeNeeded
from offline_store.desk import journal
from tests.edge_node.register_lines import AGENT, NAME, OTHER_VILLAGE, concluded, file, noted
from tests.edge_node.town import MORNING, TOWNSHIP, VILLAGE, Town, new_town
from wire.messages import read_operation

pytestmark = pytest.mark.node


def numbers(lines: Iterator[Entry] | tuple[Entry, ...] | list[Entry]) -> list[str]:
    return [line.receipt_no[-6:-2] for line in lines]


def found(town: Town, **asked: Any) -> list[str]:
    return numbers(registering.page(town.counter, town.clerk(), Asked(**asked), limit=100).rows)


@pytest.fixture
def filled(town: Town) -> Town:
    file(town, 1, date(2026, 10, 30))
    file(town, 2, date(2026, 11, 2), state=State.RETURNED, returns_count=2)
    file(town, 3, date(2026, 11, 3), item_id="GA-YB-001", site=OTHER_VILLAGE, **concluded(date(2026, 11, 9)))
    file(town, 4, date(2026, 11, 3), state=State.DECLINED, closed_at=MORNING)
    file(town, 5, date(2026, 11, 4), erased=True, **concluded(date(2026, 11, 20)))
    return town


def test_open_ended_and_erased_applications_stand_in_it_the_latest_day_first(filled: Town) -> None:
    assert found(filled) == ["0005", "0004", "0003", "0002", "0001"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"show": "open"}, ["0002", "0001"]),
        ({"show": "done"}, ["0005", "0003"]),
        ({"show": "closed"}, ["0004"]),
        ({"show": "erased"}, ["0005"]),
        ({"show": "returned"}, ["0002"]),
        ({"item_id": "GA-YB-001"}, ["0003"]),
        ({"site": OTHER_VILLAGE}, ["0003"]),
        ({"first": date(2026, 11, 3)}, ["0005", "0004", "0003"]),
        ({"last": date(2026, 11, 2)}, ["0002", "0001"]),
        ({"first": date(2026, 11, 2), "last": date(2026, 11, 3), "show": "open"}, ["0002"]),
        ({"text": "0003"}, ["0003"]),
        ({"text": NAME}, ["0004", "0003", "0002", "0001"]),
        ({"text": "砍伐证", "site": OTHER_VILLAGE}, []),
    ],
)
def test_it_is_narrowed_by_state_item_site_day_and_text(
    filled: Town, asked: dict[str, Any], expected: list[str]
) -> None:
    assert found(filled, **asked) == expected


def test_a_line_tells_what_happened_and_nothing_that_an_erased_one_lost(filled: Town) -> None:
    lines = {line.receipt_no[-6:-2]: line for line in registering.page(filled.counter, filled.clerk(), Asked()).rows}
    assert (lines["0003"].accepted_on, lines["0003"].ended_on) == (date(2026, 11, 9), date(2026, 11, 9))
    assert lines["0003"].timeliness is Timeliness.IN_TIME
    assert (lines["0002"].returns, lines["0002"].collected_on) == (2, date(2026, 11, 2))
    assert (lines["0003"].applicant, lines["0003"].proxy_name) == (NAME, AGENT)
    erased = lines["0005"]
    assert (erased.applicant, erased.proxy_name, erased.erased) == ("张**", "", True)
    assert (erased.collected_on, erased.ended_on) == (date(2026, 11, 4), date(2026, 11, 20))


def test_an_erased_line_is_not_judged_by_the_guide_of_another_version(town: Town) -> None:
    day = date(2026, 11, 4)
    file(town, 1, day, erased=True, catalog_version=77, **concluded(day + timedelta(days=90)))
    (line,) = registering.page(town.counter, town.clerk(), Asked()).rows
    assert line.timeliness is Timeliness.UNJUDGED


def test_what_belongs_to_another_township_is_in_neither_list_nor_file(filled: Town) -> None:
    file(filled, 6, date(2026, 11, 5), site="511602100201", township="511602100000")
    file(filled, 7, date(2026, 11, 5), site="511602100201", township=TOWNSHIP)
    assert found(filled)[:2] == ["0007", "0005"], "what is addressed to the township is its own, wherever it came from"
    handed_out = registering.hand_out(filled.counter, filled.clerk(), Asked())
    assert "0006" not in numbers(registering.entries(filled.counter, handed_out))
    assert noted(filled)[-1]["lines"] == 6


def test_an_agent_has_no_register_and_no_report(filled: Town) -> None:
    agent = filled.counter.sessions.begin(filled.counter.actor(Role.AGENT, "agent1"), "李样例")[1]
    before = len(noted(filled))
    for ask in (
        lambda: registering.page(filled.counter, agent, Asked()),
        lambda: registering.hand_out(filled.counter, agent, Asked()),
        lambda: registering.choices(filled.counter, agent),
        lambda: registering.count(filled.counter, agent, Asked()),
        lambda: reporting.monthly(filled.counter, agent, Month(2026, 11)),
    ):
        with pytest.raises(NotYourDuty):
            ask()
    assert len(noted(filled)) == before


def test_handing_it_out_is_journaled_with_filter_and_count_and_without_the_words_searched_for(filled: Town) -> None:
    asked = Asked(show="open", site=VILLAGE, first=date(2026, 10, 1), last=date(2026, 11, 30), text=NAME)
    handed_out = registering.hand_out(filled.counter, filled.clerk(), asked)
    assert len(handed_out.rows) == 2
    entry = noted(filled)[-1]
    assert entry == {
        "kind": "exported",
        "lines": 2,
        "names": "masked",
        "purpose": "",
        "show": "open",
        "item": "",
        "site": VILLAGE,
        "first": "2026-10-01",
        "last": "2026-11-30",
        "searched": 1,
    }
    with filled.counter.desk.reading() as tx:
        last = journal.after(tx, 0, limit=1000)[-1]
    assert NAME not in last.body.decode()
    assert read_operation(last.body).clerk == "clerk1"


@pytest.mark.parametrize("purpose", ["", "because", *(f" {one}" for one in PURPOSES)])
def test_names_in_full_without_a_purpose_of_the_list_are_refused_and_nothing_is_journaled(
    filled: Town, purpose: str
) -> None:
    before = noted(filled)
    with pytest.raises(PurposeNeeded):
        registering.hand_out(filled.counter, filled.clerk(), Asked(), names=FULL, purpose=purpose)
    assert noted(filled) == before


def test_names_in_full_are_journaled_with_their_purpose(filled: Town) -> None:
    handed_out = registering.hand_out(filled.counter, filled.clerk(), Asked(), names=FULL, purpose="archive")
    assert handed_out.full_names is True
    assert (noted(filled)[-1]["names"], noted(filled)[-1]["purpose"]) == ("full", "archive")


def test_what_is_filed_after_the_journal_entry_is_not_in_what_was_handed_out(filled: Town) -> None:
    handed_out = registering.hand_out(filled.counter, filled.clerk(), Asked())
    file(filled, 8, date(2026, 11, 1))
    assert numbers(registering.entries(filled.counter, handed_out)) == ["0001", "0002", "0003", "0004", "0005"]


def test_a_monthly_report_counts_what_was_taken_in_during_the_month(filled: Town) -> None:
    made = reporting.monthly(filled.counter, filled.clerk(), Month(2026, 11)).figures
    assert (made.total.filed, made.total.returned, made.total.returns) == (4, 1, 2)
    assert (made.total.accepted, made.total.declined, made.total.concluded) == (2, 1, 2)
    assert made.total.median_days == (6 + 16) / 2
    assert {item: one.filed for item, one in made.items.items()} == {"GA-LY-001": 3, "GA-YB-001": 1}
    assert {site: one.filed for site, one in made.sites.items()} == {VILLAGE: 3, OTHER_VILLAGE: 1}
    empty = reporting.monthly(filled.counter, filled.clerk(), Month(2025, 1)).figures.total
    assert (empty.filed, empty.on_time_share, empty.median_days) == (0, None, None)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A town with a line for each of many days, states and sites."""
    town = new_town(tmp_path_factory.mktemp("many"))
    states = [state for state in State if state is not State.DRAFT]
    for number in range(1, 41):
        day = date(2026, 11, 1) - timedelta(days=number % 17)
        site = (VILLAGE, OTHER_VILLAGE, TOWNSHIP)[number % 3]
        item_id = ("GA-LY-001", "GA-YB-001")[number % 2]
        file(town, number, day, site=site, item_id=item_id, state=states[number % 19], erased=number % 7 == 0)
    return town


days = st.none() | st.dates(date(2026, 10, 10), date(2026, 11, 5))
asked = st.builds(
    Asked,
    show=st.sampled_from(list(SHOWS)),
    item_id=st.sampled_from(["", "GA-LY-001", "GA-YB-001", "GA-GONE"]),
    site=st.sampled_from(["", VILLAGE, OTHER_VILLAGE, TOWNSHIP]),
    first=days,
    last=days,
    text=st.sampled_from(["", NAME, "张", "林木", "0007", "20261101", VILLAGE]),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=asked)
def test_the_file_holds_exactly_the_lines_that_the_pages_show(many: Town, asked: Asked) -> None:
    who = many.clerk()
    paged: list[Entry] = []
    while True:
        page = registering.page(many.counter, who, asked, offset=len(paged), limit=7)
        paged += page.rows
        if not page.rows:
            break
    handed_out = registering.hand_out(many.counter, who, asked)
    lines = list(registering.entries(many.counter, handed_out))
    assert lines == paged[::-1]
    assert len(lines) == page.total == registering.count(many.counter, who, asked)
    assert noted_last(many)["lines"] == len(lines)
    day = [f"{line.receipt_no[13:17]}-{line.receipt_no[17:19]}-{line.receipt_no[19:21]}" for line in lines]
    assert day == sorted(day)
    assert all((asked.first is None or one >= asked.first.isoformat()) for one in day)
    assert all((asked.last is None or one <= asked.last.isoformat()) for one in day)


def noted_last(town: Town) -> Mapping[str, Any]:
    with town.counter.desk.reading() as tx:
        last = journal.after(tx, journal.head(tx).seq - 1)[-1]
    audit = read_operation(last.body).audit
    assert audit is not None
    return audit


def test_the_day_of_a_line_is_the_day_of_its_receipt_number(filled: Town) -> None:
    for line in registering.page(filled.counter, filled.clerk(), Asked()).rows:
        assert line.collected_on is not None
        assert re.search(f"-{line.collected_on:%Y%m%d}-", line.receipt_no)


def test_the_register_of_an_empty_desk_is_empty(tmp_path: Path) -> None:
    town = new_town(tmp_path)
    assert found(town) == []
    handed_out = registering.hand_out(town.counter, town.clerk(), Asked())
    assert list(registering.entries(town.counter, handed_out)) == []
    assert noted(town)[-1]["lines"] == 0
