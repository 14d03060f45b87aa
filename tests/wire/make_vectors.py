"""Writes golden vectors that are not there yet: `python tests/wire/make_vectors.py`.

Vectors are append-only. HPKE is randomised, so a vector cannot be made twice: a file that exists is never touched,
and its hash is pinned in `test_golden_vectors.py`. A new version of a format gets new files beside the old ones.
All keys and people are invented.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from wire.bundle import (
    CATALOG,
    MAIL,
    SCAN,
    DownInventory,
    Left,
    Part,
    UpInventory,
    bundle_id,
    catalog_part,
    mail_parts,
    part_of,
    sign_down,
    sign_up,
    write_body,
)
from wire.canonical import b64, canonical_json, unb64
from wire.clerk_recovery import answer_for, make_challenge, shared_at_city, shared_at_node
from wire.enrolment import make_code
from wire.envelope import Dictionary, Kind, envelope_hash, open_sealed, rewrap, seal
from wire.http_signature import sign_request
from wire.keys import SealingKey, SigningKey, key_id
from wire.receipt import CARRIED, Receipt, page_hash, sign_receipt
from wire.scan import ScanSealer, rewrap_scan
from wire.sealed_note import seal_note

FOLDER = Path(__file__).resolve().parents[2] / "wire" / "vectors"


def secret(name: str) -> bytes:
    return hashlib.sha256(f"guangan vector {name}".encode()).digest()


NODE = SigningKey.from_bytes(secret("node identity"))
TRANSPORT = SigningKey.from_bytes(secret("node transport"))
GATEWAY = SigningKey.from_bytes(secret("gateway signing"))
CITY = SealingKey.from_bytes(secret("city sealing"))
RESERVE = SealingKey.from_bytes(secret("city reserve sealing"))
TOWNSHIP = SealingKey.from_bytes(secret("township sealing"))
NODE_ID = secret("node id")[:16]
WORDS = Dictionary(7, '{"application_id":"applicant_name":"张测试""events":[{"code":"collected"'.encode())


def keys() -> dict[str, str]:
    return {
        "node_identity": b64(NODE.to_bytes()),
        "node_transport": b64(TRANSPORT.to_bytes()),
        "gateway_signing": b64(GATEWAY.to_bytes()),
        "city_sealing": b64(CITY.to_bytes()),
        "city_reserve_sealing": b64(RESERVE.to_bytes()),
        "township_sealing": b64(TOWNSHIP.to_bytes()),
    }


def envelopes() -> object:
    bodies = [
        b'{"v":1}',
        canonical_json({"v": 1, "events": [{"code": "collected", "applicant_name": "张测试"}]}),
        b"",
        bytes(range(256)) * 4,
    ]
    prev, found = bytes(32), []
    for seq, body in enumerate(bodies, start=1):
        op_id = secret(f"op {seq}")[:16]
        recipients = [CITY.public] if seq < 4 else [CITY.public, RESERVE.public]
        words = WORDS if seq == 2 else Dictionary(0, b"")
        sealed = seal(
            kind=Kind.AUDIT if seq == 3 else Kind.OPERATION,
            node_id=NODE_ID,
            seq=seq,
            prev=prev,
            op_id=op_id,
            body=body,
            recipients=recipients,
            signer=NODE,
            dictionary=words,
        )
        opened = open_sealed(sealed, recipient=CITY, signer_public=NODE.public, dictionaries={7: WORDS})
        found.append(
            {
                "kind": int(opened.header.kind),
                "seq": seq,
                "prev": prev.hex(),
                "op_id": op_id.hex(),
                "dictionary": words.number,
                "recipients": [key_id(public).hex() for public in recipients],
                "body": b64(body),
                "content_key": b64(opened.content_key),
                "envelope": b64(sealed),
                "hash": envelope_hash(sealed).hex(),
                "township_wrap": b64(rewrap(sealed, opened.content_key, TOWNSHIP.public)),
            }
        )
        prev = envelope_hash(sealed)
    return {"keys": keys(), "node_id": NODE_ID.hex(), "dictionaries": {"7": b64(WORDS.data)}, "chain": found}


def scans() -> object:
    found = []
    for length in (0, 1, 65536, 65537, 140000):
        sealer = ScanSealer([CITY.public])
        plain = (secret(f"picture {length}") * (length // 32 + 1))[:length]
        sealed = sealer.update(plain) + sealer.finish()
        found.append(
            {
                "plain_seed": b64(secret(f"picture {length}")),
                "plain_length": length,
                "plain_sha256": hashlib.sha256(plain).hexdigest(),
                "sealed_head": b64(sealed[:4096]),
                "sealed": b64(sealed) if length < 2 else None,
                "sealed_length": len(sealed),
                "scan_hash": sealer.scan_hash,
                "content_key": b64(sealer.content_key),
                "township_wrap": b64(rewrap_scan(sealed, sealer.content_key, TOWNSHIP.public)),
            }
        )
    return {"keys": keys(), "scans": found}


def documents() -> object:
    receipt = Receipt(
        gateway="0a" * 16,
        epoch="0b" * 16,
        node=NODE_ID.hex(),
        hwm=3,
        head_hash="0c" * 32,
        stable_hwm=2,
        server_time=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        nonce="0d" * 16,
        feed_head=9,
        feed_more=False,
        page_hash=page_hash([b"one", b"two"]),
    )
    headers = sign_request(
        method="POST",
        url="https://city.example/v1/exchange",
        headers={"content-type": "application/vnd.guangan.exchange"},
        body=b"body",
        node_id=NODE_ID.hex(),
        transport_key=TRANSPORT,
        created=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        nonce="0d" * 16,
    )
    value = {"b": [1, 2.5, None, True], "a": '代办\n"', "中": {}}
    return {
        "keys": keys(),
        "canonical": [{"value": value, "bytes": b64(canonical_json(value))}],
        "key_ids": {"node_identity": key_id(NODE.public).hex(), "city_sealing": key_id(CITY.public).hex()},
        "signature": {"label": "vector", "data": b64(b"data"), "signature": b64(NODE.sign("vector", b"data"))},
        "receipt": {"document": sign_receipt(receipt, GATEWAY), "page": [b64(b"one"), b64(b"two")]},
        "note": {
            "label": "rating",
            "plain": b64(b'{"level":5}'),
            "sealed": b64(seal_note("rating", b'{"level":5}', CITY.public)),
        },
        "enrolment_code": {"secret": "0123456789", "code": make_code("0123456789", GATEWAY.public)},
        "request": {
            "method": "POST",
            "url": "https://city.example/v1/exchange",
            "created": "2026-11-23T08:00:00Z",
            "headers": headers,
        },
    }


def bundles() -> object:
    """One bundle up and one down, in one piece; the mail is that of envelope-1, the feed two envelopes of its own."""
    mail = [unb64(entry["envelope"]) for entry in json.loads((FOLDER / "envelope-1.json").read_text("utf-8"))["chain"]]
    scan = secret("sealed scan of the bundle") * 8
    piece = Part(
        kind=SCAN,
        length=100,
        hash=hashlib.sha256(scan[50:150]).hexdigest(),
        scan=hashlib.sha256(scan).hexdigest(),
        offset=50,
        total=len(scan),
    )
    (up_mail,) = mail_parts(mail)
    up = UpInventory(
        node=NODE_ID.hex(),
        gateway="0a" * 16,
        number=7,
        made_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        first=1,
        last=4,
        head_hash=envelope_hash(mail[-1]).hex(),
        feed_cursor=2,
        feed_hash="0e" * 32,
        scans_asking=[piece.scan],
        catalog_held={"timestamp": 3, "targets": 2},
        left=Left(ops=1, scans=2, bytes=3),
        parts=[part_of(MAIL, up_mail), piece],
    )
    feed, prev = [], bytes(32)
    for seq in (1, 2):
        feed.append(
            seal(
                kind=Kind.FEED,
                node_id=NODE_ID,
                seq=seq,
                prev=prev,
                op_id=secret(f"feed {seq}")[:16],
                body=b'{"v":1}',
                recipients=[TOWNSHIP.public],
                signer=GATEWAY,
            )
        )
        prev = envelope_hash(feed[-1])
    (down_mail,) = mail_parts(feed)
    catalog = catalog_part([("metadata/timestamp.json", b"{}"), ("targets/a.json", b"[]")])
    receipt = Receipt(
        gateway="0a" * 16,
        epoch="0b" * 16,
        node=NODE_ID.hex(),
        hwm=4,
        head_hash=envelope_hash(mail[-1]).hex(),
        stable_hwm=2,
        server_time=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        nonce=CARRIED,
        feed_head=2,
        feed_more=False,
        page_hash=page_hash(feed),
    )
    down = DownInventory(
        gateway="0a" * 16,
        node=NODE_ID.hex(),
        answers=7,
        made_at=datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        receipt=sign_receipt(receipt, GATEWAY),
        feed_first=1,
        scans_held={piece.scan: 50},
        catalog_version=3,
        parts=[part_of(MAIL, down_mail), part_of(CATALOG, catalog)],
    )
    up_document, down_document = sign_up(up, TRANSPORT), sign_down(down, GATEWAY)
    return {
        "keys": keys(),
        "node_id": NODE_ID.hex(),
        "gateway_id": "0a" * 16,
        "up": {"body": b64(write_body(up_document, [up_mail, scan[50:150]])), "name": bundle_id(up_document)},
        "down": {"body": b64(write_body(down_document, [down_mail, catalog])), "name": bundle_id(down_document)},
    }


def recoveries() -> object:
    """Challenges and their answers, for two clerks and two keys of the city."""
    node = SealingKey.from_bytes(secret("node sealing"))
    told = []
    for number, (clerk, city) in enumerate([("dby01", CITY), ("DBY01", CITY), ("wangdaiban", RESERVE)]):
        at_node = shared_at_node(NODE_ID.hex(), node, city.public)
        chance = secret(f"recovery {number}")
        challenge = make_challenge(at_node, clerk, lambda size, chance=chance: chance[:size])
        answer = answer_for(challenge, clerk, [shared_at_city(NODE_ID.hex(), city, node.public)])
        told.append(
            {"clerk": clerk, "city": b64(city.public), "chance": b64(chance[:16])}
            | {"challenge": challenge, "answer": answer}
        )
    return {"keys": keys() | {"node_sealing": b64(node.to_bytes())}, "node_id": NODE_ID.hex(), "recoveries": told}


FILES = {
    "envelope-1.json": envelopes,
    "scan-1.json": scans,
    "documents-1.json": documents,
    "bundle-1.json": bundles,
    "clerk-recovery-1.json": recoveries,
}


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, make in FILES.items():
        path = FOLDER / name
        if not path.exists():
            path.write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            sys.stdout.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
