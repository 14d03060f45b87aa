"""A receipt number is given once at a counter, also by a machine whose disk was set back and that nobody told so."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from edge_node.acts import receipt_serials
from offline_store.desk import applications
from tests.edge_node.village import Village

pytestmark = pytest.mark.node


def number_of(village: Village) -> str:
    """Collect; what is printed."""
    application_id = village.collected()
    with village.counter.desk.reading() as tx:
        return applications.load(tx, application_id).shown.receipt_no


def set_back(village: Village, image: Path) -> Village:
    """The disk as it was; the machine's clock went on."""
    village.counter.desk.close()
    shutil.rmtree(village.counter.paths.root)
    shutil.copytree(image, village.counter.paths.root)
    return village.restarted(close=False)


def given_out_around_an_image(folder: Path, *, apart: timedelta) -> list[str]:
    village = Village.at(folder / "node")
    given = [number_of(village)]
    village.counter.desk.close()
    image = Path(shutil.copytree(folder / "node", folder / "image", ignore=shutil.ignore_patterns("*.sock")))
    village = village.restarted(close=False)
    for _ in range(3):
        village.clock.passes(seconds=apart.total_seconds())
        given.append(number_of(village))
    village = set_back(village, image)
    for _ in range(3):
        village.clock.passes(seconds=apart.total_seconds())
        given.append(number_of(village))
    village.counter.desk.close()
    return given


def test_a_machine_that_was_set_back_gives_out_other_numbers_than_those_it_forgot(tmp_path: Path) -> None:
    given = given_out_around_an_image(tmp_path, apart=timedelta(seconds=20))
    assert len(set(given)) == len(given) == 7


def test_counted_from_one_the_forgotten_numbers_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_serials, "slot_of_day", lambda _now: 1)
    given = given_out_around_an_image(tmp_path, apart=timedelta(seconds=20))
    assert len(set(given)) == 4


def test_many_in_one_moment_and_after_a_clock_that_went_back_differ_and_grow(tmp_path: Path) -> None:
    village = Village.at(tmp_path)
    given = [number_of(village) for _ in range(3)]
    village.clock.passes(seconds=-3600)
    given += [number_of(village) for _ in range(3)]
    village.clock.passes(seconds=7200)
    given.append(number_of(village))
    assert len(set(given)) == 7
    assert given == sorted(given)
    village.counter.desk.close()
