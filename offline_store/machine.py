"""Which machine this is, as far as a program without special rights can tell: one short mark, no serial numbers.

Laws: the mark is a hash and names nothing; the same machine gives the same mark across restarts and upgrades; where
nothing can be read it is empty, and empty says nothing. It warns, it proves nothing: a copied image carries the
machine id along, and a network card can be swapped.
"""

import hashlib
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
CARDS = Path("/sys/class/net")
MARK_CHARACTERS = 16


def machine_mark(machine_id: Path = MACHINE_ID, cards: Path = CARDS) -> str:
    """The mark of this machine."""
    parts = [_text(machine_id), *sorted(_address(card) for card in _built_in(cards))]
    known = [part for part in parts if part]
    return hashlib.sha256("\0".join(known).encode()).hexdigest()[:MARK_CHARACTERS] if known else ""


def _built_in(cards: Path) -> list[Path]:
    """Network cards that are hardware and not plugged in by USB."""
    try:
        found = list(cards.iterdir())
    except OSError:
        return []
    return [card for card in found if (card / "device").exists() and "/usb" not in str((card / "device").resolve())]


def _address(card: Path) -> str:
    return _text(card / "address")


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
