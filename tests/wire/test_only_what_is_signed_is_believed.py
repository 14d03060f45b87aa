"""Documents, receipts, refusals, notes, frames and canonical JSON: exact, or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.canonical import b64, canonical_json, read_json, unb64
from wire.errors import (
    MalformedMessage,
    NotCanonical,
    NotForThisKey,
    Replayed,
    Tampered,
    TooLarge,
    Truncated,
    WireError,
    WronglyAddressed,
    WrongSignature,
)
from wire.frames import pack, unpack
from wire.messages import Refusal, read_refusal, sign_refusal
from wire.receipt import Receipt, page_hash, read_receipt, sign_receipt
from wire.sealed_note import open_note, seal_note
from wire.signed import read_document, sign_document

pytestmark = pytest.mark.fast

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
NODE, NONCE = "0a" * 16, "0b" * 16


def receipt_of(**other: object) -> Receipt:
    parts = {
        "gateway": "01" * 16,
        "epoch": "02" * 16,
        "node": NODE,
        "hwm": 4,
        "head_hash": "03" * 32,
        "stable_hwm": 2,
        "server_time": datetime(2026, 11, 23, tzinfo=UTC),
        "nonce": NONCE,
        "feed_head": 0,
        "feed_more": False,
        "page_hash": page_hash([]),
    }
    return Receipt(**(parts | other))


@given(value=PLAIN)
def test_canonical_json_has_one_spelling(value: object) -> None:
    if "\\ud" in json.dumps(value).lower():
        return
    data = canonical_json(value)
    assert canonical_json(read_json(data)) == data


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), {1, 2}, "\ud800", b"bytes", datetime(2026, 1, 1, tzinfo=UTC)]
)
def test_what_has_no_canonical_form_is_refused(bad: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_json({"value": bad})


@pytest.mark.parametrize(
    "bad", [b"", b"{", b'{"a":1,"a":2}', b"NaN", b"\xff", b"[" * 100_000, b'{"n":' + b"9" * 5000 + b"}"]
)
def test_ambiguous_or_hostile_json_is_refused(bad: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_json(bad)


@given(data=st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    assert unb64(b64(data)) == data
    for wrong in (b64(data) + "\n", b64(data) + "=", " " + b64(data), "AB=="):
        with pytest.raises(ValueError):
            unb64(wrong)


@given(frames=st.lists(st.binary(max_size=50), max_size=6))
def test_frames_come_out_as_they_went_in_and_no_other_bytes_are_frames(frames: list[bytes]) -> None:
    data = pack(frames)
    assert unpack(data, len(data)) == frames
    if data:
        with pytest.raises(Truncated):
            unpack(data[:-1], len(data))
        with pytest.raises(TooLarge):
            unpack(data, len(data) - 1)


def test_a_document_is_read_only_under_its_label_and_key(people) -> None:
    document = sign_document("one", {"a": 1}, people.gateway)
    assert read_document("one", document, people.gateway.public) == {"a": 1}
    with pytest.raises(WrongSignature):
        read_document("two", document, people.gateway.public)
    with pytest.raises(WrongSignature):
        read_document("one", document, people.node.public)


@given(place=st.sampled_from(["payload", "key", "sig"]), data=st.data())
def test_every_flipped_bit_of_a_document_is_refused(people, place: str, data: st.DataObject) -> None:
    document = sign_document("one", {"amount": 100}, people.gateway)
    raw = bytearray(unb64(document[place]))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        read_document("one", document | {place: b64(bytes(raw))}, people.gateway.public)


@pytest.mark.parametrize("bad", [None, [], "text", {}, {"payload": 1, "key": "", "sig": ""}, {"payload": "?"}])
def test_what_is_no_document_is_malformed(people, bad: object) -> None:
    with pytest.raises(MalformedMessage):
        read_document("one", bad, people.gateway.public)


def test_a_signed_list_is_not_a_document(people) -> None:
    data = canonical_json([1])
    signed = {"payload": b64(data), "key": sign_document("x", {}, people.gateway)["key"]}
    with pytest.raises(MalformedMessage):
        read_document("x", signed | {"sig": b64(people.gateway.sign("x", data))}, people.gateway.public)


def test_a_receipt_is_for_one_node_one_question_and_one_page(people) -> None:
    document = sign_receipt(receipt_of(page_hash=page_hash([b"one"])), people.gateway)
    public = people.gateway.public
    assert read_receipt(document, public, node=NODE, nonce=NONCE, feed=[b"one"]).head.seq == 4
    with pytest.raises(WronglyAddressed):
        read_receipt(document, public, node="ff" * 16, nonce=NONCE)
    with pytest.raises(Replayed):
        read_receipt(document, public, node=NODE, nonce="ff" * 16)
    with pytest.raises(Tampered):
        read_receipt(document, public, node=NODE, nonce=NONCE, feed=[b"two"])
    with pytest.raises(WrongSignature):
        read_receipt(sign_receipt(receipt_of(), people.node), public, node=NODE)


def test_a_page_cut_differently_is_another_page() -> None:
    assert page_hash([b"ab", b"c"]) != page_hash([b"a", b"bc"])


def test_unknown_fields_of_a_newer_city_are_ignored_and_wrong_types_are_not(people) -> None:
    plain = receipt_of().model_dump(mode="json")
    newer = sign_document("receipt", plain | {"weather": "rain"}, people.gateway)
    assert read_receipt(newer, people.gateway.public, node=NODE).hwm == 4
    for wrong in (
        {"hwm": "4"},
        {"hwm": -1},
        {"head_hash": "zz"},
        {"feed_more": 1},
        {"server_time": "2026-11-23T00:00:00"},
    ):
        with pytest.raises(MalformedMessage):
            read_receipt(sign_document("receipt", plain | wrong, people.gateway), people.gateway.public, node=NODE)


def test_a_malformed_message_tells_the_place_and_never_the_content(people) -> None:
    plain = receipt_of().model_dump(mode="json") | {"node": "张测试 13800000001"}
    with pytest.raises(MalformedMessage) as told:
        read_receipt(sign_document("receipt", plain, people.gateway), people.gateway.public, node=NODE)
    assert told.value.where == "node"
    assert "张测试" not in f"{told.value}{told.value!r}{told.value.params()}"
    assert told.value.__cause__ is None


def test_a_refusal_cannot_pass_for_a_receipt(people) -> None:
    refusal = Refusal(code="envelope.gap", server_time=datetime(2026, 11, 23, tzinfo=UTC))
    document = sign_refusal(refusal, people.gateway)
    assert read_refusal(document, people.gateway.public) == refusal
    with pytest.raises(WrongSignature):
        read_receipt(document, people.gateway.public, node=NODE)


@given(plain=st.binary(max_size=200))
def test_a_note_opens_for_its_reader_and_purpose_only(people, plain: bytes) -> None:
    note = seal_note("rating", plain, people.city.public)
    assert open_note("rating", note, people.reserve, people.city) == plain
    with pytest.raises(NotForThisKey):
        open_note("rating", note, people.stranger)
    with pytest.raises(Tampered):
        open_note("recovery", note, people.city)
    for bit in range(len(note) * 8):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            open_note("rating", bytes(changed), people.city)
