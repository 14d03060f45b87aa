"""What an act has in its hands: this node's desk, mail, vault, keys, clock and randomness, put together once.

Laws: acts reach everything through here and hold no state of their own; nothing here knows HTTP. `nudge` wakes the mail
round after a commit, `stop` ends the process after the disk refused a write; both may be called from any thread.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from casework.application import Actor, Role
from edge_node.counter.alarms import Alarms
from edge_node.counter.guide_shelf import GuideShelf
from edge_node.counter.invitations import Invitations
from edge_node.counter.room import Room
from edge_node.counter.sessions import Sessions
from edge_node.counter.trusted_clock import TrustedClock
from offline_store.desk.database import Desk, Transaction
from offline_store.desk.keyring import ByClerk
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_toml import DISK_RESERVE_MIB, MEDIA_ROOT
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from wire.enrolment import EnrolmentDocument
from wire.errors import NotForThisKey, Tampered, WireError
from wire.keys import SealingKey, SigningKey
from wire.practice import is_practice

PROGRAM_VERSION: Final = "0.1.0"
MIB: Final = 1024 * 1024

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the installer set for this node."""

    disk_reserve_bytes: int = DISK_RESERVE_MIB * MIB
    retention: timedelta = timedelta(days=30)
    rekey_after: timedelta = timedelta(days=7)
    media_root: Path = MEDIA_ROOT
    media_folders: bool = False
    """Plain folders below the media root count as sticks, too: for trials only."""
    relay_bytes: int = 512 * MIB
    """How much mail of villages a township carries at most; 0 carries none."""


@dataclass(slots=True)
class Counter:
    """One node's counter, composed in `app.py`."""

    node: EnrolmentDocument
    paths: NodePaths
    desk: Desk
    outgoing: Outgoing
    incoming: Incoming
    vault: Vault
    identity: SigningKey
    sealing: tuple[SealingKey, ...]
    clock: TrustedClock
    sessions: Sessions
    invitations: Invitations
    randomness: Callable[[int], bytes]
    room: Room
    alarms: Alarms
    machine: str = ""
    limits: Limits = field(default_factory=Limits)
    shelf: GuideShelf = field(default_factory=GuideShelf)
    nudge: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None
    change_key: Callable[[], None] | None = None
    keep_slot: Callable[[ByClerk], None] | None = None
    """Where clerks unlock at start: keeps what opens the desk in step with the passphrase that was just proven."""
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    intake_lock: threading.Lock = field(default_factory=threading.Lock)
    relay_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def practice(self) -> bool:
        """Whether this is a practice store, from which nothing goes anywhere."""
        return is_practice(self.node.site)

    def recipients(self, tx: Transaction) -> Sequence[bytes]:
        """To whom is sealed what is saved here. What is practised is sealed to a key that was thrown away, whoever the
        catalog names."""
        own = self.node.gateway.sealing_publics
        return own if self.practice else self.shelf.directory_recipients(tx) or own

    def new_id(self) -> str:
        """A new 128-bit id: of an operation, an application, a draft."""
        return self.randomness(16).hex()

    def with_own_key(self, opened: Callable[[SealingKey], _T]) -> _T:
        """What `opened` makes of the first sealing key of this node that fits; where none does, why the one to which it
        is sealed did not open it, or NotForThisKey.

        Mail may still be sealed to the key of an earlier identity. What is wrong whatever the key is raised at once.
        """
        refused: WireError = NotForThisKey()
        for key in self.sealing:
            try:
                return opened(key)
            except NotForThisKey:
                continue
            except Tampered as misfit:
                refused = misfit
        raise refused

    def actor(self, role: Role, clerk_id: str, region: str = "") -> Actor:
        """Somebody of this node, answering for the node's own region unless a narrower one is named."""
        own = self.node.site if role is Role.AGENT else self.node.region
        return Actor(role=role, clerk_id=clerk_id, node_id=self.node.node_id, region=region or own)
