"""A city publishes an emergency notice while applications are open, and takes it back: nodes and limits follow."""

from __future__ import annotations

import json
import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.working_days import CITY_TIME
from provisioning.demo_world import SEED_CATALOG, DemoNode
from tests.edge_node.notices import OTHER_COUNTY, TITLE, notice
from tests.journeys.at_the_counter import Town, type_application
from wire.counter import ClockView

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ITEM = "GA-YB-001"


def declared(**more: Any) -> dict[str, Any]:
    """A notice for the next three weeks, counted from today in the city."""
    today = datetime.now(CITY_TIME).date()
    days = {"effective_from": today.isoformat(), "effective_to": (today + timedelta(days=21)).isoformat()}
    return notice(**{**days, **more})


def publish(place: Town, folder: Path, version: int, *notices: dict[str, Any]) -> None:
    """The administrator's command, and both nodes have it."""
    shutil.copytree(SEED_CATALOG, folder)
    plain = json.loads((folder / "notices.json").read_text("utf-8"))
    plain["notices"] += notices
    (folder / "notices.json").write_text(json.dumps(plain, ensure_ascii=False), "utf-8")
    place.world.publish_catalog(folder)
    for node in (place.village, place.township):
        place.until_catalog(node, version)


def notice_clock(place: Town, node: DemoNode, application_id: str) -> ClockView:
    return next(one for one in place.at(node).detail(application_id).clocks if one.kind == "notice")


def due_of(clock: ClockView) -> tuple[Any, ...]:
    """The last day and what notices do to it; how much is left is not the same after midnight."""
    return clock.due, clock.shifted_days, clock.doubt, clock.notices


def test_a_notice_comes_to_both_nodes_moves_open_limits_and_goes_again(place: Town, tmp_path: Path) -> None:
    agent, nodes = place.at(place.village), (place.village, place.township)
    draft = type_application(agent, place.village, ITEM, random.Random(34))
    application_id = agent.collect(draft.draft_id).application_id
    for node in nodes:
        place.until_shown(node, application_id, "submitted")
    before = {node.name: notice_clock(place, node, application_id) for node in nodes}

    publish(place, tmp_path / "elsewhere", 2, declared(scope={"regions": [OTHER_COUNTY], "items": "all"}))
    for node in nodes:
        assert place.at(node).guide(ITEM).notices == []
        assert due_of(notice_clock(place, node, application_id)) == due_of(before[node.name])

    publish(place, tmp_path / "here", 3, declared())
    for node in nodes:
        assert [one.title for one in place.at(node).guide(ITEM).notices] == [TITLE]
        moved, plain = notice_clock(place, node, application_id), before[node.name]
        assert moved.due is not None
        assert plain.due is not None
        assert moved.due > plain.due
        assert moved.shifted_days > 0
        assert moved.notices == [TITLE]
    assert place.at(place.village).detail(application_id).catalog_version == 1

    publish(place, tmp_path / "undecided", 4, declared(policy={"effect": "unknown"}))
    for node in nodes:
        guessed = notice_clock(place, node, application_id)
        assert (guessed.due, guessed.doubt, guessed.provisional) == (before[node.name].due, "unstated", True)

    publish(place, tmp_path / "withdrawn", 5, declared(status="withdrawn"))
    for node in nodes:
        assert place.at(node).guide(ITEM).notices == []
        assert due_of(notice_clock(place, node, application_id)) == due_of(before[node.name])
