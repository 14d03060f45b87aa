"""Every request is proven before its body counts: signature, nonce, time, and whose name it is in."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from city_gateway import access
from city_gateway.ledger.tables import JOURNAL
from tests.city_gateway.gateway_fixtures import OTHER_VILLAGE, City, Refused, patch_headers
from wire.audit_chain import Head
from wire.http_signature import sign_request
from wire.messages import CONTENT_TYPE, ExchangeHead, read_refusal, write_request

pytestmark = pytest.mark.node


def stored(city: City) -> int:
    with city.gateway.ledger.reading() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(JOURNAL)) or 0)


async def test_an_unsigned_or_changed_request_stores_nothing(city: City) -> None:
    village = await city.enrol()
    _, envelope = village.collect()
    head = ExchangeHead(node=village.document.node_id, nonce="a" * 32, feed_cursor=0)
    body = write_request(head, [envelope])
    headers = {"content-type": CONTENT_TYPE}
    unsigned = await city.client.post("/v1/exchange", content=body, headers=headers)
    signed = village.signed("POST", "/v1/exchange", headers, body)
    changed = await city.client.post("/v1/exchange", content=body[:-1] + bytes([body[-1] ^ 1]), headers=signed)
    moved = await city.client.post(
        "/v1/scans", content=body, headers=village.signed("POST", "/v1/exchange", headers, body)
    )
    codes = [read_refusal(one.json(), city.gateway.keys.signing.public).code for one in (unsigned, changed, moved)]
    assert codes == ["request.unsigned", "request.changed", "request.unsigned"]
    assert [one.status_code for one in (unsigned, changed, moved)] == [401, 401, 401]
    assert stored(city) == 0


async def test_a_used_nonce_is_turned_away_with_the_servers_time(city: City) -> None:
    village = await city.enrol()
    bodies = [
        write_request(ExchangeHead(node=village.document.node_id, nonce="b" * 32, feed_cursor=cursor), [])
        for cursor in (0, 1)
    ]
    headers = {"content-type": CONTENT_TYPE}
    signed = [village.signed("POST", "/v1/exchange", headers, body, nonce="b" * 32) for body in bodies]
    first, word_for_word, other = [
        await city.client.post("/v1/exchange", content=bodies[n], headers=signed[n]) for n in (0, 0, 1)
    ]
    refusal = read_refusal(other.json(), city.gateway.keys.signing.public)
    assert (first.status_code, word_for_word.content) == (200, first.content)
    assert (other.status_code, refusal.code, refusal.server_time) == (425, "request.replayed", city.clock())
    assert (refusal.node, refusal.nonce) == (village.document.node_id, "b" * 32)


async def test_only_an_exchange_may_be_repeated_word_for_word(city: City) -> None:
    village = await city.enrol()
    scan = village.sealed_scan(b"paper")
    await village.create_scan(scan)
    path = f"/v1/scans/{scan.name}"
    signed = village.signed("PATCH", path, patch_headers(0, scan.data), scan.data)
    answers = [await city.client.patch(path, headers=signed, content=scan.data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 425]


async def test_a_stale_signature_is_told_the_time(city: City) -> None:
    village = await city.enrol()
    body = write_request(ExchangeHead(node=village.document.node_id, nonce="c" * 32, feed_cursor=0), [])
    signed = sign_request(
        method="POST",
        url="http://city.test/v1/exchange",
        headers={"content-type": CONTENT_TYPE},
        body=body,
        node_id=village.document.node_id,
        transport_key=village.transport,
        created=city.clock().replace(year=1970),
        nonce="c" * 32,
    )
    answer = await city.client.post("/v1/exchange", content=body, headers=signed)
    refusal = read_refusal(answer.json(), city.gateway.keys.signing.public)
    assert (refusal.code, refusal.server_time) == ("request.stale", city.clock())


async def test_a_node_cannot_speak_for_another(city: City) -> None:
    village, other = await city.enrol(), await city.enrol(site=OTHER_VILLAGE)
    with pytest.raises(Refused) as refused:
        await village.exchange(node=other.document.node_id)
    assert refused.value.code == "request.other_node"


async def test_a_stopped_identity_stores_no_scans_and_reads_none(city: City) -> None:
    village = await city.enrol()
    _, first = village.collect()
    await village.exchange(first)
    village.head = Head(1, bytes(32))
    with pytest.raises(Refused):
        await village.exchange(village.collect()[1])
    city.clock.forward(seconds=10)
    answer = await village.create_scan(village.sealed_scan(b"paper"))
    assert (answer.status_code, list(city.gateway.folder.scan_parts.iterdir())) == (403, [])


async def test_what_is_remembered_of_a_node_may_grow_old_while_it_is_asked(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    village = await city.enrol()
    monkeypatch.setattr(access, "REMEMBERED_FOR", timedelta(0))
    assert (await village.create_scan(village.sealed_scan(b"paper"))).status_code == 201
    assert (await village.exchange()).receipt.hwm == 0
