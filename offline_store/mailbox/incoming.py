"""What the courier brought: the city's feed, the last receipt, a refusal, which scans arrived, how the line is.

Laws: sync_agent alone puts, edge_node alone removes; nothing here has authority before edge_node has checked the
signature; putting the same thing twice is the same file. A feed envelope that comes again replaces the one that lies
there: a forged or torn one must never block the true one.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from offline_store.errors import DamagedFile
from offline_store.mailbox.line import LineState
from offline_store.paths import checked_hash
from offline_store.placing import place, placed, sweep_unfinished, take_away

FEED = ".feed"
STORED = ".stored"
DAMAGED = ".damaged"
RECEIPT = "receipt.json"
REFUSAL = "refusal.json"
LINE = "line.json"


class Incoming:
    """The folder `mailbox/incoming`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._feed = folder / "feed"
        self._stored = folder / "scans-stored"
        self._damaged = folder / "scans-damaged"
        for part in (self._feed, self._stored, self._damaged):
            part.mkdir(mode=0o750, parents=True, exist_ok=True)

    def put_feed(self, seq: int, data: bytes) -> None:
        path = self._feed / f"{seq:016d}{FEED}"
        try:
            if path.read_bytes() == data:
                return
        except FileNotFoundError:
            pass
        place(path, data)

    def feed(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Number and sealed bytes of every feed envelope after `after`, in order."""
        for entry in placed(self._feed, FEED):
            seq = int(entry.name.removesuffix(FEED))
            if seq > after:
                try:
                    data = Path(entry.path).read_bytes()
                except FileNotFoundError:
                    continue
                yield seq, data

    def remove_feed(self, seq: int) -> None:
        take_away(self._feed / f"{seq:016d}{FEED}")

    def put_receipt(self, document: Mapping[str, Any]) -> None:
        """Keep the newest signed receipt; the signed document goes in as it came."""
        place(self._folder / RECEIPT, _json(document))

    def receipt(self) -> dict[str, Any] | None:
        return _document(self._folder / RECEIPT)

    def put_refusal(self, document: Mapping[str, Any]) -> None:
        """Keep a signed refusal of the gateway (fork, revoked, ...) for edge_node to check and show."""
        place(self._folder / REFUSAL, _json(document))

    def refusal(self) -> dict[str, Any] | None:
        return _document(self._folder / REFUSAL)

    def clear_refusal(self) -> None:
        take_away(self._folder / REFUSAL)

    def put_line(self, state: LineState) -> None:
        place(self._folder / LINE, state.to_bytes())

    def line(self) -> LineState | None:
        try:
            return LineState.from_bytes((self._folder / LINE).read_bytes())
        except FileNotFoundError:
            return None

    def mark_scan_stored(self, scan_hash: str, receipt: Mapping[str, Any]) -> None:
        """The gateway says on this signed receipt that it holds the scan whole; edge_node checks the signature."""
        place(self._stored / f"{checked_hash(scan_hash)}{STORED}", _json(receipt))

    def stored_scans(self) -> list[str]:
        """Hashes for which a receipt lies here, unchecked."""
        return [entry.name.removesuffix(STORED) for entry in placed(self._stored, STORED)]

    def scan_receipt(self, scan_hash: str) -> dict[str, Any] | None:
        """The signed receipt that came for this scan."""
        return _document(self._stored / f"{scan_hash}{STORED}")

    def clear_scan_stored(self, scan_hash: str) -> None:
        take_away(self._stored / f"{scan_hash}{STORED}")

    def clear_words(self) -> int:
        """Take away what the city said to an identity that is no more: receipt, refusal, feed, words about scans."""
        gone = [self._folder / RECEIPT, self._folder / REFUSAL]
        gone += [Path(entry.path) for entry in placed(self._feed, FEED)]
        gone += [Path(entry.path) for entry in placed(self._stored, STORED)]
        return sum(take_away(path) for path in gone)

    def mark_scan_damaged(self, scan_hash: str, reason: str) -> None:
        """The bytes that lie in the vault under this name are not those of the name (`rotten`), or none lie there
        (`vanished`); edge_node looks for itself."""
        place(self._damaged / f"{checked_hash(scan_hash)}{DAMAGED}", reason.encode("ascii"))

    def damaged_scans(self) -> dict[str, str]:
        """Hashes that the courier could not send, with its reason."""
        return {
            entry.name.removesuffix(DAMAGED): Path(entry.path).read_text("ascii", "replace")
            for entry in placed(self._damaged, DAMAGED)
        }

    def clear_scan_damaged(self, scan_hash: str) -> None:
        take_away(self._damaged / f"{scan_hash}{DAMAGED}")

    def sweep(self) -> int:
        """Remove what a killed sync_agent left half written; only sync_agent calls it, at start."""
        return sum(sweep_unfinished(part) for part in (self._folder, self._feed, self._stored, self._damaged))


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(document), sort_keys=True).encode()


def _document(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as broken:
        raise DamagedFile(path.name) from broken
    if not isinstance(document, dict):
        raise DamagedFile(path.name)
    return document
