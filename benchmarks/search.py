"""Search: how long the API takes to find a service item among 3,000, and whether it finds all of them.

The 58 real items multiplied by townships under names of their own; asked over HTTP at the real counter application, in
process. Queries are pieces of real titles and aliases, and pinyin initials, as an agent would type them. Recall: of the
items whose title or alias contains what was typed (initials: whose initials do), the share that the pages list.

    python -m benchmarks.search [--items 3000] [--queries 1500] [--json FILE]
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import httpx

from benchmarks.catalogs import Plain, multiplied_items
from benchmarks.figures import Report, command_line
from benchmarks.village import AGENT, PASSPHRASE, Village, found_village, open_village
from edge_node.app import counter_app

ROWS_SHOWN: Final = 20
ROWS_READ: Final = 100
RECALL_QUERIES: Final = 150
WARM_UP: Final = 50
Query = Callable[[random.Random, Plain], str | None]


def piece_of_title(length: int) -> Query:
    """So many characters from anywhere in a real title."""
    return lambda rng, item: _piece(rng, item["name"], length)


def piece_of_alias(length: int) -> Query:
    """So many characters from anywhere in an alias."""
    return lambda rng, item: _piece(rng, rng.choice(item["aliases"] or [""]), length)


def piece_of_initials(length: int) -> Query:
    """So many initials of a title."""
    return lambda rng, item: _piece(rng, item["initials"], length)


def piece_of_alias_initials(length: int) -> Query:
    """So many initials of an alias."""
    return lambda rng, item: _piece(rng, rng.choice(item["initials_of_aliases"] or [""]), length)


KINDS: Final[dict[str, Query]] = {
    "2 characters of a title": piece_of_title(2),
    "3 characters of a title": piece_of_title(3),
    "6 characters of a title": piece_of_title(6),
    "2 characters of an alias": piece_of_alias(2),
    "4 characters of an alias": piece_of_alias(4),
    "2 initials": piece_of_initials(2),
    "4 initials": piece_of_initials(4),
    "2 initials of an alias": piece_of_alias_initials(2),
    "4 initials of an alias": piece_of_alias_initials(4),
}


def main() -> None:
    """Measure, print, write."""
    parser = command_line(__doc__)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--queries", type=int, default=1500, help="timed queries, shared among the kinds")
    asked = parser.parse_args()
    items = multiplied_items(asked.items)
    report = Report("search")
    report.add("items in the catalog", len(items), "items")
    with tempfile.TemporaryDirectory(prefix="guangan-search-") as folder:
        village = open_village(found_village(Path(folder), items))
        asyncio.run(_measure(report, village, items, asked.queries))
        village.close()
    report.write(asked.json)


async def _measure(report: Report, village: Village, items: Sequence[Plain], queries: int) -> None:
    rng = random.Random(20261123)
    transport = httpx.ASGITransport(app=counter_app(village.counter))
    async with httpx.AsyncClient(transport=transport, base_url="http://counter") as client:
        signed = await client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE})
        client.headers["authorization"] = f"Bearer {signed.raise_for_status().json()['session']}"
        everything: list[float] = []
        work: list[float] = []
        for kind, query in KINDS.items():
            typed = [_typed(rng, items, query) for _ in range(WARM_UP + queries // len(KINDS))]
            timed = [await _timed(client, text) for text in typed][WARM_UP:]
            report.spread(kind, [seconds for seconds, _ in timed])
            everything += [seconds for seconds, _ in timed]
            work += [seconds for _, seconds in timed]
            shares = [await _recall(client, items, text) for text in typed[:RECALL_QUERIES]]
            report.add(f"{kind}, recall (lowest of {len(shares)} queries)", min(shares), "of 1")
        report.spread("all queries at the API", everything)
        report.spread("all queries, processor time", work)


async def _timed(client: httpx.AsyncClient, text: str) -> tuple[float, float]:
    """Seconds by the clock on the wall, and seconds of the processor."""
    begun, worked = time.perf_counter(), time.process_time()
    answer = await client.get("/counter/items", params={"q": text, "limit": ROWS_SHOWN})
    seconds, work = time.perf_counter() - begun, time.process_time() - worked
    answer.raise_for_status()
    return seconds, work


async def _recall(client: httpx.AsyncClient, items: Sequence[Plain], text: str) -> float:
    wanted = {item["item_id"] for item in items if _answers_to(item, text)}
    listed: set[str] = set()
    while True:
        answer = await client.get("/counter/items", params={"q": text, "limit": ROWS_READ, "offset": len(listed)})
        page = answer.raise_for_status().json()
        listed |= {row["item_id"] for row in page["rows"]}
        if not page["rows"] or len(listed) >= page["total"]:
            return len(wanted & listed) / len(wanted)


def _answers_to(item: Plain, text: str) -> bool:
    said = [item["name"], *item["aliases"]]
    if text.isascii():
        said += [item["initials"], *item["initials_of_aliases"]]
    return any(text.casefold() in one.casefold() for one in said)


def _typed(rng: random.Random, items: Sequence[Plain], query: Query) -> str:
    while True:
        text = query(rng, rng.choice(items))
        if text is not None:
            return text


def _piece(rng: random.Random, text: str, length: int) -> str | None:
    """A piece of the text that is all Chinese or all letters, None where that place has none."""
    start = rng.randint(0, max(0, len(text) - length))
    piece = text[start : start + length]
    one_script = len({sign.isascii() for sign in piece}) == 1
    return piece if len(piece) == length and piece.isalnum() and one_script else None


if __name__ == "__main__":
    main()
