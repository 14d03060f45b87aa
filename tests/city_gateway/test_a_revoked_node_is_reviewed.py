"""What a revoked node did is stored and waits for a person: nothing of it is dropped, nothing applied by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from casework.states import State
from city_gateway.acts import parking
from city_gateway.catalog import publication
from city_gateway.ledger import cases, parked
from tests.city_gateway.catalog_world import RECIPIENT, SEED, passphrase_of
from tests.city_gateway.gateway_fixtures import City

pytestmark = pytest.mark.node


def publish(city: City, keys: Path, *revoked: str) -> None:
    folder = city.gateway.folder.root
    if not keys.exists():
        publication.begin(folder, keys, passphrase_of, datetime.now(UTC))
    wanted = publication.Wanted(
        source=SEED, recipients=[RECIPIENT], revocation_number=len(revoked), revoked_nodes=revoked
    )
    publication.publish(folder, keys, passphrase_of, wanted, datetime.now(UTC))


def state_of(city: City, application_id: str) -> State | None:
    with city.gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
    return case.application.state if case is not None else None


def waiting(city: City) -> dict[str, int]:
    with city.gateway.ledger.reading() as tx:
        return {application_id: count for application_id, count, _ in parked.waiting(tx)}


async def test_what_a_revoked_node_did_waits_until_a_person_decides(city: City, tmp_path: Path) -> None:
    village, other = await city.enrol(), await city.enrol("village", "511603106206")
    publish(city, tmp_path / "keys", village.document.node_id)
    stolen, envelope = village.collect()
    answer = await village.exchange(envelope)
    assert answer.receipt.hwm == 1, "stored like any other"
    assert (state_of(city, stolen), waiting(city)) == (None, {stolen: 1})
    honest, envelope = other.collect()
    await other.exchange(envelope)
    assert state_of(city, honest) is State.COLLECTED or state_of(city, honest) is State.SUBMITTED
    city.clock.forward(days=400)
    parking.unpark_missed(city.gateway)
    assert state_of(city, stolen) is None, "nothing is applied by itself, however long it waits"
    assert parking.decide(city.gateway, stolen) == 1
    assert state_of(city, stolen) is State.SUBMITTED
    assert waiting(city) == {}


async def test_a_node_that_is_revoked_later_keeps_what_it_did_before(city: City, tmp_path: Path) -> None:
    village = await city.enrol()
    publish(city, tmp_path / "keys")
    before, envelope = village.collect()
    await village.exchange(envelope)
    publish(city, tmp_path / "keys", village.document.node_id)
    withdrawn = village.act(village.event("withdrawn", reason="虚构"), application_id=before)
    await village.exchange(withdrawn)
    assert state_of(city, before) is State.SUBMITTED
    assert waiting(city) == {before: 1}
    parking.unpark_missed(city.gateway)
    assert waiting(city) == {before: 1}


async def test_a_list_that_cannot_be_read_sets_nobody_free(city: City, tmp_path: Path) -> None:
    village = await city.enrol()
    publish(city, tmp_path / "keys", village.document.node_id)
    assert city.gateway.revoked() == {village.document.node_id}
    timestamp = city.gateway.folder.catalog / "metadata" / "timestamp.json"
    timestamp.write_bytes(b"{")
    assert city.gateway.revoked() == {village.document.node_id}
    timestamp.unlink()
    assert city.gateway.revoked() == {village.document.node_id}
