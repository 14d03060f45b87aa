"""Golden vectors stay readable for ever, by our code and by an HPKE that is not ours."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

import wire
from tests.wire.proven import verify_request
from wire.audit_chain import GENESIS, follow
from wire.bundle import bundle_id, check_body, open_body, read_catalog_part, read_down, read_mail, read_up
from wire.canonical import canonical_json, unb64
from wire.clerk_recovery import answer_for, fits, shared_at_city, shared_at_node
from wire.enrolment import make_code, read_code
from wire.envelope import Dictionary, envelope_hash, open_sealed, open_with_wrap
from wire.keys import SealingKey, SigningKey, key_id, verify
from wire.receipt import CARRIED, read_receipt
from wire.scan import content_key_of, open_scan, unwrap_scan
from wire.sealed_note import open_note

pytestmark = pytest.mark.fast

FOLDER = Path(wire.__file__).parent / "vectors"

PINNED = {
    "bundle-1.json": "27c33f7e4427a8e68d8524b2796be4c5e105db869f3fff94ddcc13d7c72159c7",
    "clerk-recovery-1.json": "3bfa9181e96b47830add2ab1ba6af8024e4cf97f896ca48a4b435721a6a3c65b",
    "documents-1.json": "7cd4f4bb535c61874a8d3a922b2abc6bb665833070b3a2fc68458e5706772d9b",
    "envelope-1.json": "7f1ece024c9055000f070b5c060f285f6bf7e5c8935b2ae6f7c82250bf2dccd7",
    "scan-1.json": "d61374487bee2eb6620426c8c918a12794385fce8fa08c2b113d736378e99194",
}


def vectors(name: str) -> dict:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_vectors_are_only_ever_added() -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.json")}
    assert found == PINNED


def test_our_code_opens_every_envelope_and_follows_their_chain() -> None:
    golden = vectors("envelope-1.json")
    city = SealingKey.from_bytes(unb64(golden["keys"]["city_sealing"]))
    township = SealingKey.from_bytes(unb64(golden["keys"]["township_sealing"]))
    node = SigningKey.from_bytes(unb64(golden["keys"]["node_identity"])).public
    words = {int(number): Dictionary(int(number), unb64(data)) for number, data in golden["dictionaries"].items()}
    head = GENESIS
    for entry in golden["chain"]:
        data = unb64(entry["envelope"])
        opened = open_sealed(data, recipient=city, signer_public=node, dictionaries=words)
        assert (opened.body, opened.content_key) == (unb64(entry["body"]), unb64(entry["content_key"]))
        header = opened.header
        assert (int(header.kind), header.seq, header.prev.hex()) == (entry["kind"], entry["seq"], entry["prev"])
        assert (header.node_id.hex(), header.op_id.hex()) == (golden["node_id"], entry["op_id"])
        assert [recipient.hex() for recipient in header.recipients] == entry["recipients"]
        wrapped = unb64(entry["township_wrap"])
        again = open_with_wrap(data, wrapped, recipient=township, signer_public=node, dictionaries=words)
        assert again.body == opened.body
        head = follow(head, data, node)
        assert head.hash.hex() == entry["hash"] == envelope_hash(data).hex()


def test_an_independent_hpke_opens_every_envelope_by_the_byte_layout_alone() -> None:
    golden = vectors("envelope-1.json")
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
    city = X25519PrivateKey.from_private_bytes(unb64(golden["keys"]["city_sealing"]))
    node = SigningKey.from_bytes(unb64(golden["keys"]["node_identity"])).public
    for entry in golden["chain"]:
        data = unb64(entry["envelope"])
        count = data[7]
        header = data[: 88 + 8 * count]
        wrap = data[len(header) : len(header) + 80]
        sealed = data[len(header) + 80 * count : -64]
        assert len(sealed) == int.from_bytes(data[84:88], "big")
        Ed25519PublicKey.from_public_bytes(node).verify(data[-64:], b"guangan-wire-1\0envelope\0" + data[:-64])
        context = suite.create_recipient_context(
            wrap[:32], KEMKey.from_pyca_cryptography_key(city), info=b"guangan-wire-1\0envelope-wrap\0" + header
        )
        content_key = context.open(wrap[32:])
        assert content_key == unb64(entry["content_key"])
        words = golden["dictionaries"].get(str(entry["dictionary"]))
        bound = header + hashlib.sha256(unb64(words)).digest() if words else header
        packed = ChaCha20Poly1305(content_key).decrypt(bytes(12), sealed, bound)
        assert zlib.decompressobj(-15, zdict=unb64(words or "")).decompress(packed) == unb64(entry["body"])


def test_our_code_and_an_independent_hpke_open_every_scan() -> None:
    golden = vectors("scan-1.json")
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.CHACHA20_POLY1305)
    raw = X25519PrivateKey.from_private_bytes(unb64(golden["keys"]["city_sealing"]))
    city = SealingKey.from_bytes(unb64(golden["keys"]["city_sealing"]))
    township = SealingKey.from_bytes(unb64(golden["keys"]["township_sealing"]))
    for entry in golden["scans"]:
        head = unb64(entry["sealed_head"])
        key = unb64(entry["content_key"])
        assert content_key_of(head, city) == key
        assert unwrap_scan(head, unb64(entry["township_wrap"]), township) == key
        info = b"guangan-wire-1\0scan-wrap\0" + head[:31]
        context = suite.create_recipient_context(head[31:63], KEMKey.from_pyca_cryptography_key(raw), info=info)
        assert context.open(head[63:111]) == key
        if entry["sealed"]:
            sealed = unb64(entry["sealed"])
            assert hashlib.sha256(sealed).hexdigest() == entry["scan_hash"]
            plain = b"".join(open_scan([sealed], key, entry["sealed_length"]))
            assert hashlib.sha256(plain).hexdigest() == entry["plain_sha256"]


def test_documents_of_the_first_version_are_believed() -> None:
    golden = vectors("documents-1.json")
    gateway = SigningKey.from_bytes(unb64(golden["keys"]["gateway_signing"]))
    node = SigningKey.from_bytes(unb64(golden["keys"]["node_identity"]))
    transport = SigningKey.from_bytes(unb64(golden["keys"]["node_transport"]))
    city = SealingKey.from_bytes(unb64(golden["keys"]["city_sealing"]))
    for entry in golden["canonical"]:
        assert canonical_json(entry["value"]) == unb64(entry["bytes"])
    assert key_id(node.public).hex() == golden["key_ids"]["node_identity"]
    signature = golden["signature"]
    verify(node.public, signature["label"], unb64(signature["data"]), unb64(signature["signature"]))
    page = [unb64(frame) for frame in golden["receipt"]["page"]]
    document = golden["receipt"]["document"]
    receipt = read_receipt(
        document, gateway.public, node=vectors("envelope-1.json")["node_id"], nonce="0d" * 16, feed=page
    )
    assert (receipt.hwm, receipt.stable_hwm, receipt.feed_head) == (3, 2, 9)
    note = golden["note"]
    assert open_note(note["label"], unb64(note["sealed"]), city) == unb64(note["plain"])
    code = golden["enrolment_code"]
    assert make_code(code["secret"], gateway.public) == code["code"]
    read_code(code["code"]).check_gateway(gateway.public)
    request = golden["request"]
    signed = verify_request(
        method=request["method"],
        target=request["url"].removeprefix("https://city.example"),
        headers=request["headers"].items(),
        public_of=lambda _node: transport.public,
        now=datetime(2026, 11, 23, 8, 1, tzinfo=UTC),
    )
    assert signed.nonce == "0d" * 16


def test_bundles_of_the_first_version_are_read() -> None:
    golden = vectors("bundle-1.json")
    gateway = SigningKey.from_bytes(unb64(golden["keys"]["gateway_signing"])).public
    transport = SigningKey.from_bytes(unb64(golden["keys"]["node_transport"])).public
    document, parts = open_body(unb64(golden["up"]["body"]), 1_000_000)
    up = read_up(document, transport, gateway=golden["gateway_id"])
    check_body(up.parts, parts)
    assert bundle_id(document) == golden["up"]["name"]
    chain = [unb64(entry["envelope"]) for entry in vectors("envelope-1.json")["chain"]]
    assert read_mail(parts[:1]) == chain
    assert (up.number, up.first, up.last, up.head_hash) == (7, 1, 4, envelope_hash(chain[-1]).hex())
    assert (up.parts[1].offset, up.parts[1].length, up.parts[1].total) == (50, 100, 256)
    document, parts = open_body(unb64(golden["down"]["body"]), 1_000_000)
    down = read_down(document, gateway, node=golden["node_id"])
    check_body(down.parts, parts)
    assert bundle_id(document) == golden["down"]["name"]
    feed = read_mail(parts[:1])
    receipt = read_receipt(down.receipt, gateway, node=golden["node_id"], nonce=CARRIED, feed=feed)
    assert (receipt.carried, receipt.hwm, down.answers, len(feed)) == (True, 4, 7, 2)
    assert set(read_catalog_part(parts[1])) == {"metadata/timestamp.json", "targets/a.json"}


def test_recoveries_of_the_first_version_are_answered_as_they_were() -> None:
    golden = vectors("clerk-recovery-1.json")
    node = SealingKey.from_bytes(unb64(golden["keys"]["node_sealing"]))
    cities = [SealingKey.from_bytes(unb64(golden["keys"][name])) for name in ("city_sealing", "city_reserve_sealing")]
    secrets = [shared_at_city(golden["node_id"], city, node.public) for city in cities]
    for one in golden["recoveries"]:
        assert answer_for(one["challenge"], one["clerk"], secrets) == one["answer"]
        at_node = shared_at_node(golden["node_id"], node, unb64(one["city"]))
        assert fits(one["answer"], one["challenge"], one["clerk"], at_node)


def test_an_answer_is_what_the_specification_says_by_hand() -> None:
    """Written out with HMAC alone, so that the page can be followed by who has only the page."""
    golden = vectors("clerk-recovery-1.json")
    one, node = golden["recoveries"][0], X25519PrivateKey.from_private_bytes(unb64(golden["keys"]["node_sealing"]))
    agreed = node.exchange(X25519PublicKey.from_public_bytes(unb64(one["city"])))
    publics = node.public_key().public_bytes_raw() + unb64(one["city"])
    info = b"guangan-wire-1\0clerk-recovery\0" + bytes.fromhex(golden["node_id"]) + publics
    key = hmac.digest(hmac.digest(bytes(32), agreed, "sha256"), info + b"\x01", "sha256")
    groups = one["challenge"].split()
    nonce = "".join(group[:4] for group in groups)[:10]
    mac = hmac.digest(key, b"answer\0" + nonce.encode() + b"\0" + one["clerk"].encode(), "sha256")
    assert "".join(group[:4] for group in one["answer"].split()) == str(int.from_bytes(mac) % 10**16).zfill(16)
