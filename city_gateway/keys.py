"""The gateway's own keys: one to sign receipts, feeds and enrolments; one or more to which nodes seal.

Laws: rotating adds a sealing key and removes none, for what was sealed before is opened, and wrapped for new readers,
as long as it is kept; a running gateway that meets mail for a key it does not know looks into the folder again before
it says that it cannot open it. Files of mode 0600 in a folder of mode 0700, without passphrase, because an online
gateway must restart alone (the offline catalog keys are another matter); never overwritten; the newest sealing key is
told to nodes, the older ones keep opening what was sealed before. The gateway's id is random and outlives its keys.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from city_gateway.errors import KeysExist, KeysMissing
from city_gateway.folder import flush_folder
from wire.keys import SealingKey, SigningKey, key_id

SIGNING = "signing.key"
SEALING = "sealing-{number:04d}.key"
GATEWAY_ID = "gateway.id"
UNFINISHED = "rotating.key"


@dataclass(slots=True)
class GatewayKeys:
    """Who this gateway is; `sealing` grows when a key was rotated in while the gateway runs."""

    gateway_id: str
    signing: SigningKey
    sealing: tuple[SealingKey, ...]
    folder: Path | None = None

    @property
    def newest_sealing(self) -> SealingKey:
        """The key that nodes are told to seal to."""
        return self.sealing[-1]

    def sealing_for(self, recipients: tuple[bytes, ...]) -> SealingKey:
        """The key among `recipients` that is ours, else the newest, with which opening will say why it fails."""
        known = self._among(recipients)
        if known is None and self.look_again():
            known = self._among(recipients)
        return known or self.newest_sealing

    def look_again(self) -> bool:
        """Another process may have rotated in a key since; says whether there is one."""
        if self.folder is None:
            return False
        before, self.sealing = self.sealing, _sealing_keys(self.folder)
        return len(self.sealing) > len(before)

    def _among(self, recipients: tuple[bytes, ...]) -> SealingKey | None:
        return next((key for key in self.sealing if key_id(key.public) in recipients), None)


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


def rotate_sealing(folder: Path, randomness: Callable[[int], bytes]) -> int:
    """Add a sealing key, to which nodes seal as soon as they hear of it; returns its number."""
    known = len(load_keys(folder).sealing)
    made = SealingKey.generate(randomness).to_bytes().hex()
    unfinished = folder / UNFINISHED
    unfinished.unlink(missing_ok=True)
    _write(unfinished, made)
    unfinished.replace(folder / SEALING.format(number=known + 1))
    flush_folder(folder)
    return known + 1


def load_keys(folder: Path) -> GatewayKeys:
    """Read the keys, or KeysMissing."""
    sealing = _sealing_keys(folder)
    if not (folder / SIGNING).is_file() or not sealing or not (folder / GATEWAY_ID).is_file():
        raise KeysMissing
    return GatewayKeys(
        gateway_id=(folder / GATEWAY_ID).read_text().strip(),
        signing=SigningKey.from_bytes(_read(folder / SIGNING)),
        sealing=sealing,
        folder=folder,
    )


def _sealing_keys(folder: Path) -> tuple[SealingKey, ...]:
    found = sorted(folder.glob(SEALING.replace("{number:04d}", "*")))
    return tuple(SealingKey.from_bytes(_read(path)) for path in found)


def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
