"""A village whose clerk unlocks it after each start: what waits goes to the city before anybody has unlocked it."""

from __future__ import annotations

import random

import httpx
import pytest

from provisioning.counter_door import listens
from tests.journeys.at_the_counter import Town, type_application

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ITEM = "GA-YB-004"


def standing(place: Town) -> int:
    """What the counter answers to the question that the screen asks first; 0 when nobody listens yet."""
    door = place.village.paths.counter_socket
    if not listens(door):
        return 0
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(door)), base_url="http://counter") as client:
        return client.get("/counter/status").status_code


def test_mail_goes_while_the_node_is_locked_and_signing_in_finds_everything_as_it_was(place: Town) -> None:
    hands, rng, village = place.at(place.village), random.Random(33), place.village
    village.line.cut()
    typed = type_application(hands, village, ITEM, rng)
    saved = hands.collect(typed.draft_id).application_id
    draft = type_application(hands, village, ITEM, rng).draft_id
    place.leave(village)
    village.edge.stop()
    keyed = {"GUANGAN_MACHINE_KEY_FILE": str(place.world.folder / "machine-keys" / "village.key")}
    place.world.command(
        "provisioning", "unlock-at-start", "on", "--root", str(village.paths.root), "--id", village.person.clerk_id,
        said=village.person.passphrase, more=keyed,
    )  # fmt: skip
    village.edge.start()
    place.until("the locked door", lambda: standing(place) == httpx.codes.SERVICE_UNAVAILABLE)
    place.line_is_back(village)
    place.until("at the city", lambda: [one["application_id"] for one in place.cases()] == [saved], 120)
    place.until("its scans, too", lambda: set(typed.scans) <= place.stored_scans(), 120)
    assert standing(place) == httpx.codes.SERVICE_UNAVAILABLE
    assert place.at(village).drafts() == [draft]
    place.until_drained(village)
    assert place.state(village, saved) == "submitted"
    assert [one["application_id"] for one in place.cases()] == [saved]
