"""A gateway opened for one command, and closed after it; what is refused is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from city_gateway.acts.gateway import Gateway
from city_gateway.app import Settings, open_gateway
from city_gateway.plain_errors import plain_errors


@contextmanager
def opened(database: str, folder: Path, *, public_url: str = "", scans: str | None = None) -> Iterator[Gateway]:
    """The gateway of this folder and ledger; `public_url` and `scans` where the command has to do with them."""
    with plain_errors():
        gateway = open_gateway(Settings(database, folder, public_url, scans=scans))
        try:
            yield gateway
        finally:
            gateway.ledger.close()
