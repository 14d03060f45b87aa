"""A village that reaches only its township: bags go up, signed answers come down, nothing else is believed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.mailbox.line import LineState
from offline_store.mailbox.waiting import alarms_of
from sync_agent.commands import app
from tests.simulators import flaky_road
from tests.simulators.post import SCAN_BYTES, effects, stored_at
from tests.simulators.relayed import Relayed, relayed
from wire.messages import read_refusal

pytestmark = pytest.mark.node
MIB = 1024 * 1024
NOTHING_SAID = "乡镇节点没有应答，或没有收下"


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync_agent.retry.FIRST_WAIT_S", 0.0)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Relayed]:
    async with relayed(tmp_path) as made:
        yield made


async def test_what_was_saved_goes_over_the_township_and_the_answer_comes_back(world: Relayed) -> None:
    world.post.file(os.urandom(SCAN_BYTES), b"small")
    world.post.file()
    handed = await world.hand_over()
    assert (handed.handed, handed.why) == (1, None)
    assert len(world.bags.waiting()) == 1
    forwarded = await world.forward()
    assert forwarded.bags == 1
    assert world.bags.waiting() == []
    assert (await world.hand_over()).news
    world.post.everything_arrived_once()


async def test_a_bag_at_the_relay_is_not_sent(world: Relayed) -> None:
    world.post.file(b"page")
    await world.hand_over()
    assert world.post.receipt() is None
    assert world.post.incoming.stored_scans() == []
    assert len(world.post.outgoing.scan_tickets()) == 1


async def test_large_scans_go_in_several_bags_and_on_after_a_cut(world: Relayed) -> None:
    world.post.file(os.urandom(9 * MIB))
    world.lan.expect(flaky_road.cuts_the_request(100_000), method="POST")
    assert (await world.hand_over()).handed == 0
    handed = (await world.hand_over()).handed
    assert handed == 3
    await world.forward()
    await world.hand_over()
    world.post.everything_arrived_once()


async def test_the_same_question_is_not_asked_again_at_once(world: Relayed) -> None:
    world.post.file()
    assert [(await world.hand_over()).handed for _ in range(3)] == [1, 0, 0]
    world.later(minutes=11)
    assert (await world.hand_over()).handed == 1
    world.post.file()
    assert world.road.saved_something()
    assert (await world.hand_over()).handed == 1


async def test_an_answer_that_is_known_is_not_sent_again(world: Relayed) -> None:
    world.post.file()
    await world.drain()
    seen = len(world.lan.passed)
    await world.hand_over()
    (asked,) = [one for one in world.lan.passed[seen:] if one.method == "GET"]
    assert asked.status == 304


async def test_when_the_city_does_not_answer_the_bag_stays_and_goes_later(world: Relayed) -> None:
    world.post.file(b"page")
    await world.hand_over()
    for mishap in (
        flaky_road.no_line(),
        flaky_road.portal(),
        flaky_road.answers(503),
        flaky_road.answers(409, text="{}"),
        flaky_road.loses_the_answer(),
        flaky_road.truncates_the_answer(700),
    ):
        world.line.always(mishap)
        forwarded = await world.forward()
        assert (forwarded.bags, forwarded.why is not None, len(world.bags.waiting())) == (0, True, 1)
        world.later(minutes=20)  # the bag's rest is over, and the next mishap meets it
    world.line.always(None)
    await world.drain()
    world.post.everything_arrived_once()


async def test_what_the_line_sent_and_what_the_relay_sent_are_one(world: Relayed) -> None:
    world.post.file(os.urandom(30_000))
    await world.hand_over()
    await world.post.drain()
    await world.forward()
    await world.hand_over()
    world.post.everything_arrived_once()
    assert len(effects(world.post.city.gateway.ledger)) == 1


async def test_a_stopped_village_hears_of_it_over_the_relay(world: Relayed) -> None:
    from city_gateway.ledger import nodes

    world.post.file()
    node_id = world.post.node.document.node_id
    with world.post.city.gateway.ledger.transaction() as tx:
        nodes.stop(tx, node_id, "revoked")
    await world.hand_over()
    await world.forward()
    await world.hand_over()
    refusal = world.post.incoming.refusal()
    assert refusal is not None
    assert world.post.receipt() is None
    assert effects(world.post.city.gateway.ledger) == []


async def test_a_village_whose_enrolment_is_long_over_hears_of_it_and_its_bag_is_dropped(world: Relayed) -> None:
    world.post.file(b"page")
    world.post.city.serves_until(world.post.node.document.valid_to + timedelta(days=401))
    await world.hand_over()
    forwarded = await world.forward()
    assert (forwarded.bags, forwarded.why, world.bags.waiting()) == (1, None, [])
    assert (await world.hand_over()).news
    public = world.post.node.document.gateway.signing_public
    refusal = read_refusal(world.post.incoming.refusal(), public)
    assert (refusal.code, refusal.node) == ("enrolment.over", world.post.node.document.node_id)
    assert alarms_of(world.post.incoming, world.post.node.document) == {"city_refused"}, "the screens show it"
    assert world.post.receipt() is None
    assert (effects(world.post.city.gateway.ledger), stored_at(world.post.city)) == ([], set())
    assert len(world.post.outgoing.scan_tickets()) == 1, "the node keeps everything, for when it is enrolled anew"


async def test_a_city_of_an_earlier_day_is_told_again_over_the_relay(world: Relayed) -> None:
    import sqlalchemy as sa

    from city_gateway.ledger.tables import NODES

    world.post.file()
    await world.drain()
    world.post.file()
    with world.post.city.gateway.ledger.transaction() as tx:  # the ledger is of a day before everything
        tx.execute(sa.update(NODES).values(hwm=0, head_hash=bytes(32)))
    world.post.city.clock.forward(minutes=1)  # what says less is obeyed only when it is newer
    await world.hand_over()
    await world.forward()
    await world.hand_over()
    receipt = world.post.receipt()
    assert receipt is not None
    assert receipt.hwm == 0, "the node obeys the mark even backwards, and sends from there"


@pytest.mark.parametrize(
    ("mishap", "code", "told"),
    [
        (None, "relay.full", "乡镇节点代转的地方满了"),
        (
            flaky_road.answers(507, text='{"error": {"code": "relay.pay_first"}}'),
            "relay.http_507",
            NOTHING_SAID,
        ),
        (flaky_road.portal(), "relay.http_200", NOTHING_SAID),
        (flaky_road.answers(502, text="x" * 100_000), "relay.http_502", NOTHING_SAID),
        (flaky_road.answers(422, text="[" * 10_000), "relay.http_422", NOTHING_SAID),
    ],
)
async def test_why_a_bag_was_not_taken_is_told_by_the_relays_own_code_and_by_no_other(
    world: Relayed, mishap: flaky_road.Mishap | None, code: str, told: str
) -> None:
    world.counter.limits = replace(world.counter.limits, relay_bytes=1)
    if mishap is not None:
        world.lan.expect(mishap, method="POST")
    world.post.file()
    heard = await world.hand_over()
    assert (heard.handed, heard.why) == (0, code)
    world.post.incoming.put_line(LineState(relay_problem=heard.why))
    shown = CliRunner().invoke(app, ["status", "--root", str(world.post.paths.root)]).output
    assert told in shown
    assert f"（代码 {code}）" in shown
