"""A published catalog in a temporary folder, and an HTTP client that serves it without a socket."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import httpx

from city_gateway.catalog import publication
from city_gateway.catalog.repository import Repository, first_root
from sync_agent.catalog_fetch import Arrived, HttpFetcher, fetch_catalog

SEED = Path(__file__).parents[2] / "seed_catalog"
PASSPHRASE = "an invented passphrase"
RECIPIENT = bytes(range(32))
COUNTY = "511603"


def passphrase_of(_name: str) -> str:
    return PASSPHRASE


class CatalogWorld:
    """Gateway folder, key folder, source and one node's cache."""

    def __init__(self, root: Path) -> None:
        self.folder, self.keys, self.cache = root / "gateway", root / "keys", root / "cache"
        self.requests: list[str] = []
        self.received = 0

    @classmethod
    def published(cls, root: Path) -> CatalogWorld:
        """A city with its first release."""
        made = cls(root)
        made.begin()
        made.publish()
        return made

    def begin(self) -> None:
        publication.begin(self.folder, self.keys, passphrase_of, datetime.now(UTC))

    def publish(self, source: Path = SEED, **wanted: object) -> int:
        asked = publication.Wanted(source=source, recipients=[RECIPIENT], **wanted)  # type: ignore[arg-type]
        return publication.publish(self.folder, self.keys, passphrase_of, asked, datetime.now(UTC)).content_version

    @property
    def repository(self) -> Repository:
        return Repository(self.folder)

    @property
    def root(self) -> bytes:
        root = first_root(self.folder)
        assert root is not None
        return root

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url.path)
        path = self.folder / "catalog" / request.url.path.removeprefix("/v1/catalog/")
        if not path.is_file():
            return httpx.Response(404)
        return httpx.Response(200, content=gzip.compress(path.read_bytes()), headers={"content-encoding": "gzip"})

    def fetch(self, transport: httpx.BaseTransport | None = None) -> Arrived:
        with httpx.Client(transport=transport or httpx.MockTransport(self.answer)) as client:
            return fetch_catalog(
                cache=self.cache,
                trusted_root=self.root,
                gateway_url="http://gateway.invalid",
                county=COUNTY,
                fetcher=HttpFetcher(client, self._count),
                now=lambda: datetime.now(UTC),
            )

    def _count(self, received: int) -> None:
        self.received += received
