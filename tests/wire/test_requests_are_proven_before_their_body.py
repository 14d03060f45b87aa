"""RFC 9421 signatures of nodes: what is covered cannot be moved, changed or replayed late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.wire.proven import verify_request
from wire.errors import RequestChanged, RequestRefused, RequestStale, RequestUnsigned
from wire.http_signature import digest_of, sign_request
from wire.request_proof import BodyCheck, SignedBy

pytestmark = pytest.mark.fast

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOST, TARGET = "https://city.example", "/v1/scans/abc?part=1"
BODY = b"sealed bytes"
NODE = "0a" * 16


def signed_headers(people, **other: object) -> dict[str, str]:
    parts = {
        "method": "PATCH",
        "url": HOST + TARGET,
        "headers": {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "65536"},
        "body": BODY,
        "node_id": NODE,
        "transport_key": people.node,
        "created": NOW,
        "nonce": "0d" * 16,
    }
    return sign_request(**(parts | other))


def proven(people, headers: dict[str, str] | list[tuple[str, str]], **other: object) -> SignedBy:
    parts = {
        "method": "PATCH",
        "target": TARGET,
        "headers": headers.items() if isinstance(headers, dict) else headers,
        "public_of": {NODE: people.node.public}.get,
        "now": NOW,
    }
    return verify_request(**(parts | other))


def test_a_signed_request_tells_who_when_and_which_body(people) -> None:
    signed = proven(people, signed_headers(people))
    assert (signed.node_id, signed.created, signed.nonce) == (NODE, int(NOW.timestamp()), "0d" * 16)
    check = BodyCheck(signed)
    check.update(BODY[:4])
    check.update(BODY[4:])
    check.finish()


def test_header_case_and_other_headers_do_not_matter(people) -> None:
    lines = [(name.title(), value) for name, value in signed_headers(people).items()]
    proven(people, [*lines, ("User-Agent", "x"), ("X-Forwarded-For", "10.0.0.1")])


def test_a_relay_may_change_host_and_scheme(people) -> None:
    proven(people, signed_headers(people, url="http://127.0.0.1:8000" + TARGET))


def test_another_body_was_never_received(people) -> None:
    check = BodyCheck(proven(people, signed_headers(people)))
    check.update(BODY + b"!")
    with pytest.raises(RequestChanged):
        check.finish()


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"target": "/v1/scans/abd?part=1"},
        {"target": "/v1/scans/abc?part=2"},
        {"target": "/v1/scans/abc"},
    ],
)
def test_another_method_path_or_query_is_refused(people, change: dict) -> None:
    with pytest.raises(RequestUnsigned):
        proven(people, signed_headers(people), **change)


@pytest.mark.parametrize("name", ["upload-offset", "content-type", "content-digest"])
def test_a_covered_header_cannot_be_changed_or_taken_away(people, name: str) -> None:
    headers = signed_headers(people)
    with pytest.raises(RequestRefused):
        proven(people, headers | {name: digest_of(b"x") if name == "content-digest" else "0"})
    with pytest.raises(RequestRefused):
        proven(people, {key: value for key, value in headers.items() if key != name})


@pytest.mark.parametrize("name", ["upload-length", "range", "upload-metadata"])
def test_a_header_that_must_be_covered_cannot_be_added(people, name: str) -> None:
    with pytest.raises(RequestUnsigned):
        proven(people, signed_headers(people) | {name: "1"})


def test_a_doubled_header_is_refused(people) -> None:
    headers = list(signed_headers(people).items())
    for name in ("content-digest", "Signature-Input", "upload-offset"):
        doubled = [*headers, *[line for line in headers if line[0].lower() == name.lower()]]
        with pytest.raises(RequestUnsigned):
            proven(people, doubled)


def test_an_unknown_node_and_a_key_of_another_node_are_refused(people) -> None:
    headers = signed_headers(people)
    with pytest.raises(RequestUnsigned) as told:
        proven(people, headers, public_of=lambda _node: None)
    assert told.value.why == "unknown_node"
    with pytest.raises(RequestUnsigned):
        proven(people, headers, public_of=lambda _node: people.other_node.public)


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=-20000)])
def test_a_stale_request_says_how_far_the_clock_is_off(people, off: timedelta) -> None:
    with pytest.raises(RequestStale) as told:
        proven(people, signed_headers(people, created=NOW + off))
    assert told.value.off_by_s == int(-off.total_seconds())


def test_a_clock_within_the_window_is_good_enough(people) -> None:
    for off in (timedelta(minutes=-4), timedelta(minutes=4)):
        proven(people, signed_headers(people, created=NOW + off))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"signature-input": "node=()", "signature": "node=:AA==:"},
        {"signature-input": f'node=();keyid="{NODE}"', "signature": "node=:AA==:"},
        {"signature-input": f'node=();keyid="{NODE}";keyid="{NODE}"', "signature": "x"},
        {"signature-input": "\x00", "signature": "张"},
    ],
)
def test_what_is_no_signature_is_refused_without_a_crash(people, headers: dict) -> None:
    with pytest.raises(RequestUnsigned):
        proven(people, headers)


def test_a_signature_for_another_purpose_is_refused(people) -> None:
    headers = signed_headers(people)
    for old, new in (("guangan-node", "other"), ('nonce="0d', 'nonce="0e')):
        changed = {key: value.replace(old, new) for key, value in headers.items()}
        with pytest.raises(RequestUnsigned):
            proven(people, changed)
