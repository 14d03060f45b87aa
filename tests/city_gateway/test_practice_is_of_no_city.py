"""The city takes nothing of a practice store: its node is unknown, and its place cannot be enrolled."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from city_gateway.errors import RegionRefused
from city_gateway.ledger.tables import JOURNAL
from offline_store.desk import journal, keys
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, Refused
from tests.simulators.practice_beside import practice_beside
from wire.keys import SigningKey
from wire.practice import SITE

pytestmark = pytest.mark.node


def stored(city: City) -> int:
    with city.gateway.ledger.reading() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(JOURNAL)) or 0)


async def test_an_envelope_of_practice_is_refused_as_of_an_unknown_node(city: City, tmp_path: Path) -> None:
    with practice_beside(tmp_path) as both:
        practice = both.practice
        practice.collected()
        with practice.counter.desk.reading() as tx:
            envelope = journal.after(tx, 0, limit=100)[-1].envelope
            kept = keys.load(tx)
        assert envelope is not None
        # Everything a thief of the store could have, and a transport key of his own.
        document = practice.counter.node.model_copy(update={"gateway": (await city.enrol()).document.gateway})
        stolen = EnrolledNode(city, document, kept.identity, kept.sealing, SigningKey.generate())
        with pytest.raises(Refused) as refused:
            await stolen.exchange(envelope)
    assert (refused.value.status, refused.value.code) == (401, "request.unsigned")  # nobody here signs by this id
    assert stored(city) == 0
    village = await city.enrol()
    await village.exchange(village.collect()[1])  # the control: of a true node it is taken
    assert stored(city) == 1


async def test_a_true_node_cannot_bring_the_envelope_of_practice_either(city: City, tmp_path: Path) -> None:
    village = await city.enrol()
    with practice_beside(tmp_path) as both:
        both.practice.collected()
        with both.practice.counter.desk.reading() as tx:
            envelope = journal.after(tx, 0, limit=100)[-1].envelope
    assert envelope is not None
    with pytest.raises(Refused):
        await village.exchange(envelope)
    assert stored(city) == 0


async def test_no_code_is_issued_for_the_place_of_practice(city: City) -> None:
    with pytest.raises(RegionRefused):
        city.code(site=SITE)
    neighbour = str(int(SITE) - 1)
    assert city.code(site=neighbour)
