"""The door's own reader of signed requests and a general library reach the same verdict on every valid and every
changed request; where they differ it is the door that refuses, and only for the spelling."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.wire.library_prover import library_proves
from tests.wire.proven import verify_request
from wire.errors import RequestRefused, RequestUnsigned
from wire.http_signature import sign_request
from wire.keys import SigningKey
from wire.request_proof import ALWAYS_COVERED, COVERED_WHERE_PRESENT

pytestmark = pytest.mark.fast

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
KEY = SigningKey.from_bytes(bytes(range(32)))
NODE = "0a" * 16
VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F))
IN_PATH = "".join(sign for sign in VISIBLE if sign not in '%#?"<>[]\\^`{|}')
Lines = list[tuple[str, str]]
Asked = tuple[str, str, Lines]

targets = st.builds(
    lambda path, query: f"/v1/{path}" + (f"?{query}" if query else ""),
    st.text(IN_PATH, max_size=20),
    st.text(IN_PATH + "?", max_size=12),
)
plain = st.text(VISIBLE + " ", max_size=30).map(str.strip)
requests = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["POST", "PATCH", "GET", "HEAD", "DELETE"]),
        "target": targets,
        "headers": st.dictionaries(st.sampled_from(COVERED_WHERE_PRESENT), plain, max_size=5),
        "body": st.binary(max_size=20),
        "nonce": st.binary(min_size=16, max_size=16).map(bytes.hex),
    }
)


def signed(said: dict) -> Asked:
    headers = sign_request(
        method=said["method"],
        url="https://city.example" + said["target"],
        headers=said["headers"],
        body=said["body"],
        node_id=NODE,
        transport_key=KEY,
        created=NOW,
        nonce=said["nonce"],
    )
    return said["method"], said["target"], [*headers.items(), ("host", "city.example")]


def door_proves(method: str, target: str, headers: Lines) -> tuple[str, int, str] | None:
    try:
        found = verify_request(
            method=method, target=target, headers=headers, public_of=lambda _node: KEY.public, now=NOW
        )
    except RequestRefused:
        return None
    return found.node_id, found.created, found.nonce


@settings(max_examples=80, deadline=None)
@given(requests)
def test_both_believe_what_a_node_signed(said: dict) -> None:
    method, target, headers = signed(said)
    expected = (NODE, int(NOW.timestamp()), said["nonce"])
    assert door_proves(method, target, headers) == expected
    assert library_proves(method, target, headers, KEY.public) == expected


def _one_line(change: Callable[[str, str], tuple[str, str] | None]) -> Callable[[Asked, int], Asked]:
    def changed(asked: Asked, which: int) -> Asked:
        method, target, lines = asked
        at = which % len(lines)
        new = change(*lines[at])
        return method, target, [*lines[:at], *([new] if new else []), *lines[at + 1 :]]

    return changed


def _in_signature_input(old: str, new: str) -> Callable[[Asked, int], Asked]:
    def changed(asked: Asked, _which: int) -> Asked:
        method, target, lines = asked
        return method, target, [(n, v.replace(old, new, 1) if n.lower() == "signature-input" else v) for n, v in lines]

    return changed


CHANGES: dict[str, Callable[[Asked, int], Asked]] = {
    "another method": lambda asked, _: ("PUT", *asked[1:]),
    "a method in small letters": lambda asked, _: (asked[0].lower(), *asked[1:]),
    "a longer path": lambda asked, _: (asked[0], asked[1].replace("/v1/", "/v1/x", 1), asked[2]),
    "a query more": lambda asked, _: (asked[0], asked[1] + ("&a=1" if "?" in asked[1] else "?a=1"), asked[2]),
    "a fragment": lambda asked, _: (asked[0], asked[1] + "#a", asked[2]),
    "a line taken away": _one_line(lambda _name, _value: None),
    "a value grown": _one_line(lambda name, value: (name, value + "1")),
    "a value shortened": _one_line(lambda name, value: (name, value[:-1])),
    "a value with a letter flipped": _one_line(lambda name, value: (name, value.swapcase())),
    "a value spaced": _one_line(lambda name, value: (name, f"  {value} ")),
    "a value with a break": _one_line(lambda name, value: (name, value + "\n")),
    "a value that is not plain": _one_line(lambda name, value: (name, value + "代")),
    "a name in capitals": _one_line(lambda name, value: (name.upper(), value)),
    "a line twice": lambda asked, which: (asked[0], asked[1], [*asked[2], asked[2][which % len(asked[2])]]),
    "a header added": lambda asked, which: (
        *asked[:2], [*asked[2], (COVERED_WHERE_PRESENT[which % len(COVERED_WHERE_PRESENT)], "1")]
    ),
    "a second signature": _one_line(
        lambda name, value: (name, f"{value}, b={value.partition('=')[2]}" if "signature" in name.lower() else value)
    ),
    "another label": _one_line(lambda name, value: (name, re.sub("^node=", "other=", value))),
    "another moment": _in_signature_input(f"created={int(NOW.timestamp())}", f"created={int(NOW.timestamp()) + 1}"),
    "a moment with a zero before it": _in_signature_input("created=", "created=0"),
    "an expiry": _in_signature_input(";keyid", ";expires=99999999999;keyid"),
    "another node": _in_signature_input(NODE, "0b" * 16),
    "another algorithm": _in_signature_input("ed25519", "hmac-sha256"),
    "no algorithm": _in_signature_input(';alg="ed25519"', ""),
    "a space in the list": _in_signature_input('"@method" ', '"@method"  '),
    "a component less": _in_signature_input('"@query" ', ""),
    "a component twice": _in_signature_input('"@method" ', '"@method" "@method" '),
    "components turned round": _in_signature_input('"@method" "@path"', '"@path" "@method"'),
    "another purpose": _in_signature_input("guangan-node", "other"),
}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(said=requests, change=st.sampled_from(sorted(CHANGES)), which=st.integers(0, 11))
@example(said={"method": "POST", "target": "/v1/x", "headers": {}, "body": b"", "nonce": "0d" * 16},
         change="components turned round", which=0)  # fmt: skip
def test_what_the_door_believes_the_library_believes(said: dict, change: str, which: int) -> None:
    asked = signed(said)
    changed = CHANGES[change](asked, which)
    door, library = door_proves(*changed), library_proves(*changed, KEY.public)
    if door != library:
        assert door is None, "the door believed what the library does not"
        assert not _in_the_one_spelling(asked, changed), "the door refused more than another spelling"


def _in_the_one_spelling(asked: Asked, changed: Asked) -> bool:
    """Whether the changed request still is spelled as a node spells it: no line twice, no blank that is not its own."""
    names = [name.lower() for name, _ in changed[2]]
    said = {name.lower(): value for name, value in changed[2]}
    own = {name.lower(): value for name, value in asked[2]}
    return len(names) == len(set(names)) and "#" not in changed[1] and all(
        said.get(name, "").strip(" ") == own[name] for name in ("signature-input", "signature")
    )  # fmt: skip


@pytest.mark.parametrize("spelling", ["blanks between the parameters", "parameters turned round", "no algorithm"])
def test_another_spelling_of_a_true_signature_is_refused(spelling: str) -> None:
    """The library reads all three, and the key's owner signed them: strictness costs a stranger, never a node."""
    method, target, digest = "POST", "/v1/exchange", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    covered = "(" + " ".join(f'"{name}"' for name in ALWAYS_COVERED) + ")"
    params = {
        "blanks between the parameters": f'{covered};created=%d; keyid="{NODE}";nonce="%s";tag="guangan-node"',
        "parameters turned round": f'{covered};keyid="{NODE}";created=%d;alg="ed25519";nonce="%s";tag="guangan-node"',
        "no algorithm": f'{covered};created=%d;keyid="{NODE}";nonce="%s";tag="guangan-node"',
    }[spelling] % (int(NOW.timestamp()), "0d" * 16)
    signed_text = params.replace("; ", ";")
    base = (
        f'"@method": {method}\n"@path": {target}\n"@query": ?\n"content-digest": {digest}\n'
        f'"@signature-params": {signed_text}'
    )
    signature = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).sign(base.encode())
    headers = [
        ("content-digest", digest),
        ("signature-input", f"node={params}"),
        ("signature", f"node=:{base64.b64encode(signature).decode()}:"),
    ]
    assert library_proves(method, target, headers, KEY.public) == (NODE, int(NOW.timestamp()), "0d" * 16)
    with pytest.raises(RequestUnsigned):
        verify_request(method=method, target=target, headers=headers, public_of=lambda _node: KEY.public, now=NOW)
