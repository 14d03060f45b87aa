"""What is practised is never laid out, sealed to nobody, refused by who serves true nodes; each beside its control."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from casework.states import State
from edge_node.__main__ import _with_phone
from edge_node.acts import activate_catalog, collecting, courier_desk, listing, supplementing
from edge_node.acts.mail_round import MailRound
from edge_node.acts.practice_round import PracticeRound
from edge_node.acts.status import status
from edge_node.app import open_counter
from edge_node.counter.counter import Counter
from edge_node.counter.errors import NoSuchMedium, PracticeStaysHere
from edge_node.phone_door import PhoneDoor
from edge_node.settings import NodeSettings
from offline_store.desk import applications, journal
from offline_store.errors import NotForPractice, OnlyForPractice
from tests.edge_node.village import MACHINE_KEY, Village
from tests.simulators.practice_beside import PRACTICE_KEY, Beside, practice_beside
from wire.counter import AskCourier
from wire.envelope import read_header
from wire.keys import key_id
from wire.practice import SITE

pytestmark = pytest.mark.node


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    with practice_beside(tmp_path) as both:
        yield both


def laid_out(village: Village) -> list[str]:
    """Every file of the outgoing mailbox, whatever it is."""
    folder = village.counter.paths.outgoing
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def state_of(village: Village, application_id: str) -> State:
    with village.counter.desk.reading() as tx:
        return applications.load(tx, application_id).shown.state


def recipients_of(village: Village) -> set[bytes]:
    with village.counter.desk.reading() as tx:
        sealed = [link.envelope for link in journal.after(tx, 0, limit=1000) if link.envelope is not None]
    assert sealed
    return {one for envelope in sealed for one in read_header(envelope).recipients}


def test_of_what_is_practised_no_file_is_laid_out_for_a_courier(beside: Beside) -> None:
    for village in (beside.true, beside.practice):
        village.collected()
        for _ in range(4):
            village.mail.turn()
    assert laid_out(beside.practice) == []
    assert any(name.startswith("envelopes/") for name in laid_out(beside.true))
    assert any(name.startswith("scans/") for name in laid_out(beside.true))


def test_a_mail_round_over_a_practice_store_is_a_mistake_that_is_told(beside: Beside) -> None:
    with pytest.raises(RuntimeError):
        MailRound(beside.practice.counter)
    assert laid_out(beside.practice) == []


def test_it_is_sealed_to_no_key_that_the_catalog_names(beside: Beside) -> None:
    named = {key_id(bytes(range(32)))}  # the city's recipient in the published directory
    for village in (beside.true, beside.practice):
        village.collected()
    assert recipients_of(beside.practice).isdisjoint(named)
    newest = [set(read_header(data).recipients) for _, data in _posted(beside.true)][-1]
    assert newest == named


def _posted(village: Village) -> list[tuple[int, bytes]]:
    village.mail.turn()
    return village.posted()


def test_its_receipt_numbers_and_its_bar_show_what_they_are(beside: Beside) -> None:
    for village, site in ((beside.practice, SITE), (beside.true, beside.true.counter.node.site)):
        slip = collecting.collect(village.counter, village.who, village.filled())
        assert slip.receipt_no.startswith(f"{site}-")
        village.mail.turn()
    bar, true_bar = status(beside.practice.counter), status(beside.true.counter)
    assert (bar.practice, bar.backlog_ops, bar.backlog_scans, bar.conditions) == (True, 0, 0, [])
    assert (true_bar.practice, true_bar.backlog_ops > 0) == (False, True)


def test_a_practice_store_is_served_as_nothing_else_and_nothing_else_as_one(beside: Beside) -> None:
    practice, true = beside.practice.counter.paths, beside.true.counter.paths
    with pytest.raises(OnlyForPractice):
        open_counter(practice, PRACTICE_KEY)
    with pytest.raises(NotForPractice):
        open_counter(true, MACHINE_KEY, practice=True)
    for paths, key, asked in ((practice, PRACTICE_KEY, True), (true, MACHINE_KEY, False)):
        opened: Counter = open_counter(paths, key, practice=asked)
        assert opened.practice is asked
        opened.desk.close()


def test_a_stick_is_not_written_in_practice(beside: Beside) -> None:
    order = AskCourier(way="out", medium="STICK")
    with pytest.raises(PracticeStaysHere):
        courier_desk.ask(beside.practice.counter, beside.practice.who, order)
    with pytest.raises(NoSuchMedium):  # a true node goes on to look for the stick
        courier_desk.ask(beside.true.counter, beside.true.who, order)
    assert laid_out(beside.practice) == []


def test_no_phone_is_let_in_to_practise(beside: Beside) -> None:
    counters = (beside.practice.counter, beside.true.counter)
    settings = NodeSettings(phone_host="127.0.0.1")
    doors: list[list[PhoneDoor]] = [[], []]
    for counter, opened in zip(counters, doors, strict=True):
        _with_phone(settings, opened, counter)
    assert [len(opened) for opened in doors] == [0, 1]


def test_the_first_application_is_returned_once_and_granted_when_it_is_answered(beside: Beside) -> None:
    practice = beside.practice
    application_id = practice.collected()
    assert listing.detail(practice.counter, practice.who, application_id).waiting == []
    practice.mail.turn()
    assert state_of(practice, application_id) is State.RETURNED
    detail = listing.detail(practice.counter, practice.who, application_id)
    assert len(detail.return_points) == 1
    assert detail.waiting == []
    draft = supplementing.begin(practice.counter, practice.who, application_id)
    practice.scan(draft.draft_id, detail.return_points[0].ref)
    collecting.collect(practice.counter, practice.who, draft.draft_id)
    practice.mail.turn()
    assert state_of(practice, application_id) is State.CONCLUDED


def test_the_second_application_is_granted_at_once(beside: Beside) -> None:
    practice = beside.practice
    ids = [practice.collected(), practice.collected()]
    practice.mail.turn()
    assert [state_of(practice, one) for one in ids] == [State.RETURNED, State.CONCLUDED]


@pytest.mark.parametrize("proven_as_of_when_it_held", [True, False])
def test_one_practises_on_a_catalog_that_has_expired_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, proven_as_of_when_it_held: bool
) -> None:
    if not proven_as_of_when_it_held:  # the control
        monkeypatch.setattr(activate_catalog, "while_it_held", lambda _cache, now: now)
    with practice_beside(tmp_path, begun=False) as both:
        counter = both.practice.counter
        counter.clock.not_before(both.practice.clock.wall + timedelta(days=4000))
        PracticeRound(counter).begin()
        assert status(counter).catalog_version == (1 if proven_as_of_when_it_held else None)


def test_on_a_tampered_catalog_nobody_practises(tmp_path: Path) -> None:
    with practice_beside(tmp_path, begun=False) as both:
        counter = both.practice.counter
        target = counter.paths.catalog_targets / "items" / "yibao.json"
        target.write_bytes(target.read_bytes().replace("医保".encode(), "医堡".encode(), 1))
        PracticeRound(counter).begin()
        assert status(counter).catalog_version is None
