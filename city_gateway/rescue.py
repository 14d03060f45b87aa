"""A recovery key for one dead machine's disk: what the city's slot of its keyring holds, under a passphrase.

Laws:
- Whose disk it is, is proven by the enrolment document that this city signed; another city's disk is refused.
- The city's sealing keys do not leave this machine. Who reads its key folder may do this, nobody else can.
- It is written down, durably, before the key exists: when, which node, who, why. That list is only appended to.
- A node that lives needs no recovery key; nothing on the disk is changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from city_gateway.errors import DiskOfNobody, RecoveryPassphraseShort, SlotNotOurs
from city_gateway.folder import GatewayFolder, flush_folder
from city_gateway.keys import GatewayKeys
from wire.canonical import read_json
from wire.enrolment import EnrolmentDocument, read_enrolment
from wire.errors import NotForThisKey, WireError
from wire.keys import key_id
from wire.recovery_key import PASSPHRASE_AT_LEAST, RecoveryKey, city_slots, open_slot, write_recovery_key

KEYRING: Final = Path("desk") / "keyring.json"
ENROLMENT: Final = "enrolment.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for it, and why."""

    by: str
    reason: str


def recovery_key_for(
    folder: GatewayFolder,
    keys: GatewayKeys,
    disk: Path,
    asked: Asked,
    *,
    passphrase: str,
    at: datetime,
    randomness: Callable[[int], bytes],
) -> tuple[EnrolmentDocument, bytes]:
    """The node whose disk it is, and the recovery key for it as a file."""
    if len(passphrase) < PASSPHRASE_AT_LEAST:
        raise RecoveryPassphraseShort(at_least=PASSPHRASE_AT_LEAST)
    node = _node_of(disk, keys)
    opened = _opened(disk, keys)
    _write_down(folder, node, asked, at)
    return node, write_recovery_key(RecoveryKey(node.node_id, opened), passphrase, randomness)


def _node_of(disk: Path, keys: GatewayKeys) -> EnrolmentDocument:
    try:
        return read_enrolment(read_json((disk / ENROLMENT).read_bytes()), keys.signing.public)
    except (OSError, WireError):
        raise DiskOfNobody from None


def _opened(disk: Path, keys: GatewayKeys) -> tuple[bytes, ...]:
    """The keys of the desk: one, or two of a desk that died while it was re-keyed."""
    own = {key_id(key.public).hex(): key for key in keys.sealing}
    try:
        slots = city_slots((disk / KEYRING).read_bytes())
        opened = [open_slot("city", one.owner, one.wrapped, own[one.owner]) for one in slots if one.owner in own]
    except (OSError, WireError, NotForThisKey):
        raise SlotNotOurs from None
    if not opened:
        raise SlotNotOurs
    return tuple(opened)


def _write_down(folder: GatewayFolder, node: EnrolmentDocument, asked: Asked, at: datetime) -> None:
    said = {"at": at.isoformat(), "node": node.node_id, "site": node.site, "by": asked.by, "reason": asked.reason}
    descriptor = os.open(folder.rescues, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        # The break before it, too: a line that a power cut tore must not swallow this one.
        os.write(descriptor, f"\n{json.dumps(said, ensure_ascii=False, sort_keys=True)}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    flush_folder(folder.root)
