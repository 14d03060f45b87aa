"""Where the files of a node live, and nothing else.

Laws: every program asks here and builds no path of its own; folders that hold keys or the desk are for their owner
alone, folders that two programs share are also open to the owner's group.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from offline_store.errors import NotAHash

PRIVATE = 0o700
SHARED_BY_PROGRAMS = 0o750
_SCAN_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NodePaths:
    """The places below one root folder."""

    root: Path

    @property
    def desk_folder(self) -> Path:
        return self.root / "desk"

    @property
    def desk_db(self) -> Path:
        return self.desk_folder / "desk.db"

    @property
    def keyring(self) -> Path:
        return self.desk_folder / "keyring.json"

    @property
    def desk_reserve(self) -> Path:
        """Room that edge_node gives back to itself when the disk is full."""
        return self.desk_folder / "reserve"

    @property
    def agent_reserve(self) -> Path:
        """The same for sync_agent."""
        return self.agent_folder / "reserve"

    @property
    def outgoing(self) -> Path:
        return self.root / "mailbox" / "outgoing"

    @property
    def incoming(self) -> Path:
        return self.root / "mailbox" / "incoming"

    @property
    def catalog_cache(self) -> Path:
        return self.incoming / "catalog"

    @property
    def catalog_marker(self) -> Path:
        """There only while one whole release lies in the cache; says its versions."""
        return self.catalog_cache / "arrived.json"

    @property
    def catalog_metadata(self) -> Path:
        return self.catalog_cache / "metadata"

    @property
    def catalog_targets(self) -> Path:
        return self.catalog_cache / "targets"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def relay(self) -> Path:
        return self.root / "relay"

    @property
    def agent_folder(self) -> Path:
        return self.root / "agent"

    @property
    def transport_key(self) -> Path:
        return self.agent_folder / "transport.key"

    @property
    def enrolment(self) -> Path:
        return self.root / "enrolment.json"

    @property
    def counter_socket(self) -> Path:
        return self.root / "run" / "counter.sock"

    @property
    def desk_lock(self) -> Path:
        """Held by whoever has the desk open for writing: edge_node, or an installer's command while it is stopped."""
        return self.counter_socket.with_name("edge_node.lock")

    @property
    def generation(self) -> Path:
        """How often the desk was opened, beside the desk: a desk that knows less was set back."""
        return self.root / "generation.json"

    @property
    def set_aside(self) -> Path:
        """Mail of an earlier identity that the desk never wrote, for the city to look into."""
        return self.root / "set-aside"

    @property
    def practice_mark(self) -> Path:
        """Laid down before anything else of a practice store; a folder without it is not cleared for practising."""
        return self.root / "practice"

    @property
    def settings(self) -> Path:
        return self.root / "node.toml"

    def create(self) -> None:
        """Make every folder that is missing; what is there keeps its owner and mode."""
        relay = (self.relay / "up", self.relay / "down")
        shared = (self.outgoing, self.incoming, self.catalog_metadata, self.catalog_targets, self.vault, *relay)
        for folder in (self.root, *shared, self.counter_socket.parent):
            folder.mkdir(mode=SHARED_BY_PROGRAMS, parents=True, exist_ok=True)
        for folder in (self.desk_folder, self.agent_folder):
            folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)


def checked_hash(scan_hash: str) -> str:
    """The hash itself; names of scans come from outside, and nothing but a hash may ever become a path."""
    if not _SCAN_HASH.fullmatch(scan_hash):
        raise NotAHash
    return scan_hash
