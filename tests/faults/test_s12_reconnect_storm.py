"""S12: a county comes back after an outage, and the gateway is killed in the middle of it.

Nothing is lost, nothing happens twice, nothing was acknowledged that is not there, nobody stays outside for ever, and
the gateway never holds more than its door allows. Some machines are found swapped in the middle and send everything
again. Everyday the gateway is slow and its door narrow, so that a few dozen nodes are a storm; the full run has the
counts of the plan. Each protection is taken away once, and the same check must complain.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.city_gateway.databases import postgresql_server
from tests.faults import tally
from tests.faults.gateway_in_a_storm import MOST_INSIDE
from tests.simulators.reconnect_storm import Storm
from tests.simulators.storm_city import Reckoning, StormCity, raise_open_files
from tests.simulators.storm_mail import prepare

__all__ = ["postgresql_server"]

pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # httpcore leaves a refused socket open
]

EVERYDAY = (60, 5)
FULL = (2000, 20)
FULL_TRIALS = 5
MEMORY_KIB = 512 * 1024


@dataclass(frozen=True)
class Seen:
    """A storm that is over."""

    storm: Storm
    found: Reckoning
    most_inside: int


def passed_over(
    folder: Path, url: str, nodes: int, operations: int, changed: str, *, seed: int = 12, patience_s: float = 3600.0
) -> Seen:
    inside = folder / "inside"
    raise_open_files()
    city = StormCity(
        folder / "city",
        url,
        program="tests.faults.gateway_in_a_storm",
        environment={"GUANGAN_TEST_STORM": changed, "GUANGAN_TEST_INSIDE": str(inside)},
    )
    with city:
        with city.opened() as gateway:
            city.hire(gateway)
            villages, townships = prepare(gateway, nodes, operations, processes=1 if nodes < 100 else 2)
        storm = Storm(city, villages, townships, random.Random(seed), within_s=0.5, patience_s=patience_s)
        asyncio.run(storm.pass_over())
        found = storm.reckon()
    controls = sorted({"open", "forgets", "early"} & set(changed.split(",")))
    variant = f"control: {' and '.join(controls)}" if controls else f"{nodes} nodes × {operations}, killed once"
    tally.record("S12", variant, 1, found.lost, found.duplicated, found.false_sent, found.phantom)
    return Seen(storm, found, int(inside.read_text("ascii")))


def test_a_storm_with_a_kill_in_its_middle_loses_nothing_doubles_nothing_and_fills_no_memory(tmp_path: Path) -> None:
    nodes, operations = EVERYDAY
    seen = passed_over(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", nodes, operations, "slow,narrow")
    assert seen.found == Reckoning(nodes * operations, 0, 0, 0, 0)
    assert not seen.storm.gave_up
    assert all(node.done for node in seen.storm.nodes if node.mail.swapped is None)
    assert seen.storm.diary.refused == []
    assert seen.storm.diary.told_to_wait, "the door was narrow, so somebody was told to come back"
    assert seen.most_inside <= MOST_INSIDE
    assert seen.storm.clerk is not None
    assert seen.storm.clerk.seconds, "pages were answered meanwhile"


def test_with_the_door_open_and_op_ids_forgotten_the_same_checks_complain(tmp_path: Path) -> None:
    seen = passed_over(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", 40, 3, "slow,open,forgets", patience_s=150.0)
    assert seen.found.duplicated > 0, seen.found
    assert seen.most_inside > MOST_INSIDE
    assert seen.storm.diary.told_to_wait == []


@pytest.mark.full
def test_when_a_batch_is_acknowledged_before_it_is_written_the_same_reckoning_finds_losses(tmp_path: Path) -> None:
    seen = passed_over(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", 40, 3, "early", patience_s=40.0)
    assert seen.found.lost > 0, seen.found
    assert seen.found.false_sent > 0, seen.found


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("trial", range(FULL_TRIALS))
def test_two_thousand_nodes_on_postgresql(tmp_path: Path, postgresql_server: str, trial: int) -> None:
    nodes, operations = FULL
    with own_database(postgresql_server, trial) as url:
        seen = passed_over(tmp_path, url, nodes, operations, "", seed=trial)
    assert not seen.storm.gave_up
    assert seen.found == Reckoning(nodes * operations, 0, 0, 0, 0)
    assert seen.storm.diary.refused == []
    assert seen.storm.city.peak_kib < MEMORY_KIB


@contextmanager
def own_database(server: str, number: int) -> Iterator[str]:
    import sqlalchemy as sa

    at = sa.make_url(server)
    engine = sa.create_engine(at, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE storm_{number}")
    engine.dispose()
    yield at.set(database=f"storm_{number}").render_as_string(hide_password=False)
