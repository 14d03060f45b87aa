"""Bytes of a catalog on the wire: a node's first pull of 3,000 items, and its update after 31 of them changed.

The 58 real items and their real forms, multiplied by townships under names and numbers of their own, published with
real keys, served by a real gateway process and fetched by the courier's own code, python-tuf's metadata included.
Counted at the application: request and status lines, headers and bodies as they travel, both ways. Beside it the
payload: all entries compressed as one file, and the changed entries compressed as one file.

    python -m benchmarks.catalog_bytes [--items 3000] [--changed 31] [--json FILE]
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.catalogs import SEED, Plain, multiplied_items, seed
from benchmarks.figures import Report, command_line
from city_gateway.keys import make_keys
from provisioning.demo_world import Program, free_port
from sync_agent.catalog_fetch import HttpFetcher, fetch_catalog
from tests.city_gateway.catalog_world import COUNTY, CatalogWorld
from wire.canonical import canonical_json

START_S: Final = 40.0
POLL_S: Final = 0.05
OWN_FIELDS: Final = frozenset({"initials", "initials_of_aliases"})


@dataclass(slots=True)
class Counted:
    """What passed, both ways."""

    requests: int = 0
    sent: int = 0
    received: int = 0

    def of_request(self, request: httpx.Request) -> None:
        """A request line and its headers."""
        self.requests += 1
        self.sent += len(f"{request.method} {request.url.path} HTTP/1.1\r\n\r\n") + _headers(request.headers)

    def of_answer(self, answer: httpx.Response) -> None:
        """A status line and its headers; the body is counted as it is read."""
        self.received += len("HTTP/1.1 200 OK\r\n\r\n") + _headers(answer.headers)

    def of_body(self, more: int) -> None:
        """Bytes of a body as they travelled."""
        self.received += more


def _headers(headers: httpx.Headers) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers.raw)


def main() -> None:
    """Measure, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--changed", type=int, default=31)
    asked = parser.parse_args()
    report = Report("catalog_bytes")
    entries = _entries(asked.items)
    with tempfile.TemporaryDirectory(prefix="guangan-catalog-") as folder:
        _measure(report, Path(folder), entries, asked.changed)
    report.write(asked.json)


def _measure(report: Report, folder: Path, entries: list[tuple[Plain, Plain]], changed: int) -> None:
    city = CatalogWorld(folder)
    city.begin()
    city.publish(_written(folder / "source", entries))
    with _served(city.folder) as url:
        _look_at_both(report, city, folder / "source", url, entries, changed)


def _look_at_both(
    report: Report, city: CatalogWorld, source: Path, url: str, entries: list[tuple[Plain, Plain]], changed: int
) -> None:
    payload = _packed(pair[position] for position in (0, 1) for pair in entries)
    report.add("items in the catalog", len(entries), "items")
    report.add("the entries, compressed as one file", payload, "bytes")
    first = _fetch(city, url)
    report.add("first pull, both ways", first.sent + first.received, "bytes")
    report.add("first pull against the payload", (first.sent + first.received) / payload, "times")
    report.add("its requests", first.requests, "requests")
    rng = random.Random(20261127)
    chosen = rng.sample(range(len(entries)), changed)
    for number in chosen:
        item, form = entries[number]
        entries[number] = (item | {"conditions": [*item["conditions"], f"第{number}号补充条件"]}, form)
    city.publish(_written(source, entries))
    payload = _packed(entries[number][0] for number in chosen)
    report.add("items changed, at random places", changed, "items")
    report.add("the changed entries, compressed as one file", payload, "bytes")
    update = _fetch(city, url)
    report.add("update, both ways", update.sent + update.received, "bytes")
    report.add("update against the payload", (update.sent + update.received) / payload, "times")
    report.add("its requests", update.requests, "requests")
    nothing = _fetch(city, url)
    report.add("a look that finds nothing new, both ways", nothing.sent + nothing.received, "bytes")


def _entries(count: int) -> list[tuple[Plain, Plain]]:
    """Items, each with a form of its own: every id of the copy carries the number of its place."""
    forms = {form["form_id"]: form for form in seed("forms")["forms"]}
    found = []
    for number, copied in enumerate(multiplied_items(count)):
        own = f"{copied['item_id']}-{number}"
        form = forms[copied["form_id"]] | {"form_id": f"{copied['form_id']}-{number}", "item_id": own}
        item = {name: value for name, value in copied.items() if name not in OWN_FIELDS}
        materials = [one | {"material_id": f"{one['material_id']}-{number}"} for one in copied["materials"]]
        found.append((item | {"item_id": own, "form_id": form["form_id"], "materials": materials}, form))
    return found


def _written(source: Path, entries: list[tuple[Plain, Plain]]) -> Path:
    source.mkdir(exist_ok=True)
    for path in SEED.glob("*.json"):
        (source / path.name).write_bytes(path.read_bytes())
    for name, position in (("items", 0), ("forms", 1)):
        whole = seed(name) | {name: [pair[position] for pair in entries]}
        (source / f"{name}.json").write_text(json.dumps(whole, ensure_ascii=False), "utf-8")
    return source


def _packed(entries: Iterator[Any]) -> int:
    return len(gzip.compress(canonical_json(list(entries)), compresslevel=9, mtime=0))


@contextlib.contextmanager
def _served(gateway: Path) -> Iterator[str]:
    """The gateway's own process over this folder."""
    make_keys(gateway / "keys", os.urandom)
    url = f"http://127.0.0.1:{free_port()}"
    arguments = ("city_gateway", "serve", "--database", f"sqlite:///{gateway / 'ledger.db'}", "--folder", str(gateway))
    listening = ("--listen", url.removeprefix("http://"), "--public-url", url)
    program = Program("gateway", (*arguments, *listening), dict(os.environ), gateway / "gateway.log")
    program.start()
    try:
        _until_it_answers(program, url)
        yield url
    finally:
        program.stop()


def _until_it_answers(program: Program, url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        program.must_live()
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/v1/health", trust_env=False).is_success:
                return
        time.sleep(POLL_S)
    raise TimeoutError(program.name)


def _fetch(city: CatalogWorld, url: str) -> Counted:
    """One look of a courier at the published catalog."""
    counted = Counted()
    hooks = {"request": [counted.of_request], "response": [counted.of_answer]}
    with httpx.Client(trust_env=False, event_hooks=hooks) as client:
        fetch_catalog(
            cache=city.cache,
            trusted_root=city.root,
            gateway_url=url,
            county=COUNTY,
            fetcher=HttpFetcher(client, counted.of_body),
            now=lambda: datetime.now(UTC),
        )
    return counted


if __name__ == "__main__":
    main()
