"""The gateway's own keys: one to sign receipts, feeds and enrolments; one or more to which nodes seal.

Laws: files of mode 0600 in a folder of mode 0700, without passphrase, because an online gateway must restart alone (the
offline catalog keys are another matter); never overwritten; the newest sealing key is told to nodes, the older ones
keep opening what was sealed before. The gateway's id is random and outlives its keys.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from city_gateway.errors import KeysExist, KeysMissing
from wire.keys import SealingKey, SigningKey, key_id

SIGNING = "signing.key"
SEALING = "sealing-{number:04d}.key"
GATEWAY_ID = "gateway.id"


@dataclass(frozen=True, slots=True)
class GatewayKeys:
    """Who this gateway is."""

    gateway_id: str
    signing: SigningKey
    sealing: tuple[SealingKey, ...]

    @property
    def newest_sealing(self) -> SealingKey:
        """The key that nodes are told to seal to."""
        return self.sealing[-1]

    def sealing_for(self, recipients: tuple[bytes, ...]) -> SealingKey:
        """The key among `recipients` that is ours, else the newest, with which opening will say why it fails."""
        for key in self.sealing:
            if key_id(key.public) in recipients:
                return key
        return self.newest_sealing


def make_keys(folder: Path, randomness: Callable[[int], bytes]) -> GatewayKeys:
    """Make a new gateway's keys, or KeysExist when there is any file in their place."""
    if folder.exists() and any(folder.iterdir()):
        raise KeysExist
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write(folder / SIGNING, SigningKey.generate(randomness).to_bytes().hex())
    _write(folder / SEALING.format(number=1), SealingKey.generate(randomness).to_bytes().hex())
    _write(folder / GATEWAY_ID, randomness(16).hex())
    return load_keys(folder)


def load_keys(folder: Path) -> GatewayKeys:
    """Read the keys, or KeysMissing."""
    sealing = sorted(folder.glob(SEALING.replace("{number:04d}", "*")))
    if not (folder / SIGNING).is_file() or not sealing or not (folder / GATEWAY_ID).is_file():
        raise KeysMissing
    return GatewayKeys(
        gateway_id=(folder / GATEWAY_ID).read_text().strip(),
        signing=SigningKey.from_bytes(_read(folder / SIGNING)),
        sealing=tuple(SealingKey.from_bytes(_read(path)) for path in sealing),
    )


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
