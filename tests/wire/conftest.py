"""The people of the wire tests: a node, a township, a city; all keys invented and fixed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest

from wire.envelope import Kind, seal
from wire.keys import SealingKey, SigningKey


def _secret(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


@dataclass(frozen=True)
class People:
    """Everybody's keys."""

    node = SigningKey.from_bytes(_secret("node"))
    other_node = SigningKey.from_bytes(_secret("other node"))
    gateway = SigningKey.from_bytes(_secret("gateway"))
    city = SealingKey.from_bytes(_secret("city"))
    reserve = SealingKey.from_bytes(_secret("reserve"))
    township = SealingKey.from_bytes(_secret("township"))
    stranger = SealingKey.from_bytes(_secret("stranger"))
    node_id = _secret("node id")[:16]

    def sealed(self, seq: int = 1, prev: bytes = bytes(32), body: bytes = b'{"v":1}', **other: object) -> bytes:
        """An envelope of the node for the city."""
        parts: dict[str, object] = {
            "kind": Kind.OPERATION,
            "node_id": self.node_id,
            "seq": seq,
            "prev": prev,
            "op_id": _secret(f"op {seq} {body!r}")[:16],
            "body": body,
            "recipients": [self.city.public],
            "signer": self.node,
        }
        return seal(**(parts | other))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def people() -> People:
    return People()
