"""Lost and duplicated are counted so that each of them is seen when it happens."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from provisioning.demo_report import Effects, Figures, History, Saved, duplicated, lost

pytestmark = pytest.mark.node

KEYS = [
    *("filed", "delivered", "lost", "duplicated", "returned", "accepted", "declined", "concluded", "scans_sent"),
    *("payload_bytes", "wire_bytes", "catalog_version", "nodes_updated", "seconds"),
]

ONE = Saved("a" * 32, "511603106205-20261123-0001-K", ("1" * 64, "2" * 64))
TWO = Saved("b" * 32, "511603106205-20261123-0002-K", ())


def case(saved: Saved, *entries: tuple[str | None, list[str]]) -> dict[str, Any]:
    told = [
        {"case_seq": n, "op_id": op, "author_node": None, "events": events} for n, (op, events) in enumerate(entries)
    ]
    history = [event for _, events in entries for event in events]
    identity = {"application_id": saved.application_id, "receipt_no": saved.receipt_no}
    return identity | {"state": "x", "history": history, "entries": told}


COLLECTED = ("01" * 16, ["collected", "submitted"])


def test_what_is_whole_at_the_city_is_not_lost() -> None:
    effects = Effects([case(ONE, COLLECTED), case(TWO, ("02" * 16, ["collected"]))], frozenset(ONE.scans))
    assert (lost([ONE, TWO], effects), duplicated(effects)) == ([], [])


def test_a_missing_application_and_a_missing_scan_are_both_lost() -> None:
    effects = Effects([case(ONE, COLLECTED)], frozenset(ONE.scans[:1]))
    assert lost([ONE, TWO], effects) == [ONE.receipt_no, TWO.receipt_no]


def test_one_receipt_under_two_applications_is_a_duplicate() -> None:
    again = Saved("c" * 32, ONE.receipt_no, ())
    effects = Effects([case(ONE, COLLECTED), case(again, ("02" * 16, ["collected"]))], frozenset())
    assert duplicated(effects) == [ONE.receipt_no]


def test_an_operation_or_an_act_that_took_effect_twice_is_a_duplicate() -> None:
    same_operation = Effects([case(ONE, COLLECTED, COLLECTED)], frozenset())
    assert duplicated(same_operation) == [ONE.receipt_no]
    accepted_twice = Effects([case(TWO, ("01" * 16, ["accepted"]), (None, ["accepted"]))], frozenset())
    assert duplicated(accepted_twice) == [TWO.receipt_no]


def test_returning_and_answering_twice_is_no_duplicate() -> None:
    entries = [("01" * 16, ["collected"]), ("02" * 16, ["returned"]), ("03" * 16, ["supplemented"])]
    entries += [("04" * 16, ["returned"]), ("05" * 16, ["supplemented"]), ("06" * 16, ["accepted"])]
    assert duplicated(Effects([case(ONE, *entries)], frozenset())) == []


def test_the_report_has_exactly_its_keys(tmp_path: Path) -> None:
    Figures(filed=20, delivered=20).write(tmp_path / "report.json")
    assert list(json.loads((tmp_path / "report.json").read_text())) == KEYS


def test_the_demo_fails_when_anything_was_lost_or_came_twice_or_did_not_arrive() -> None:
    assert Figures(filed=20, delivered=20).is_good
    assert not Figures(filed=20, delivered=20, lost=1).is_good
    assert not Figures(filed=20, delivered=20, duplicated=1).is_good
    assert not Figures(filed=20, delivered=19).is_good


def test_the_history_is_on_disk_before_anything_else_happens(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.note(ONE)
    assert json.loads((tmp_path / "history.jsonl").read_text()) == asdict(ONE) | {"scans": list(ONE.scans)}
    history.add_scans(ONE.application_id, ["3" * 64])
    assert {scan for saved in history.saved for scan in saved.scans} == {*ONE.scans, "3" * 64}
    history.close()
