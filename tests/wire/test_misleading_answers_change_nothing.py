"""Whatever comes back from the road, only the gateway's signature for this question changes anything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.canonical import canonical_json
from wire.envelope import Kind
from wire.judgement import Accepted, Expected, Meaning, NotNow, Refused, judge, judge_refusal, meaning_of
from wire.messages import CONTENT_TYPE, Refusal, sign_refusal, write_reply
from wire.receipt import Receipt, page_hash, sign_receipt

pytestmark = pytest.mark.fast

NONCE = "0b" * 16
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
EXCHANGE = {"Content-Type": CONTENT_TYPE}
PORTAL = "<html><head><title>欢迎使用无线网络</title></head><body>请登录</body></html>".encode()
PASSING = [301, 302, 303, 307, 308, 401, 403, 404, 407, 408, 410, 421, 425, 429, 451, 500, 501, 502, 503, 504, 511]
FINAL = [400, 409, 413, 415, 422]


def expected_of(people, **other: object) -> Expected:
    parts = {"gateway_public": people.gateway.public, "node": people.node_id.hex(), "nonce": NONCE, "feed_cursor": 4}
    return Expected(**(parts | other))


def feed_of(people, *seqs: int, kind: Kind = Kind.FEED) -> list[bytes]:
    return [people.sealed(seq, kind=kind, signer=people.gateway) for seq in seqs]


def answer_of(people, feed: list[bytes] | None = None, signer=None, **other: object) -> bytes:
    feed = feed or []
    parts = {
        "gateway": "01" * 16,
        "epoch": "02" * 16,
        "node": people.node_id.hex(),
        "hwm": 3,
        "head_hash": "03" * 32,
        "stable_hwm": 0,
        "server_time": NOW,
        "nonce": NONCE,
        "feed_head": 4 + len(feed),
        "feed_more": False,
        "page_hash": page_hash(feed),
    }
    return write_reply(sign_receipt(Receipt(**(parts | other)), signer or people.gateway), feed)


def refusal_of(people, signer=None, **other: object) -> bytes:
    parts = {"code": "envelope.gap", "node": people.node_id.hex(), "nonce": NONCE, "server_time": NOW}
    return canonical_json(sign_refusal(Refusal(**(parts | other)), signer or people.gateway))


def test_a_signed_receipt_with_its_page_is_accepted(people) -> None:
    feed = feed_of(people, 5, 6)
    verdict = judge(200, EXCHANGE, answer_of(people, feed), expected_of(people))
    assert isinstance(verdict, Accepted)
    assert (verdict.receipt.hwm, verdict.feed) == (3, tuple(feed))


@pytest.mark.parametrize("status", [*PASSING, *FINAL, 200, 201, 204, 206, 0, 600])
@pytest.mark.parametrize("body", [b"", PORTAL, b'{"error":"no"}', b"{}", b"null", b"\xff\xfe", b"\x00\x00\x00\x01"])
@pytest.mark.parametrize("headers", [{}, EXCHANGE, {"content-type": "text/html"}, {"Location": "http://portal/"}])
def test_an_unsigned_answer_is_not_now_whatever_it_says(people, status: int, body: bytes, headers: dict) -> None:
    assert isinstance(judge(status, headers, body, expected_of(people)), NotNow)


@pytest.mark.parametrize("status", PASSING)
def test_a_passing_status_is_passing_even_when_the_gateway_signed_it(people, status: int) -> None:
    verdict = judge(status, {}, refusal_of(people, code="request.stale", retry_after=9), expected_of(people))
    assert verdict == NotNow("request.stale", 9, NOW)


@pytest.mark.parametrize("status", FINAL)
def test_a_final_status_is_final_only_with_the_gateways_own_words_to_this_question(people, status: int) -> None:
    expected = expected_of(people)
    verdict = judge(status, {}, refusal_of(people), expected)
    assert isinstance(verdict, Refused)
    assert verdict.code == "envelope.gap"
    for body in (
        refusal_of(people, signer=people.node),
        refusal_of(people, nonce="ff" * 16),
        refusal_of(people, node="ff" * 16),
        refusal_of(people, nonce=None, node=None),
        refusal_of(people)[:-1],
        answer_of(people),
    ):
        told = judge(status, {}, body, expected)
        assert told == NotNow(f"http_{status}")
        assert judge_refusal(status, {}, body, expected) == told


def test_a_receipt_for_another_node_question_page_or_by_another_key_is_not_now(people) -> None:
    expected = expected_of(people)
    feed = feed_of(people, 5)
    for body in (
        answer_of(people, nonce="ff" * 16),
        answer_of(people, node="ff" * 16),
        answer_of(people, signer=people.node),
        answer_of(people, page_hash=page_hash([b"other"])),
        answer_of(people, feed)[: -len(feed[0])],
        answer_of(people, feed) + b"\0",
        answer_of(people)[:-1],
        refusal_of(people),
    ):
        assert isinstance(judge(200, EXCHANGE, body, expected), NotNow)


def test_a_receipt_behind_a_wrong_content_type_or_status_is_not_now(people) -> None:
    body = answer_of(people)
    assert isinstance(judge(200, {"content-type": "application/json"}, body, expected_of(people)), NotNow)
    assert isinstance(judge(201, EXCHANGE, body, expected_of(people)), NotNow)
    assert isinstance(judge(200, {"CONTENT-TYPE": CONTENT_TYPE.upper() + "; v=1"}, body, expected_of(people)), Accepted)


@pytest.mark.parametrize("seqs", [(6,), (4,), (5, 7), (5, 5), (6, 5)])
def test_a_page_with_holes_or_out_of_order_is_not_now(people, seqs: tuple[int, ...]) -> None:
    assert isinstance(judge(200, EXCHANGE, answer_of(people, feed_of(people, *seqs)), expected_of(people)), NotNow)


def test_a_page_for_another_reader_or_of_another_kind_is_not_now(people) -> None:
    wrong = [feed_of(people, 5, kind=Kind.OPERATION), [people.sealed(5, kind=Kind.FEED, node_id=bytes(16))], [b"noise"]]
    for feed in wrong:
        assert isinstance(judge(200, EXCHANGE, answer_of(people, feed), expected_of(people)), NotNow)


@given(cut=st.integers(0, 10**6), flip=st.integers(0, 10**6))
def test_every_truncated_or_flipped_answer_is_not_now(people, cut: int, flip: int) -> None:
    body = answer_of(people, feed_of(people, 5))
    assert isinstance(judge(200, EXCHANGE, body[: cut % len(body)], expected_of(people)), NotNow)
    changed = bytearray(body)
    changed[flip % (8 * len(body)) // 8] ^= 1 << flip % 8
    assert isinstance(judge(200, EXCHANGE, bytes(changed), expected_of(people)), NotNow)


@given(status=st.integers(0, 999), body=st.binary(max_size=300))
def test_noise_is_not_now_without_a_crash(people, status: int, body: bytes) -> None:
    assert isinstance(judge(status, EXCHANGE, body, expected_of(people)), NotNow)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("30", 30),
        ("0", 0),
        ("999999", 3600),
        ("-1", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("٣", None),
        ("9" * 20, None),
    ],
)
def test_an_unsigned_wish_to_wait_is_bounded(people, said: str, heard: int | None) -> None:
    verdict = judge(503, {"Retry-After": said}, b"", expected_of(people))
    assert verdict == NotNow("http_503", heard)


def test_only_five_statuses_can_ever_be_final() -> None:
    assert [status for status in range(1000) if meaning_of(status) is Meaning.FINAL] == FINAL
