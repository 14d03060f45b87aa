"""The township's relay: what it takes in, what it has no room for, and that it opens none of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from edge_node.acts import relaying, status
from edge_node.app import page_app
from edge_node.counter.counter import Counter
from edge_node.counter.errors import RelayClosed, RelayFull, RelayRefused, RelayTooLarge
from edge_node.routes import relay as door
from edge_node.routes.page_views import frame
from edge_node.wording import known, sentence
from offline_store.mailbox.line import LineState
from offline_store.relay.bags import Bags
from tests.edge_node.town import Town
from wire.bundle import (
    BUNDLE_TYPE,
    MAIL,
    RELAY_REFUSALS,
    DownInventory,
    UpInventory,
    part_of,
    sign_down,
    sign_up,
    write_body,
)
from wire.fields import NodeRole
from wire.keys import SigningKey

pytestmark = pytest.mark.node

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
VILLAGE = SigningKey.from_bytes(b"v" * 32)
CITY = SigningKey.from_bytes(b"c" * 32)


def township(town: Town, **limits: int) -> Counter:
    gateway = town.counter.node.gateway.model_copy(update={"signing_public": CITY.public})
    node = town.counter.node.model_copy(update={"role": NodeRole.TOWNSHIP, "gateway": gateway})
    return dataclasses.replace(
        town.counter, node=node, limits=dataclasses.replace(town.counter.limits, **limits), free_bytes=lambda _: 1 << 40
    )


def bag(
    counter: Counter, node: str = "a" * 32, *, key: SigningKey = VILLAGE, number: int = 1, size: int = 100
) -> bytes:
    mail = bytes(size)
    inventory = UpInventory(
        node=node,
        gateway=counter.node.gateway.id,
        number=number,
        made_at=NOON,
        feed_cursor=0,
        parts=[part_of(MAIL, mail)],
    )
    return write_body(sign_up(inventory, key), [mail])


def answered(counter: Counter, node: str, transport: SigningKey = VILLAGE) -> None:
    """The city answered for this node through this relay."""
    inventory = DownInventory(
        gateway=counter.node.gateway.id, node=node, made_at=NOON, feed_first=1, transport=transport.public
    )
    Bags(counter.paths.relay).put_down(node, write_body(sign_down(inventory, CITY), []))


def test_a_bag_waits_and_is_counted(town: Town) -> None:
    counter = township(town)
    name = relaying.take_bag(counter, bag(counter))
    assert relaying.take_bag(counter, bag(counter)) == name, "the same bag again is the same file"
    load = relaying.load(counter)
    assert (load.bags, load.villages) == (1, 1)
    shown = status.status(counter)
    assert (shown.relay_bags, shown.relay_bytes) == (1, load.bytes)
    (row,) = [part for part in frame(shown).parts if part.label == sentence("page.strip.relay")]
    assert "1" in row.text


def test_what_is_no_bag_is_refused(town: Town) -> None:
    counter = township(town)
    for body in (b"", b"{}", b"\0\0\0\x02{}", bag(counter)[:40]):
        with pytest.raises(RelayRefused):
            relaying.take_bag(counter, body)
    with pytest.raises(RelayTooLarge):
        relaying.take_bag(counter, bytes(relaying.BAG_MAX_BYTES + 1))
    assert relaying.load(counter).bags == 0


def test_a_bag_in_the_name_of_a_known_village_must_be_signed_by_it(town: Town) -> None:
    counter = township(town)
    answered(counter, "a" * 32)
    with pytest.raises(RelayRefused):
        relaying.take_bag(counter, bag(counter, key=SigningKey.from_bytes(b"x" * 32)))
    relaying.take_bag(counter, bag(counter))
    assert relaying.load(counter).bags == 1


def test_a_spoilt_bag_does_not_take_the_place_of_the_true_one(town: Town) -> None:
    counter = township(town)
    answered(counter, "a" * 32)
    true = bag(counter)
    for spoilt in (true[:-1] + b"x", true + b"\0\0\0\1x"):
        with pytest.raises(RelayRefused):
            relaying.take_bag(counter, spoilt)
    relaying.take_bag(counter, true)
    (lying,) = Bags(counter.paths.relay).waiting()
    assert lying.path.read_bytes() == true


def test_strangers_cannot_take_the_place_of_known_villages(town: Town) -> None:
    counter = township(town)
    answered(counter, "a" * 32)
    for number in range(relaying.STRANGERS_BAGS):
        relaying.take_bag(counter, bag(counter, f"{number:032x}", key=CITY))
    with pytest.raises(RelayFull):
        relaying.take_bag(counter, bag(counter, "f" * 32, key=CITY))
    relaying.take_bag(counter, bag(counter))


def test_one_village_cannot_fill_the_relay(town: Town) -> None:
    counter = township(town)
    answered(counter, "a" * 32)
    for number in range(1, relaying.VILLAGE_BAGS + 1):
        relaying.take_bag(counter, bag(counter, number=number))
    with pytest.raises(RelayFull):
        relaying.take_bag(counter, bag(counter, number=99))


def test_the_townships_own_reserve_is_never_touched(town: Town) -> None:
    counter = township(town)
    body = bag(counter)
    with pytest.raises(RelayFull):
        relaying.take_bag(
            dataclasses.replace(counter, free_bytes=lambda _: counter.limits.disk_reserve_bytes * 2), body
        )
    with pytest.raises(RelayFull):
        relaying.take_bag(township(town, relay_bytes=len(body) - 1), body)


def test_a_village_and_a_township_that_was_told_not_to_relay_nothing(town: Town) -> None:
    village = dataclasses.replace(town.counter, node=town.counter.node.model_copy(update={"role": NodeRole.VILLAGE}))
    for counter in (village, township(town, relay_bytes=0)):
        with pytest.raises(RelayClosed):
            relaying.take_bag(counter, b"")
        assert relaying.load(counter).bags == 0


async def test_the_door_takes_bags_and_hands_answers_out_under_the_pages_headers(town: Town, tmp_path: Path) -> None:
    counter = township(town)
    transport = httpx.ASGITransport(app=page_app(counter))
    async with httpx.AsyncClient(transport=transport, base_url="http://township.test") as village:
        large = bag(counter, size=3 * 1024 * 1024)
        taken = await village.post("/relay/bags", content=large, headers={"content-type": BUNDLE_TYPE})
        assert taken.status_code == 202
        refused = await village.post("/relay/bags", content=b"?")
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "relay.refused")
        assert refused.json()["error"]["message"] == sentence("error.relay.refused")
        assert (await village.get(f"/relay/answers/{'a' * 32}")).status_code == 204
        answered(counter, "a" * 32)
        found = await village.get(f"/relay/answers/{'a' * 32}")
        assert found.headers["content-type"] == BUNDLE_TYPE
        again = await village.get(f"/relay/answers/{'a' * 32}", headers={"if-none-match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for path in ("/relay/answers/..%2f..%2fenrolment", "/relay/answers/short", "/relay/bags/x"):
            assert (await village.get(path)).status_code in {303, 404, 405, 422}
        too_large = await village.post("/relay/bags", content=bytes(relaying.BAG_MAX_BYTES + 1))
        assert (too_large.status_code, too_large.json()["error"]["code"]) == (413, "relay.too_large")
        assert too_large.json()["error"]["message"] == "邮包超过8 MiB，没有收下"
    assert relaying.load(counter).bags == 1


def test_every_refusal_of_the_door_has_a_code_that_a_village_knows_and_a_sentence() -> None:
    assert {kind.code for kind in door.STATUS} == RELAY_REFUSALS
    assert [code for code in sorted(RELAY_REFUSALS) if not known(f"error.{code}")] == []


async def test_a_bag_that_comes_too_slowly_and_a_crowded_door_say_so_by_code(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = township(town)

    async def trickles() -> AsyncIterator[bytes]:
        yield b"?"
        await asyncio.sleep(60)

    monkeypatch.setattr(door, "SLOW_SECONDS", 0.05)
    transport = httpx.ASGITransport(app=page_app(counter))
    async with httpx.AsyncClient(transport=transport, base_url="http://township.test") as village:
        slow = await village.post("/relay/bags", content=trickles())
        assert (slow.status_code, slow.json()["error"]["code"]) == (408, "relay.slow")
        monkeypatch.setattr(door, "_places", asyncio.Semaphore(0))
        crowded = await village.post("/relay/bags", content=b"?")
        assert (crowded.status_code, crowded.json()["error"]["code"]) == (503, "relay.full")


@pytest.mark.parametrize(
    ("code", "why"),
    [("courier.bag_of_nobody", "市平台没有登记这个站点"), ("ReadTimeout", "市平台没有收下；能再送的自动再送")],
)
def test_the_page_says_in_words_and_by_code_why_a_villages_bag_did_not_go(town: Town, code: str, why: str) -> None:
    counter = township(town)
    assert [part for part in frame(status.status(counter)).parts if part.label == sentence("page.strip.relay")] == []
    counter.incoming.put_line(LineState(up=True, relay_problem=code))
    (row,) = [part for part in frame(status.status(counter)).parts if part.label == sentence("page.strip.relay")]
    assert why in row.text
    assert f"（代码 {code}）" in row.text
