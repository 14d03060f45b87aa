"""An envelope is opened exactly as it was sealed, by whom it was sealed for, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire import envelope as envelopes
from wire.envelope import (
    MAX_BODY_BYTES,
    Dictionary,
    Kind,
    envelope_hash,
    open_sealed,
    open_with_wrap,
    read_header,
    rewrap,
    seal,
    verify,
)
from wire.errors import (
    NotAnEnvelope,
    NotForThisKey,
    Tampered,
    TooLarge,
    TrailingBytes,
    Truncated,
    UnknownDictionary,
    UnknownKind,
    UnknownSuite,
    UnknownVersion,
    WireError,
    WronglyAddressed,
    WrongSignature,
)

pytestmark = pytest.mark.fast

WORDS = Dictionary(3, b'{"application_id":"events":[{"code":')


@given(body=st.binary(max_size=5000), seq=st.integers(1, 2**64 - 1), count=st.integers(1, 3), worded=st.booleans())
def test_what_is_sealed_is_what_is_opened(people, body: bytes, seq: int, count: int, worded: bool) -> None:
    readers = [people.city, people.reserve, people.township][:count]
    data = people.sealed(
        seq, body=body, recipients=[key.public for key in readers], **({"dictionary": WORDS} if worded else {})
    )
    for reader in readers:
        opened = open_sealed(data, recipient=reader, signer_public=people.node.public, dictionaries={3: WORDS})
        assert opened.body == body
        assert (opened.header.seq, opened.header.kind) == (seq, Kind.OPERATION)


def test_every_flipped_bit_is_refused(people) -> None:
    data = people.sealed(body=b'{"name":"synthetic"}', recipients=[people.city.public, people.reserve.public])
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            open_sealed(bytes(changed), recipient=people.city, signer_public=people.node.public)


def test_every_truncation_and_every_appended_byte_is_refused_as_such(people) -> None:
    data = people.sealed()
    for length in range(len(data)):
        with pytest.raises(Truncated):
            open_sealed(data[:length], recipient=people.city, signer_public=people.node.public)
    with pytest.raises(TrailingBytes):
        open_sealed(data + b"\0", recipient=people.city, signer_public=people.node.public)


@given(data=st.binary(max_size=600))
@settings(max_examples=300)
def test_noise_is_refused_without_a_crash(people, data: bytes) -> None:
    for start in (b"", b"GAEV\x01\x01\x01\x01"):
        with pytest.raises(WireError):
            open_sealed(start + data, recipient=people.city, signer_public=people.node.public)


@pytest.mark.parametrize(
    ("at", "value", "error"),
    [(0, 0, NotAnEnvelope), (4, 2, UnknownVersion), (5, 2, UnknownSuite), (6, 9, UnknownKind), (7, 0, NotAnEnvelope)],
)
def test_each_unknown_part_has_its_own_error(people, at: int, value: int, error: type[WireError]) -> None:
    data = bytearray(people.sealed())
    data[at] = value
    with pytest.raises(error):
        read_header(bytes(data))


def test_a_signature_of_somebody_else_is_refused_before_anything_is_opened(people) -> None:
    with pytest.raises(WrongSignature):
        open_sealed(people.sealed(signer=people.other_node), recipient=people.city, signer_public=people.node.public)


def test_a_signature_cannot_be_moved_to_another_envelope(people) -> None:
    one, two = people.sealed(body=b"a"), people.sealed(body=b"b")
    with pytest.raises(WrongSignature):
        verify(one[:-64] + two[-64:], people.node.public)


def test_a_key_that_is_not_named_cannot_open(people) -> None:
    with pytest.raises(NotForThisKey):
        open_sealed(people.sealed(), recipient=people.stranger, signer_public=people.node.public)


def test_a_new_reader_gets_a_wrap_and_the_bytes_stay_the_same(people) -> None:
    data = people.sealed(body=b"for the city")
    before = envelope_hash(data)
    opened = open_sealed(data, recipient=people.city, signer_public=people.node.public)
    wrap = rewrap(data, opened.content_key, people.township.public)
    again = open_with_wrap(data, wrap, recipient=people.township, signer_public=people.node.public)
    assert again.body == b"for the city"
    assert envelope_hash(data) == before


def test_a_wrap_serves_one_reader_and_one_envelope(people) -> None:
    data, other = people.sealed(1), people.sealed(2)
    key = open_sealed(data, recipient=people.city, signer_public=people.node.public).content_key
    wrap = rewrap(data, key, people.township.public)
    for bad in (wrap[:-1], b"", bytes(80), wrap + b"\0", rewrap(data, bytes(16), people.township.public)):
        with pytest.raises(Tampered):
            open_with_wrap(data, bad, recipient=people.township, signer_public=people.node.public)
    with pytest.raises(Tampered):
        open_with_wrap(data, wrap, recipient=people.stranger, signer_public=people.node.public)
    with pytest.raises(Tampered):
        open_with_wrap(other, wrap, recipient=people.township, signer_public=people.node.public)


def test_an_envelope_of_another_chain_or_kind_is_told_apart(people) -> None:
    header = read_header(people.sealed())
    header.must_be(Kind.OPERATION, Kind.AUDIT, node_id=people.node_id)
    with pytest.raises(WronglyAddressed):
        header.must_be(Kind.FEED, node_id=people.node_id)
    with pytest.raises(WronglyAddressed):
        header.must_be(Kind.OPERATION, node_id=bytes(16))


def test_a_missing_dictionary_is_a_reason_of_its_own_and_a_wrong_one_gives_nothing_false(people) -> None:
    data = people.sealed(body=b'{"application_id":1}', dictionary=WORDS)
    with pytest.raises(UnknownDictionary) as told:
        open_sealed(data, recipient=people.city, signer_public=people.node.public)
    assert told.value.dictionary == 3
    drifted = {3: Dictionary(3, WORDS.data.replace(b"application", b"applicatioN"))}
    with pytest.raises(Tampered):
        open_sealed(data, recipient=people.city, signer_public=people.node.public, dictionaries=drifted)


def test_a_bomb_is_refused_at_the_limit(people, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        people.sealed(body=bytes(MAX_BODY_BYTES + 1))
    monkeypatch.setattr(envelopes, "MAX_BODY_BYTES", 64 * MAX_BODY_BYTES)
    bomb = people.sealed(body=bytes(MAX_BODY_BYTES + 1))
    monkeypatch.undo()
    with pytest.raises(TooLarge):
        open_sealed(bomb, recipient=people.city, signer_public=people.node.public)


def test_the_same_body_is_never_sealed_to_the_same_bytes(people) -> None:
    assert people.sealed() != people.sealed()


def test_no_secret_shows_in_a_repr(people) -> None:
    opened = open_sealed(people.sealed(body=b"secret"), recipient=people.city, signer_public=people.node.public)
    shown = repr(opened) + repr(people.node) + repr(people.city)
    assert "secret" not in shown
    assert opened.content_key.hex() not in shown
    assert repr(opened.content_key) not in shown


def test_misuse_is_a_value_error(people) -> None:
    for wrong in ({"seq": 0}, {"node_id": b"short"}, {"recipients": []}, {"recipients": [people.city.public] * 17}):
        with pytest.raises(ValueError):
            seal(
                **(
                    {
                        "kind": Kind.OPERATION,
                        "node_id": people.node_id,
                        "seq": 1,
                        "prev": bytes(32),
                        "op_id": bytes(16),
                        "body": b"",
                        "recipients": [people.city.public],
                        "signer": people.node,
                    }
                    | wrong
                )
            )
