"""Enrolment: one code, one machine, and the answer to a lost answer."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from casework.receipt_numbers import lane_of
from city_gateway.admission import WRONG_CODES_A_MINUTE
from city_gateway.errors import KeysExist, RegionRefused
from city_gateway.keys import load_keys, make_keys
from city_gateway.ledger.tables import ENROLMENT_CODES, NODES
from tests.city_gateway.gateway_fixtures import TOWNSHIP, VILLAGE, City, Refused
from wire.enrolment import read_code, read_enrolment
from wire.keys import SealingKey, SigningKey
from wire.messages import read_refusal

pytestmark = pytest.mark.node


def nodes_in(city: City) -> int:
    with city.gateway.ledger.reading() as tx:
        return int(tx.scalar(sa.select(sa.func.count()).select_from(NODES)) or 0)


async def test_a_machine_is_told_who_it_is_by_a_signed_document(city: City) -> None:
    village = await city.enrol("village", VILLAGE, "护安镇某村")
    document = village.document
    assert (document.role, document.site, document.region, document.township) == ("village", VILLAGE, VILLAGE, TOWNSHIP)
    assert (document.site_name, document.gateway_url) == ("护安镇某村", "http://city.test")
    assert document.identity_public == village.identity.public
    assert document.valid_to > city.clock()
    assert document.tuf_root is None


async def test_the_first_root_travels_with_the_document(city: City) -> None:
    metadata = city.gateway.folder.catalog / "metadata"
    metadata.mkdir(parents=True)
    (metadata / "1.root.json").write_bytes(b"{}")
    assert (await city.enrol()).document.tuf_root == b"{}"


async def test_twenty_machines_with_one_code_give_one_node(city: City) -> None:
    code = city.code()
    made = await asyncio.gather(*[city.enrol_with(code) for _ in range(20)], return_exceptions=True)
    refused = [one for one in made if isinstance(one, Refused)]
    assert len(refused) == 19
    assert {(one.status, one.code) for one in refused} == {(403, "enrolment.code_refused")}
    assert nodes_in(city) == 1


async def test_the_same_request_sent_again_gets_the_same_document(city: City) -> None:
    identity, sealing, transport = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
    body = await city.enrolment_body(city.code(), identity, sealing, transport)
    answers = [await city.client.post("/v1/enrol", content=body) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert read_enrolment(answers[0].json(), city.gateway.keys.signing.public).identity_public == identity.public
    assert nodes_in(city) == 1


async def test_an_expired_or_unknown_code_makes_no_node(city: City) -> None:
    expired = city.code(hours=1)
    city.clock.forward(hours=2)
    other_secret = city.code()
    with city.gateway.ledger.transaction() as tx:
        tx.execute(sa.delete(ENROLMENT_CODES).where(ENROLMENT_CODES.c.issued_at == city.clock()))
    for code in (expired, other_secret):
        with pytest.raises(Refused) as refused:
            await city.enrol_with(code)
        assert refused.value.code == "enrolment.code_refused"
    assert nodes_in(city) == 0


async def test_a_request_without_the_key_it_names_is_refused_and_the_code_stays_good(city: City) -> None:
    code = city.code()
    body = await city.enrolment_body(code, SigningKey.generate(), SealingKey.generate(), SigningKey.generate())
    broken = bytearray(body)
    broken[-1] ^= 1
    answer = await city.client.post("/v1/enrol", content=bytes(broken))
    refusal = read_refusal(answer.json(), city.gateway.keys.signing.public)
    assert (answer.status_code, refusal.code) == (422, "wire.tampered")
    assert (await city.enrol_with(code)).document.role == "village"


async def test_the_ledger_holds_no_code(city: City) -> None:
    secret = read_code(city.code()).secret
    with city.gateway.ledger.reading() as tx:
        rows = list(tx.execute(sa.select(ENROLMENT_CODES)).mappings())
    assert secret not in str(rows)
    assert len(rows) == 1


def test_a_village_stands_at_a_village_and_a_township_at_a_township(city: City) -> None:
    for role, site in (("village", TOWNSHIP), ("township", VILLAGE), ("village", "511603"), ("city", VILLAGE)):
        with pytest.raises(RegionRefused):
            city.code(role, site)


def test_keys_are_for_the_owner_only_and_never_overwritten(tmp_path, city: City) -> None:
    folder = tmp_path / "own-keys"
    made = make_keys(folder, lambda length: bytes(range(length)))
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(KeysExist):
        make_keys(folder, bytes)
    assert load_keys(folder).signing.public == made.signing.public


async def test_guessing_codes_is_slowed_down_and_enrolment_goes_on_later(city: City) -> None:
    wrong = city.code(hours=5)
    with city.gateway.ledger.transaction() as tx:
        tx.execute(sa.delete(ENROLMENT_CODES))
    again = city.code(hours=5)
    for _ in range(WRONG_CODES_A_MINUTE):
        with pytest.raises(Refused):
            await city.enrol_with(wrong)
    with pytest.raises(Refused) as busy:
        await city.enrol_with(again)
    assert (busy.value.status, busy.value.code) == (503, "gateway.busy")
    city.clock.forward(minutes=2)
    assert (await city.enrol_with(again)).document.role == "village"


async def test_machines_of_one_site_count_their_receipts_in_lanes_of_their_own(city: City) -> None:
    machines = [await city.enrol("village", VILLAGE) for _ in range(40)]
    lanes = [lane_of(one.document.node_id) for one in machines]
    assert len(set(lanes)) == len(lanes), "chance alone would give two of forty the same lane"
