"""Renewal rides on the receipt: from 180 days before the end until 400 days after it, for the same keys, unasked."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from city_gateway.keys import load_keys, rotate_sealing
from city_gateway.ledger import nodes
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, Refused, results
from wire.enrolment import EnrolmentDocument, read_enrolment
from wire.errors import FORK

pytestmark = pytest.mark.node


async def asked(node: EnrolledNode, **head: object) -> EnrolmentDocument | None:
    """One exchange in which the node says until when its document holds; the new document, if one came."""
    said = {"enrolled_until": node.document.valid_to} | head
    got = await node.exchange(**said)
    renewal = got.receipt.renewal
    return read_enrolment(renewal, node.document.gateway.signing_public) if renewal else None


@pytest.mark.parametrize("days_after_the_end", [-179, -1, 0, 90, 399])
async def test_a_document_near_or_after_its_end_is_renewed_for_the_same_keys(
    city: City, days_after_the_end: int
) -> None:
    node = await city.enrol()
    city.serves_until(node.document.valid_to + timedelta(days=days_after_the_end))
    renewed = await asked(node)
    assert renewed is not None
    assert renewed.valid_to > city.clock.now + timedelta(days=700)
    same = {"node_id", "site", "role", "region", "township", "identity_public", "sealing_public", "transport_public"}
    assert renewed.model_dump(include=same) == node.document.model_dump(include=same)
    again = await asked(node)  # the answer was lost: the same end is told again
    assert again is not None
    assert again.valid_to == renewed.valid_to
    node.document = renewed
    assert await asked(node) is None


async def test_a_fresh_document_and_a_node_that_does_not_say_get_nothing(city: City) -> None:
    node = await city.enrol()
    assert await asked(node) is None
    city.clock.now = node.document.valid_to
    assert await asked(node, enrolled_until=None) is None


async def test_beyond_400_days_nothing_is_taken_and_nothing_is_final(city: City) -> None:
    node = await city.enrol()
    city.serves_until(node.document.valid_to + timedelta(days=401))
    _, envelope = node.collect()
    with pytest.raises(Refused) as refused:
        await node.exchange(envelope, enrolled_until=node.document.valid_to)
    assert (refused.value.status, refused.value.code) == (403, "enrolment.over")
    city.clock.now = node.document.valid_to
    assert results(await node.everything(envelope)) == ["applied"]


async def test_no_clock_of_the_city_that_jumps_ends_an_identity(city: City) -> None:
    node = await city.enrol()
    true, ahead = city.clock.now, node.document.valid_to + timedelta(days=2000)
    other = await city.enrol(site="511603106001")
    for _ in range(20):
        city.clock.now = ahead
        await other.exchange()
        city.clock.now = true
        await other.exchange()
    city.clock.now = ahead
    _, envelope = node.collect()
    assert results(await node.everything(envelope)) == ["applied"]


async def test_a_stopped_identity_is_not_renewed(city: City) -> None:
    node = await city.enrol()
    city.clock.now = node.document.valid_to
    with city.gateway.ledger.transaction() as tx:
        nodes.stop(tx, node.document.node_id, FORK)
    with pytest.raises(Refused) as refused:
        await asked(node)
    assert refused.value.code == "fork"


async def test_a_renewed_document_names_the_key_that_was_rotated_in(city: City) -> None:
    node = await city.enrol()
    rotate_sealing(city.gateway.folder.keys, os.urandom)
    city.gateway.keys.look_again()
    city.clock.now = node.document.valid_to
    renewed = await asked(node)
    assert renewed is not None
    newest = load_keys(city.gateway.folder.keys).newest_sealing.public
    assert renewed.gateway.sealing_publics == [newest, *node.document.gateway.sealing_publics]


async def test_a_running_gateway_opens_what_is_sealed_to_a_key_rotated_in_since(city: City) -> None:
    node = await city.enrol()
    before = len(city.gateway.keys.sealing)
    rotate_sealing(city.gateway.folder.keys, os.urandom)
    newest = load_keys(city.gateway.folder.keys).newest_sealing.public
    gateway = node.document.gateway.model_copy(update={"sealing_publics": [newest]})
    node.document = node.document.model_copy(update={"gateway": gateway})
    _, envelope = node.collect()
    assert results(await node.everything(envelope)) == ["applied"]
    assert len(city.gateway.keys.sealing) == before + 1
    other = await city.enrol(site="511603106001")
    assert other.document.gateway.sealing_publics[0] == newest


async def test_what_was_sealed_to_the_old_key_is_opened_after_the_rotation(city: City) -> None:
    node = await city.enrol()
    _, envelope = node.collect()
    rotate_sealing(city.gateway.folder.keys, os.urandom)
    city.gateway.keys.look_again()
    assert results(await node.everything(envelope)) == ["applied"]
    late = await city.enrol()  # another machine of the counter gets the old envelope with a wrap made now
    assert [entry.envelope for entry in await late.everything()] == [envelope]
