"""What making, checking and restoring have in their hands; clock, chance and places are handed in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from city_gateway.acts.gateway import DictionaryShelf, Gateway
from city_gateway.acts.opening import receive
from city_gateway.backup.reliance import Opened
from city_gateway.backup.shelf import Shelf
from city_gateway.folder import GatewayFolder
from city_gateway.keys import GatewayKeys
from city_gateway.ledger.database import Ledger
from city_gateway.scan_store.store import ScanStore

SCRATCH = ".backup-scratch-"


@dataclass(frozen=True, slots=True)
class Workshop:
    """One gateway's backups. `trial_url` is where a PostgreSQL ledger is restored on trial (the live one's server,
    unless another is named); `dictionaries` reads the compression dictionaries of a published catalog."""

    ledger: Ledger
    trial_url: str
    folder: Path
    scans: ScanStore
    keys: GatewayKeys
    shelf: Shelf
    clock: Callable[[], datetime]
    randomness: Callable[[int], bytes]
    dictionaries: Callable[[Path], Mapping[int, bytes]]

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for plain copies, beside the live ledger's own files and readable by this user alone."""
        for left in self.folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self.folder))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def opener(self, catalog_in: Path) -> Opened:
        """How an envelope is opened with the keys at hand and the dictionaries of that catalog."""
        gateway = Gateway(
            ledger=self.ledger,
            keys=self.keys,
            folder=GatewayFolder(self.folder),
            scans=self.scans,
            public_url="",
            clock=self.clock,
            randomness=self.randomness,
            dictionaries=DictionaryShelf(lambda: self.dictionaries(catalog_in)),
            first_root=lambda: None,
        )
        return lambda author, envelope: receive(gateway, author, envelope)
