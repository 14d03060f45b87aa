"""A sealed scan is read back whole and unchanged, or the reading ends in an error."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wire.errors import (
    NotAScan,
    NotForThisKey,
    Tampered,
    TrailingBytes,
    Truncated,
    UnknownSuite,
    UnknownVersion,
    WireError,
)
from wire.scan import (
    CHUNK_BYTES,
    SCAN_HEADER_MAX,
    ScanSealer,
    content_key_of,
    open_scan,
    read_scan_header,
    rewrap_scan,
    sealed_length,
    unwrap_scan,
)

pytestmark = pytest.mark.fast

SEALED_CHUNK = CHUNK_BYTES + 16


def seal_all(people, plain: bytes, *, readers: int = 1) -> tuple[bytes, ScanSealer]:
    sealer = ScanSealer([key.public for key in (people.city, people.reserve)][:readers])
    return sealer.update(plain) + sealer.finish(), sealer


def read_all(data: bytes, key: bytes, length: int | None = None, piece: int = 10**9) -> bytes:
    return b"".join(open_scan((data[at : at + piece] for at in range(0, len(data), piece)), key, length))


@given(
    length=st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 150_000]),
    taken=st.integers(1, 100_000),
    given_in=st.integers(50, 100_000),
    readers=st.integers(1, 2),
)
@settings(max_examples=40)
def test_pieces_of_any_size_give_the_same_scan(people, length: int, taken: int, given_in: int, readers: int) -> None:
    plain = random.Random(length).randbytes(length)
    sealer = ScanSealer([people.city.public, people.reserve.public][:readers])
    data = b"".join(sealer.update(plain[at : at + taken]) for at in range(0, length, taken)) + sealer.finish()
    assert len(data) == sealer.length == sealed_length(length, readers)
    assert sealer.scan_hash == hashlib.sha256(data).hexdigest()
    assert read_all(data, content_key_of(data, people.city), len(data), given_in) == plain


def test_every_flipped_bit_of_header_and_tags_is_refused_and_any_flip_elsewhere(people) -> None:
    data, sealer = seal_all(people, bytes(100))
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            read_all(bytes(changed), content_key_of(bytes(changed), people.city))
        with pytest.raises(WireError):
            read_all(bytes(changed), sealer.content_key)


@given(bit=st.integers(0, 8 * sealed_length(140_000) - 1))
def test_a_flip_anywhere_in_a_long_scan_is_refused(people, bit: int) -> None:
    data, sealer = seal_all(people, bytes(140_000))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError):
        read_all(bytes(changed), sealer.content_key)


@given(cut=st.integers(0, sealed_length(140_000) - 1))
def test_a_truncated_scan_is_refused_and_called_truncated_when_its_length_is_known(people, cut: int) -> None:
    data, sealer = seal_all(people, bytes(140_000))
    with pytest.raises(WireError):
        read_all(data[:cut], sealer.content_key)
    with pytest.raises(Truncated):
        read_all(data[:cut], sealer.content_key, len(data))


def test_a_cut_between_chunks_is_called_truncated_even_without_a_length(people) -> None:
    data, sealer = seal_all(people, bytes(3 * CHUNK_BYTES))
    start = len(sealer.header)
    with pytest.raises(Truncated):
        read_all(data[: start + SEALED_CHUNK], sealer.content_key)


def test_reordered_doubled_dropped_and_appended_chunks_are_refused(people) -> None:
    data, sealer = seal_all(people, bytes(3 * CHUNK_BYTES + 5))
    start = len(sealer.header)
    head = data[:start]
    chunks = [data[at : at + SEALED_CHUNK] for at in range(start, len(data), SEALED_CHUNK)]
    for order in ([1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 2, 3, 3]):
        with pytest.raises((Tampered, Truncated, TrailingBytes)):
            read_all(head + b"".join(chunks[number] for number in order), sealer.content_key)
    with pytest.raises((TrailingBytes, Tampered)):
        read_all(data + b"\0", sealer.content_key)
    with pytest.raises(TrailingBytes):
        read_all(data + b"\0", sealer.content_key, len(data))
    whole, one = seal_all(people, bytes(CHUNK_BYTES))
    with pytest.raises(TrailingBytes):
        read_all(whole + bytes(100), one.content_key)


def test_chunks_of_another_scan_do_not_fit_even_under_the_same_key(people) -> None:
    same = bytes(range(32)) + bytes(16)
    one = ScanSealer([people.city.public], lambda count: same[:count])
    two = ScanSealer([people.city.public], lambda count: same[:count])
    a, b = one.update(b"one") + one.finish(), two.update(b"two") + two.finish()
    with pytest.raises(Tampered):
        read_all(a[: len(one.header)] + b[len(two.header) :], one.content_key)


def test_what_was_yielded_before_the_error_is_authentic(people) -> None:
    plain = random.Random(1).randbytes(2 * CHUNK_BYTES + 9)
    data, sealer = seal_all(people, plain)
    seen = b""
    with pytest.raises(WireError):  # noqa: PT012 - what came before the error is looked at
        for piece in open_scan([data[:-1]], sealer.content_key):
            seen += piece
    assert plain.startswith(seen)
    assert len(seen) == 2 * CHUNK_BYTES


def test_a_new_reader_gets_a_wrap_of_the_same_key(people) -> None:
    data, sealer = seal_all(people, b"paper", readers=2)
    header = data[:SCAN_HEADER_MAX]
    wrap = rewrap_scan(header, content_key_of(header, people.reserve), people.township.public)
    assert unwrap_scan(header, wrap, people.township) == sealer.content_key
    with pytest.raises(Tampered):
        unwrap_scan(header, wrap, people.stranger)
    with pytest.raises(Tampered):
        unwrap_scan(seal_all(people, b"other")[0], wrap, people.township)


def test_a_stranger_a_newer_version_and_noise_have_their_own_errors(people) -> None:
    data, _ = seal_all(people, b"paper")
    with pytest.raises(NotForThisKey):
        content_key_of(data, people.stranger)
    for at, value, error in ((0, 0, NotAScan), (4, 2, UnknownVersion), (5, 2, UnknownSuite), (6, 0, NotAScan)):
        changed = bytearray(data)
        changed[at] = value
        with pytest.raises(error):
            read_scan_header(bytes(changed))


def test_a_finished_sealer_takes_nothing_more_and_an_unfinished_one_has_no_name(people) -> None:
    sealer = ScanSealer([people.city.public])
    with pytest.raises(RuntimeError):
        _ = sealer.scan_hash
    sealer.finish()
    with pytest.raises(RuntimeError):
        sealer.update(b"more")


def test_at_most_one_chunk_is_held(people) -> None:
    sealer = ScanSealer([people.city.public])
    given_out = len(sealer.update(bytes(10 * CHUNK_BYTES)))
    assert given_out == len(sealer.header) + 9 * SEALED_CHUNK
