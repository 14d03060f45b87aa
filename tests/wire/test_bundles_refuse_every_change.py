"""A bundle is what its signer laid into it, for its addressee, whole; anything else is refused by a named reason."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from wire.bundle import (
    MAIL,
    SCAN,
    Part,
    UpInventory,
    catalog_part,
    check_body,
    checked,
    claimed_node,
    mail_parts,
    open_body,
    part_of,
    read_catalog_part,
    read_down,
    read_mail,
    read_up,
    sign_up,
    write_body,
)
from wire.errors import (
    MalformedMessage,
    Tampered,
    TrailingBytes,
    Truncated,
    WireError,
    WronglyAddressed,
    WrongSignature,
)
from wire.keys import SigningKey

pytestmark = pytest.mark.fast

KEY, OTHER = SigningKey.from_bytes(b"k" * 32), SigningKey.from_bytes(b"o" * 32)
NODE, CITY = "1a" * 16, "2b" * 16
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def made(*parts: bytes) -> tuple[dict[str, str], list[bytes]]:
    inventory = UpInventory(
        node=NODE, gateway=CITY, number=1, made_at=NOON, feed_cursor=0, parts=[part_of(MAIL, one) for one in parts]
    )
    return sign_up(inventory, KEY), list(parts)


def read(body: bytes) -> UpInventory:
    document, parts = open_body(body, 1_000_000)
    inventory = read_up(document, KEY.public, gateway=CITY)
    check_body(inventory.parts, parts)
    return inventory


def test_what_was_laid_in_is_read() -> None:
    document, parts = made(b"one", b"two")
    assert [part.length for part in read(write_body(document, parts)).parts] == [3, 3]
    assert claimed_node(document) == NODE


def test_every_bit_counts() -> None:
    document, parts = made(b"some mail", b"more mail")
    body = write_body(document, parts)
    rng = random.Random(3)
    for _ in range(400):
        at = rng.randrange(len(body) * 8)
        changed = bytearray(body)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(WireError):
            read(bytes(changed))


def test_every_length_is_too_short_or_too_long() -> None:
    document, parts = made(b"some mail")
    body = write_body(document, parts)
    for cut in range(len(body)):
        with pytest.raises(WireError):
            read(body[:cut])
    with pytest.raises(WireError):
        read(body + b"\0")
    with pytest.raises(TrailingBytes):
        read(write_body(document, [*parts, b"one more"]))
    with pytest.raises(Truncated):
        read(write_body(document, []))


def test_another_signer_another_addressee_another_way() -> None:
    document, _ = made(b"mail")
    with pytest.raises(WrongSignature):
        read_up(document, OTHER.public, gateway=CITY)
    with pytest.raises(WronglyAddressed):
        read_up(document, KEY.public, gateway="3c" * 16)
    with pytest.raises(WrongSignature):
        read_down(document, KEY.public, node=NODE)


def test_a_part_says_by_what_it_was_spoiled() -> None:
    part = part_of(MAIL, b"abcdef")
    for spoiled, reason in ((b"abcde", Truncated), (b"abcdefg", TrailingBytes), (b"abcdeF", Tampered)):
        with pytest.raises(reason):
            b"".join(checked(part, [spoiled]))
    assert b"".join(checked(part, [b"abc", b"", b"def"])) == b"abcdef"


@pytest.mark.parametrize("where", [{"offset": 8, "total": 10}, {"offset": 0, "total": 2}, {"scan": None, "total": 10}])
def test_a_piece_that_does_not_lie_in_its_scan_is_refused(where: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="within"):
        Part(**{"kind": SCAN, "length": 3, "hash": "0" * 64, "scan": "1" * 64} | where)


def test_mail_in_several_parts_keeps_its_order() -> None:
    envelopes = [bytes([number]) * 3_000_000 for number in range(7)]
    parts = mail_parts(envelopes)
    assert len(parts) > 2
    assert read_mail(parts) == envelopes
    assert mail_parts([]) == []


def test_catalog_files_are_found_by_address() -> None:
    files = [("metadata/timestamp.json", b"{}"), ("targets/../../x", b"y")]
    assert read_catalog_part(catalog_part(files)) == dict(files)
    for broken in (b"", catalog_part(files)[:-1], write_body({"a": "b"}, [])):
        with pytest.raises(WireError):
            read_catalog_part(broken)


@pytest.mark.parametrize(
    "document", [{}, {"payload": "?"}, {"payload": "e30="}, [], None, {"payload": "eyJub2RlIjoieCJ9"}]
)
def test_who_does_not_say_whose_it_is_is_nobody(document: object) -> None:
    with pytest.raises(MalformedMessage):
        claimed_node(document)
