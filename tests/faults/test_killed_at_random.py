"""SIGKILL of any program at any moment of a busy day: nothing that was called saved is lost, nothing happens twice.

Each protection is also taken away once, by a wrapper around the real program; then the same reckoning must complain,
or it would prove nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.busy_day import BusyDay, Diary
from tests.faults.chain_sent_again import send_chain_again
from tests.journeys.at_the_counter import Town, copied_town

pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # httpcore leaves a refused socket open
]

EVERYDAY, FULL = 5, 50
TRIALS = [*range(EVERYDAY), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(EVERYDAY, EVERYDAY + FULL))]


@pytest.fixture(scope="module")
def place(founded_town: Path) -> Iterator[Town]:
    """One town for all trials: each trial is reckoned over everything that happened before, too."""
    with copied_town(founded_town) as made:
        yield made


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Diary:
    return Diary(tmp_path_factory.mktemp("diary") / "diary.jsonl")


@pytest.mark.parametrize("seed", TRIALS)
def test_what_was_saved_takes_effect_exactly_once_whoever_is_killed(place: Town, diary: Diary, seed: int) -> None:
    assert place.world.gateway is not None
    day = BusyDay(place, diary, random.Random(seed))
    kills = [
        *(place.village.edge, place.village.edge, place.village.agent, place.township.edge),
        *(place.world.gateway, place.world.gateway, place.township.agent),
    ]
    day.rng.shuffle(kills)
    day.pass_with(kills)
    assert len(set(day.filed)) == day.applications
    found = day.reckon()
    assert found.is_good, found
    assert {one["application"] for one in diary.lines("accepted")} >= set(day.filed)


def test_without_the_outbox_in_the_transaction_of_the_act_the_same_reckoning_finds_losses(
    founded_town: Path, tmp_path: Path
) -> None:
    with copied_town(founded_town) as made:
        made.village.edge.stop()
        made.village.edge.arguments = ("tests.faults.edge_that_journals_later", *made.village.edge.arguments[1:])
        made.power_is_back(made.village)
        day = BusyDay(made, Diary(tmp_path / "diary.jsonl"), random.Random(7), applications=3, patience_s=5.0)
        day.pass_with([made.village.edge] * 2, right_after_saved=True)
        found = day.reckon(settle_s=5.0)
    assert found.lost, found


@pytest.mark.parametrize("recognised", [True, False])
def test_a_chain_that_is_sent_again_takes_no_second_effect_because_op_ids_are_recognised(
    founded_town: Path, tmp_path: Path, recognised: bool
) -> None:
    with copied_town(founded_town) as made:
        if not recognised:
            assert made.world.gateway is not None
            made.world.gateway.stop()
            arguments = made.world.gateway.arguments
            made.world.gateway.arguments = ("tests.faults.gateway_that_forgets_op_ids", *arguments[1:])
            made.world.gateway.start()
        day = BusyDay(made, Diary(tmp_path / "diary.jsonl"), random.Random(8), applications=1)
        day.pass_with([])
        assert day.reckon().is_good
        sent = send_chain_again(made, made.village)
        found = day.reckon(settle_s=5.0)
    assert sent >= 3
    if recognised:
        assert found.is_good, found
    else:
        assert found.duplicated, found
        assert replace(found, duplicated=[], misshown=[]).is_good
