"""A village that never has a line: by stick to the city and back, and over the township's relay; real programs.

What the village's own screen shows is what counts: nothing is sent until the city's signed word is read, and then the
result of an application arrives like over any line.
"""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from tests.journeys.at_the_counter import Hands, Office, Town, type_application
from wire.counter import CourierView

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

ITEM = "GA-YB-004"


def without_a_line(place: Town, settings: str) -> Path:
    """The village's line is cut for good, its sticks are folders of a media root, and its programs start so."""
    media = place.world.folder / "media"
    (media / "STICK").mkdir(parents=True)
    village = place.village
    village.line.cut()
    village.agent.stop()
    village.edge.stop()
    village.paths.settings.write_text(f'media_root = "{media}"\nmedia_folders = true\n\n[agent]\n{settings}\n', "utf-8")
    village.edge.start()
    village.agent.start()
    place.until("the village again", lambda: place.world.node_answers(village))
    return media / "STICK"


def by_order(place: Town, hands: Hands, way: str, code: str) -> CourierView:
    """What the screen does: ask the courier, and look until it says that it is done."""
    hands._told(CourierView, "POST", "/counter/courier", json={"way": way, "medium": "STICK"})
    seen: list[CourierView] = []

    def done() -> bool:
        seen.append(hands._told(CourierView, "GET", "/counter/courier"))
        job = seen[-1].job
        return job is not None and job.phase in {"done", "failed"}

    place.until(f"stick {way}", done)
    job = seen[-1].job
    assert job is not None
    assert (job.phase, job.code) == ("done", code), job
    return seen[-1]


def the_city_reads_and_answers(place: Town, stick: Path) -> None:
    ledger = place.world.ledger_arguments
    place.world.command("city_gateway", "courier", "in", *ledger, "--from", str(stick))
    place.world.command("city_gateway", "courier", "out", *ledger, "--to", str(stick), "--all")


def to_the_city_and_back(place: Town, hands: Hands, stick: Path) -> None:
    by_order(place, hands, "out", "courier.written")
    the_city_reads_and_answers(place, stick)
    by_order(place, hands, "in", "courier.brought")


def ruled(place: Town, application_id: str) -> None:
    """The township looks at it and accepts, the department decides."""
    clerk = place.at(place.township)
    place.until_shown(place.township, application_id, "submitted")
    clerk.review(application_id, "begin")
    clerk.review(application_id, "accept")
    place.until("accepted at the city", lambda: "accepted" in _history(place, application_id))
    with contextlib.closing(Office(place.world.gateway_url)) as office:
        office.rule(application_id, "review_started")
        paper = {"document_name": "备案告知书", "document_no": "样例〔2026〕1号"}
        office.rule(application_id, "decided", granted="yes", reason="", **paper)
        office.rule(application_id, "concluded")


def _history(place: Town, application_id: str) -> list[str]:
    return next((list(one["history"]) for one in place.cases() if one["application_id"] == application_id), [])


def test_a_stick_goes_to_the_city_and_the_result_comes_back_on_it(place: Town) -> None:
    stick = without_a_line(place, "")
    hands = place.at(place.village)
    typed = type_application(hands, place.village, ITEM, random.Random(9))
    application_id = hands.collect(typed.draft_id).application_id
    assert _history(place, application_id) == []
    view = by_order(place, hands, "out", "courier.written")
    assert view.waiting_scans == 3, "written is not sent"
    the_city_reads_and_answers(place, stick)
    assert set(typed.scans) <= place.stored_scans()
    assert place.state(place.village, application_id) == "collected"
    by_order(place, hands, "in", "courier.brought")
    place.until("the village knows", lambda: place.state(place.village, application_id) == "submitted")
    place.until("nothing waits", lambda: hands.status().backlog_scans == 0)
    ruled(place, application_id)
    to_the_city_and_back(place, hands, stick)
    place.until_shown(place.village, application_id, "concluded")
    assert [one["application_id"] for one in place.cases()] == [application_id]
    assert hands.status().line == "down"
    by_order(place, hands, "in", "courier.known")


def test_the_township_carries_sealed_bags_and_the_result_comes_back_over_it(place: Town) -> None:
    without_a_line(place, f'relay_url = "http://{place.township.page}"\nrelay_ask_s = 5')
    hands = place.at(place.village)
    typed = type_application(hands, place.village, ITEM, random.Random(10))
    application_id = hands.collect(typed.draft_id).application_id
    place.until("at the city over the township", lambda: place.state(place.village, application_id) == "submitted", 120)
    place.until("nothing waits", lambda: hands.status().backlog_scans == 0, 120)
    assert set(typed.scans) <= place.stored_scans()
    ruled(place, application_id)
    place.until("the result over the township", lambda: place.state(place.village, application_id) == "concluded", 120)
    status = hands.status()
    assert status.line == "down", "the relay is no line"
    assert status.relay_at is not None
    plain = typed.values["applicant_id_no"].encode()
    kept = [path for path in place.township.paths.relay.rglob("*") if path.is_file()]
    assert kept
    assert not any(plain in path.read_bytes() for path in kept)
