"""What every act asks of the store of finished scans; names are handed in checked (`naming.is_name`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

PIECE_BYTES = 64 * 1024


class ScanStore(Protocol):
    """Finished sealed scans by name. Nothing here is ever removed but by being set aside."""

    asks_far: bool
    """Whether each question costs a road, so that whoever can should ask the ledger first."""

    def put_all(self, files: Sequence[tuple[str, Path]]) -> list[Exception | None]:
        """Take over finished files whose hashes were checked; each has its own outcome, and those without an error are
        durable and left their place. Safe to repeat: a name can only mean the same bytes."""

    def put_copy(self, name: str, source: Path) -> bool:
        """Copy a file in, durably; False, and nothing under the name, when it does not have the hash."""

    def lengths(self, names: Iterable[str]) -> Mapping[str, int]:
        """The lengths of those that are here."""

    def beginnings(self, names: Iterable[str], most: int) -> Mapping[str, bytes]:
        """The first bytes of those that are here."""

    def pieces(self, name: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The sealed bytes from `first` up to `end`, a few at a time, as they lie."""

    def sound(self, name: str, first: int = 0, end: int | None = None) -> Iterator[bytes] | None:
        """The same once the whole was read and is what its name says, otherwise None."""

    def is_sound(self, name: str) -> bool:
        """Whether the whole was read and is what its name says."""

    def names(self) -> Iterator[str]:
        """Every finished scan."""

    def set_aside(self, name: str) -> bool:
        """Note that this scan has to come again; rotten bytes leave their place. False when that was known."""

    def lost(self) -> Iterator[str]:
        """Those that were set aside and are not here again, as far as is known without asking far."""

    def look_for_lost(self) -> int:
        """Learn what others set aside or brought again; how many are lost now."""
