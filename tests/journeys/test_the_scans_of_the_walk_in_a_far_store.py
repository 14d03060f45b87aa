"""The walk's scans through a city that keeps them in an S3-compatible store: every program and the store a process."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.city_gateway.far_scans import road_to
from tests.journeys.at_the_counter import Town, copied_town, type_application
from tests.simulators.scan_server import KEYS, ScanServer, new_address

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

ITEM = "GA-YB-004"


@pytest.fixture
def address(scan_server: ScanServer, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return new_address(scan_server.endpoint)


@pytest.fixture
def place(founded_town: Path, address: str) -> Iterator[Town]:
    with copied_town(founded_town, scans=address) as made:
        yield made


def test_they_lie_in_the_store_and_the_township_opens_them(place: Town, address: str) -> None:
    agent, clerk = place.at(place.village), place.at(place.township)
    typed = type_application(agent, place.village, ITEM, random.Random(12))
    application_id = agent.collect(typed.draft_id).application_id
    place.until_drained(place.village)
    road = road_to(address)
    held = {name: b"".join(road.pieces(f"whole/{name}")) for name in road.keys("whole")}
    assert set(held) == set(typed.scans)
    assert all(hashlib.sha256(sealed).hexdigest() == name for name, sealed in held.items())
    assert place.stored_scans() == frozenset(), "nothing finished lies on the gateway's own disk"
    place.until_shown(place.township, application_id, "submitted")
    place.until("the scans", lambda: all(scan.arrived for scan in clerk.detail(application_id).scans))
    for scan in clerk.detail(application_id).scans:
        picture = clerk.picture(scan.scan_hash)
        assert picture == agent.picture(scan.scan_hash)
        assert picture not in held[scan.scan_hash], "the store has sealed bytes only"
