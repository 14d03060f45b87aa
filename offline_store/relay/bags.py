"""Bags of other nodes: up-bundles that wait for the city, and the city's answers that wait for their villages.

Laws: only sealed bytes come here and this part can open none of them; edge_node alone puts into `up` and reads `down`,
sync_agent alone removes from `up` and puts into `down`; one file each, whole or absent. A bag that is dropped costs
time and nothing else: its village keeps everything until the city's signed word covers it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offline_store.placing import place, placed, sweep_unfinished, take_away

BAG = ".bag"
_NODE = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[0-9a-f]{64}")
SHARED = 0o750


@dataclass(frozen=True, slots=True)
class Bag:
    """One waiting bag: whose it says it is, the name of its bundle, its size, and when it came."""

    node_id: str
    name: str
    length: int
    came: float
    path: Path


class Bags:
    """The folder `relay`."""

    def __init__(self, folder: Path) -> None:
        self._up = folder / "up"
        self._down = folder / "down"
        for part in (self._up, self._down):
            part.mkdir(mode=SHARED, parents=True, exist_ok=True)

    def put_up(self, node_id: str, name: str, body: bytes) -> None:
        """Keep a bag for the city; the same bag again is the same file."""
        path = self._up / f"{_checked(node_id, _NODE)}-{_checked(name, _NAME)}{BAG}"
        if not path.exists():
            place(path, body)

    def waiting(self) -> list[Bag]:
        """What waits for the city, in the order in which it came."""
        found = [_bag(Path(entry.path)) for entry in placed(self._up, BAG)]
        return sorted((bag for bag in found if bag is not None), key=lambda bag: (bag.came, bag.name))

    def forwarded(self, bag: Bag) -> None:
        """The city answered for it, or will never take it."""
        take_away(bag.path)

    def put_down(self, node_id: str, body: bytes) -> None:
        """Keep the city's answer for a village, in place of the one before."""
        place(self._down / f"{_checked(node_id, _NODE)}{BAG}", body)

    def down(self, node_id: str) -> bytes | None:
        """The newest answer for this village."""
        try:
            return (self._down / f"{_checked(node_id, _NODE)}{BAG}").read_bytes()
        except FileNotFoundError:
            return None

    def answered(self) -> Iterator[str]:
        """The nodes for which the city ever answered through here."""
        for entry in placed(self._down, BAG):
            yield entry.name.removesuffix(BAG)

    def sweep(self) -> int:
        """Remove what a killed program left half written; each program calls it for what it puts, at start."""
        return sweep_unfinished(self._up) + sweep_unfinished(self._down)


def _bag(path: Path) -> Bag | None:
    node_id, _, name = path.name.removesuffix(BAG).partition("-")
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Bag(node_id, name, found.st_size, found.st_mtime, path)


def _checked(text: str, form: re.Pattern[str]) -> str:
    """Names come from outside, and nothing but hex digits may ever become a path."""
    if not form.fullmatch(text):
        raise ValueError("not a name of a bag")
    return text
