"""A city with a published catalog that ages, rotates and is upgraded while a village is away; and the same city of old.

`newer_gateway` speaks as a gateway two versions ahead: fields that nobody here knows in everything it signs and seals,
and entries of a version that this node cannot read. `older_gateway` knows nothing of what was added since: it does not
see the new fields of a question and does not say the new ones of an answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from city_gateway import faults
from city_gateway.acts import enrol as enrolling
from city_gateway.acts import feed, receive, renewal
from city_gateway.catalog import publication
from city_gateway.keys import rotate_sealing
from city_gateway.routes import exchange as exchange_door
from offline_store.paths import NodePaths
from sync_agent import loop
from sync_agent.catalog_errand import LOOKED, REFUSED, Errand
from sync_agent.catalog_fetch import CatalogRefused, HttpFetcher, fetch_catalog
from tests.city_gateway.catalog_world import SEED, passphrase_of
from tests.city_gateway.gateway_fixtures import City
from wire.canonical import canonical_json
from wire.enrolment import ENROLMENT_LABEL
from wire.messages import REFUSAL_LABEL, FeedEntry, read_request
from wire.receipt import RECEIPT_LABEL
from wire.signed import SignedDocument, sign_document

FROM_THE_FUTURE = {"said_by": {"protocol": 3, "program": "9.9.9"}, "hints": ["unheard of"], "weight": 1.5}
ADDED_SINCE = {"catalog_mark", "renewal", "scans_again"}
ASKED_SINCE = {"enrolled_until", "hold_s", "catalog_mark"}


class Publisher:
    """Who publishes in this city; the holders' keys lie beside the gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder, folder.parent / "catalog-holders"

    def begin(self, now: datetime) -> None:
        publication.begin(self.folder, self.keys, passphrase_of, now)
        self.publish(now)

    def publish(self, now: datetime) -> int:
        from city_gateway.keys import load_keys

        recipients = [load_keys(self.folder / "keys").newest_sealing.public]
        asked = publication.Wanted(source=SEED, recipients=recipients)
        return publication.publish(self.folder, self.keys, passphrase_of, asked, now).content_version

    def renew_root(self, now: datetime, times: int) -> int:
        return max(publication.renew_root(self.folder, self.keys, passphrase_of, now) for _ in range(times))

    def rotate_sealing(self) -> None:
        rotate_sealing(self.folder / "keys", os.urandom)


def served_from(folder: Path, monkeypatch: pytest.MonkeyPatch, now: Callable[[], datetime]) -> None:
    """The courier's look at the catalog goes to the published files, without a socket and in this process."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = folder / "catalog" / request.url.path.removeprefix("/v1/catalog/")
        return httpx.Response(200, content=path.read_bytes()) if path.is_file() else httpx.Response(404)

    async def send(paths: NodePaths, _offset: float) -> Errand:
        root = (folder / "catalog" / "metadata" / "1.root.json").read_bytes()
        try:
            with httpx.Client(transport=httpx.MockTransport(answer)) as client:
                fetch_catalog(
                    cache=paths.catalog_cache,
                    trusted_root=root,
                    gateway_url="http://city.test",
                    county="511603",
                    fetcher=HttpFetcher(client),
                    now=now,
                )
        except CatalogRefused as refused:
            return Errand(REFUSED, refused.check)
        return Errand(LOOKED)

    monkeypatch.setattr(loop.catalog_errand, "send", send)


def newer_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions ahead."""

    def signing(label: str) -> Callable[[BaseModel, Any], SignedDocument]:
        return lambda message, key: sign_document(label, message.model_dump(mode="json") | FROM_THE_FUTURE, key)

    def body(entry: FeedEntry) -> bytes:
        plain = entry.model_dump(mode="json", exclude_defaults=True) | {"v": entry.v} | FROM_THE_FUTURE
        return canonical_json(plain)

    monkeypatch.setattr(receive, "sign_receipt", signing(RECEIPT_LABEL))
    monkeypatch.setattr(faults, "sign_refusal", signing(REFUSAL_LABEL))
    monkeypatch.setattr(feed, "body_of", body)
    for room in (enrolling, renewal):
        monkeypatch.setattr(room, "sign_enrolment", signing(ENROLMENT_LABEL))


def older_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the time before anything was added to the messages."""

    def sign(message: BaseModel, key: Any) -> SignedDocument:
        plain = {name: value for name, value in message.model_dump(mode="json").items() if name not in ADDED_SINCE}
        return sign_document(RECEIPT_LABEL, plain, key)

    def read(body: bytes) -> Any:
        asked = read_request(body)
        fields = type(asked.head).model_fields
        forgotten = {name: fields[name].get_default(call_default_factory=True) for name in ASKED_SINCE}
        return type(asked)(asked.head.model_copy(update=forgotten), asked.envelopes)

    monkeypatch.setattr(receive, "sign_receipt", sign)
    monkeypatch.setattr(exchange_door, "read_request", read)


def entry_of_another_version(city: City, node_id: str) -> None:
    """The newer gateway once says something that only a newer node can read."""
    from city_gateway.ledger import nodes

    gateway = city.gateway

    def act(tx: Any) -> None:
        reader = nodes.find(tx, node_id)
        assert reader is not None
        entry = FeedEntry(application_id=None, case_seq=0, author_role="city", result="recorded")
        real, feed.body_of = feed.body_of, _of_version_three
        try:
            feed.tell(gateway, tx, [feed.Draft(reader, entry)])
        finally:
            feed.body_of = real

    gateway.ledger.run(act)


def _of_version_three(entry: FeedEntry) -> bytes:
    plain: Mapping[str, Any] = entry.model_dump(mode="json", exclude_defaults=True)
    return canonical_json(dict(plain) | {"v": 3, "shape": "another"})
