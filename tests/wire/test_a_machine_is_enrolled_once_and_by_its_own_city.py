"""Enrolment: the code names the gateway, the request is sealed and proven, the document is signed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.enrolment import (
    EnrolmentDocument,
    EnrolmentRequest,
    GatewayCard,
    GatewayIdentity,
    make_code,
    new_secret,
    open_request,
    read_card,
    read_code,
    read_enrolment,
    seal_request,
    secret_digest,
    sign_card,
    sign_enrolment,
)
from wire.errors import MalformedCode, MalformedMessage, NotForThisKey, WireError, WrongGateway, WrongSignature
from wire.keys import SigningKey

pytestmark = pytest.mark.fast

SECRET = "0A1B2C3D4E"


def card_of(people, key: SigningKey | None = None) -> GatewayCard:
    signing = key or people.gateway
    return GatewayCard(id="0c" * 16, signing_public=signing.public, sealing_publics=[people.city.public])


def request_of(people, **other: object) -> EnrolmentRequest:
    parts = {
        "code": read_code(make_code(SECRET, people.gateway.public)),
        "identity": people.node,
        "sealing": people.township.public,
        "transport": people.other_node.public,
        "nonce": "0d" * 16,
    }
    return EnrolmentRequest.make(**(parts | other))


@given(random=st.binary(min_size=7, max_size=7))
def test_a_code_survives_reading_aloud(people, random: bytes) -> None:
    secret = new_secret(lambda _count: random)
    text = make_code(secret, people.gateway.public)
    assert [len(group) for group in text.split("-")] == [5] * 6
    for heard in (text, text.lower(), text.replace("-", " "), text.replace("0", "o").replace("1", "l")):
        code = read_code(heard)
        assert code.secret == secret
        code.check_gateway(people.gateway.public)


@given(place=st.integers(0, 34), letter=st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_a_typing_mistake(people, place: int, letter: str) -> None:
    text = make_code(SECRET, people.gateway.public)
    if text[place] in {"-", letter}:
        return
    with pytest.raises(MalformedCode):
        read_code(text[:place] + letter + text[place + 1 :])


@pytest.mark.parametrize("bad", ["", "hello", "U" * 30, "0" * 30, "张" * 30, "1" * 1000])
def test_what_is_no_code_is_refused(bad: str) -> None:
    with pytest.raises(MalformedCode):
        read_code(bad)


def test_a_gateway_with_another_key_is_refused_before_the_secret_leaves(people) -> None:
    code = read_code(make_code(SECRET, people.gateway.public))
    assert read_card(sign_card(card_of(people), people.gateway), code).id == "0c" * 16
    with pytest.raises(WrongGateway):
        read_card(sign_card(card_of(people, people.other_node), people.other_node), code)
    forged = sign_card(card_of(people), people.other_node)
    with pytest.raises(WrongSignature):
        read_card(forged, code)
    for bad in ({}, {"payload": "x"}, {"payload": "e30=", "key": "", "sig": ""}, []):
        with pytest.raises(MalformedMessage):
            read_card(bad, code)


def test_only_the_gateway_reads_the_request(people) -> None:
    request = request_of(people)
    sealed = seal_request(request, people.city.public)
    assert SECRET.encode() not in sealed
    assert open_request(sealed, people.reserve, people.city) == request
    with pytest.raises(NotForThisKey):
        open_request(sealed, people.stranger)
    with pytest.raises(WireError):
        open_request(sealed[:-1], people.city)


def test_nobody_enrols_a_key_that_he_does_not_hold(people) -> None:
    request = request_of(people)
    for stolen in (
        {"identity_public": people.other_node.public},
        {"transport_public": bytes(32)},
        {"nonce": "0e" * 16},
    ):
        with pytest.raises(WrongSignature):
            open_request(seal_request(request.model_copy(update=stolen), people.city.public), people.city)


def test_the_secret_is_kept_as_a_digest_and_shown_nowhere(people) -> None:
    code = read_code(make_code(SECRET, people.gateway.public))
    assert SECRET not in repr(code) + repr(request_of(people))
    assert secret_digest(SECRET) != secret_digest(new_secret())
    assert len(secret_digest(SECRET)) == 32


def test_the_document_says_what_a_node_is_and_is_signed_by_the_city(people) -> None:
    document = EnrolmentDocument(
        node_id=people.node_id.hex(),
        site="511603106205",
        site_name="样例村便民服务室",
        role="village",
        region="511603106205",
        township="511603106000",
        valid_from=datetime(2026, 11, 23, tzinfo=UTC),
        valid_to=datetime(2027, 11, 23, tzinfo=UTC),
        identity_public=people.node.public,
        sealing_public=people.township.public,
        transport_public=people.other_node.public,
        gateway=GatewayIdentity(
            id="0c" * 16, signing_public=people.gateway.public, sealing_publics=[people.city.public]
        ),
        gateway_url="https://city.example",
        tuf_root=b'{"signed":{}}',
    )
    signed = sign_enrolment(document, people.gateway)
    assert read_enrolment(signed, people.gateway.public) == document
    with pytest.raises(WrongSignature):
        read_enrolment(signed, people.node.public)
