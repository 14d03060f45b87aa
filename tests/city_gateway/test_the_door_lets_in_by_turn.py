"""Admission at the real door: who has no room is told when to come, before the body is read; slow bodies, held
requests, uploads, pages and enrolment do not stand in each other's way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from city_gateway.admission import Admission
from city_gateway.turns import Bounds
from tests.city_gateway.gateway_fixtures import OTHER_VILLAGE, TOWNSHIP, City, EnrolledNode, Refused
from wire.messages import CONTENT_TYPE, ExchangeHead, read_refusal, write_request

pytestmark = pytest.mark.node

NARROW = Bounds(at_once=1, light_at_once=1, inside=1, longest_wait_s=30.0)
SOON_S = 20.0


@asynccontextmanager
async def all_places_taken(admission: Admission) -> AsyncIterator[None]:
    """Somebody works at every place, and somebody waits in the room."""
    async with (
        admission.inside("f" * 32) as heavy,
        heavy.at_work(),
        admission.inside("e" * 32) as asking,
        asking.at_work(light=True),
        admission.inside("d" * 32),
    ):
        yield


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    """One kind is enough here: the door stands before the ledger."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def narrow(city: City) -> Admission:
    city.app.state.exchanges = Admission(os.urandom, NARROW)
    return city.app.state.exchanges


def signed_exchange(node: EnrolledNode, *envelopes: bytes) -> tuple[dict[str, str], bytes]:
    nonce = os.urandom(16).hex()
    body = write_request(ExchangeHead(node=node.document.node_id, nonce=nonce, feed_cursor=0), list(envelopes))
    return node.signed("POST", "/v1/exchange", {"content-type": CONTENT_TYPE}, body, nonce), body


async def test_who_finds_no_room_is_told_when_to_come_and_comes_then(city: City, narrow: Admission) -> None:
    village = await city.enrol()
    _, envelope = village.collect()
    async with all_places_taken(narrow):
        with pytest.raises(Refused) as refused:
            await village.exchange(envelope)
    refusal = read_refusal(refused.value.answer.json(), city.gateway.keys.signing.public)
    assert (refused.value.status, refused.value.code) == (503, "gateway.busy")
    assert int(refused.value.answer.headers["retry-after"]) == refusal.retry_after >= 1
    assert (refusal.node, refusal.server_time) == (village.document.node_id, city.clock())
    assert (await village.exchange(envelope)).receipt.hwm == 1


async def test_the_body_of_who_finds_no_room_is_not_read(city: City, narrow: Admission) -> None:
    village = await city.enrol()
    headers, body = signed_exchange(village)
    read: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(body)
        yield body

    async with all_places_taken(narrow):
        answer = await city.client.post("/v1/exchange", headers=headers, content=pieces())
    assert (answer.status_code, read) == (503, [])


async def test_a_stranger_takes_up_no_room(city: City, narrow: Admission) -> None:
    village, other = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    headers, body = signed_exchange(village)
    waits = asyncio.Event()

    async def never() -> AsyncIterator[bytes]:
        yield body[:10]
        await waits.wait()

    forged = headers | {"content-digest": headers["content-digest"].replace("A", "B").replace("a", "b")}
    hanging = asyncio.create_task(city.client.post("/v1/exchange", headers=forged, content=never()))
    try:
        assert (await asyncio.wait_for(other.exchange(other.collect()[1]), SOON_S)).receipt.hwm == 1
        assert (await asyncio.wait_for(hanging, SOON_S)).status_code == 401
    finally:
        waits.set()


async def test_a_body_that_comes_slowly_takes_no_place_to_work(city: City) -> None:
    city.app.state.exchanges = Admission(os.urandom, Bounds(at_once=1, inside=2))
    slow, quick = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    headers, body = signed_exchange(slow, slow.collect()[1])
    goes_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:20]
        await goes_on.wait()
        yield body[20:]

    coming = asyncio.create_task(city.client.post("/v1/exchange", headers=headers, content=slowly()))
    await asyncio.sleep(0.1)
    assert (await asyncio.wait_for(quick.exchange(quick.collect()[1]), SOON_S)).receipt.hwm == 1
    goes_on.set()
    assert (await asyncio.wait_for(coming, SOON_S)).status_code == 200


async def test_who_came_first_gets_the_room_of_a_later_one_even_while_that_one_is_sending(
    city: City, narrow: Admission
) -> None:
    first, later = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    _, envelope = first.collect()
    async with all_places_taken(narrow):
        with pytest.raises(Refused):
            await first.exchange(envelope)
    headers, body = signed_exchange(later, later.collect()[1])

    async def never() -> AsyncIterator[bytes]:
        yield body[:20]
        await asyncio.sleep(3600)

    hanging = asyncio.create_task(city.client.post("/v1/exchange", headers=headers, content=never()))
    await asyncio.sleep(0.1)
    assert (await asyncio.wait_for(first.exchange(envelope), SOON_S)).receipt.hwm == 1
    sent_away = await asyncio.wait_for(hanging, SOON_S)
    assert (sent_away.status_code, int(sent_away.headers["retry-after"]) >= 1) == (503, True)


async def test_pages_enrolment_health_and_uploads_need_no_place_of_an_exchange(city: City, narrow: Admission) -> None:
    village = await city.enrol()
    async with all_places_taken(narrow):
        for path, status in (("/office/sign-in", 200), ("/v1/health", 200), ("/v1/enrol", 200)):
            assert (await asyncio.wait_for(city.client.get(path), SOON_S)).status_code == status
        assert (await asyncio.wait_for(city.enrol(site=OTHER_VILLAGE), SOON_S)).document.role == "village"
        await asyncio.wait_for(village.upload(village.sealed_scan(b"paper")), SOON_S)


async def test_an_exchange_needs_no_place_of_an_upload(city: City) -> None:
    city.app.state.uploads = Admission(os.urandom, NARROW)
    village = await city.enrol()
    scan = village.sealed_scan(b"paper")
    await village.create_scan(scan)
    async with all_places_taken(city.app.state.uploads):
        assert (await village.patch_scan(scan, 0, scan.data)).status_code == 503
        assert (await village.exchange(village.collect()[1])).receipt.hwm == 1
    assert (await village.patch_scan(scan, 0, scan.data)).status_code == 204


async def test_a_held_request_takes_neither_room_nor_place_and_hears_the_news_of_a_full_door(
    city: City, narrow: Admission
) -> None:
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    held = asyncio.create_task(township.exchange(wait_s=30))
    await asyncio.sleep(0.1)
    assert (await asyncio.wait_for(village.exchange(village.collect()[1]), SOON_S)).receipt.hwm == 1
    assert [entry.result for entry in (await asyncio.wait_for(held, SOON_S)).feed] == ["applied"]
    held = asyncio.create_task(township.exchange(wait_s=30))
    await asyncio.sleep(0.1)
    async with narrow.inside("f" * 32) as heavy, heavy.at_work(), narrow.inside("d" * 32):
        city.app.state.news.tell([township.document.node_id])
        assert (await asyncio.wait_for(held, SOON_S)).feed == []


async def test_who_waits_too_long_is_answered_while_it_still_listens(city: City) -> None:
    city.app.state.exchanges = Admission(os.urandom, Bounds(at_once=1, longest_wait_s=0.1))
    village = await city.enrol()
    async with city.app.state.exchanges.inside("f" * 32) as other, other.at_work():
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(village.exchange(village.collect()[1]), SOON_S)
    assert refused.value.code == "gateway.busy"


async def test_those_who_come_together_are_looked_up_together(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    villages = [await city.enrol(site=f"{TOWNSHIP[:9]}{200 + number}") for number in range(6)]
    known = city.app.state.known_nodes
    asked: list[int] = []
    real = known._look_up

    def counted(node_ids: list[str]) -> dict[str, object]:
        asked.append(len(node_ids))
        return real(node_ids)

    monkeypatch.setattr(known, "_look_up", counted)
    city.clock.forward(seconds=60)
    found = await asyncio.gather(*(village.exchange() for village in villages))
    assert [one.receipt.node for one in found] == [village.document.node_id for village in villages]
    assert sum(asked) == 6
    assert len(asked) < 6
