"""A desk of an earlier release in which operations wait: the golden desk of that release, and more links of its chain.

The rows are written with plain SQL in the form of that release; nothing of the present program has touched them.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from offline_store.desk.connection import unlocked
from tests.offline_store.golden import make_golden
from wire.audit_chain import GENESIS
from wire.envelope import Kind, envelope_hash, seal
from wire.keys import SealingKey, SigningKey

GOLDEN = Path(make_golden.__file__).parent
KEY = make_golden.GOLDEN_KEY
AT = "2026-11-23 05:00:00.000000"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One operation that was saved under the old release."""

    seq: int
    op_id: str
    link: bytes
    envelope: bytes


def old_desk(folder: Path, release: str, count: int) -> list[Waiting]:
    """Put a desk of `release` into `folder` with so many operations waiting; they come back."""
    path = folder / "desk.db"
    shutil.copy(GOLDEN / f"desk-{release}.db", path)
    identity, city = SigningKey.from_bytes(b"i" * 32), SealingKey.from_bytes(b"c" * 32)
    connection = unlocked(path, KEY)
    try:
        last = connection.execute("SELECT seq, link FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        seq, prev = last or (GENESIS.seq, GENESIS.hash)
        waiting = []
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(count):
            seq, op_id = seq + 1, os.urandom(16)
            envelope = seal(
                kind=Kind.OPERATION,
                node_id=b"n" * 16,
                seq=seq,
                prev=bytes(prev),
                op_id=op_id,
                body=b'{"v":1}',
                recipients=[city.public],
                signer=identity,
            )
            link = envelope_hash(envelope)
            row = (seq, op_id.hex(), "operation", AT, False, bytes(prev), link, envelope, b'{"v":1}')
            connection.execute(
                "INSERT INTO journal (seq, op_id, kind, at, posted, prev, link, envelope, body) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            waiting.append(Waiting(seq, op_id.hex(), link, envelope))
            prev = link
        connection.execute("COMMIT")
    finally:
        connection.close()
    return waiting
