"""Catalogs to measure with: the 58 real items, and the same multiplied by regions to the size of a whole city."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import Any

from casework.identifiers import TOWNSHIP, region_level
from city_gateway.catalog.dictionary import build_dictionary
from city_gateway.catalog.pinyin import initials
from offline_store.desk.catalog import Edition
from wire.envelope import Dictionary

SEED = Path(__file__).parents[1] / "seed_catalog"
DOCUMENTS = ("calendar", "regions", "notices", "documents", "policies", "codes")
Plain = dict[str, Any]


@cache
def seed(name: str) -> Any:  # noqa: ANN401 - it is JSON
    """One file of the seed catalog."""
    return json.loads((SEED / f"{name}.json").read_text("utf-8"))


def real_items() -> list[Plain]:
    """The items as a release carries them, initials included."""
    return [_with_initials(item) for item in seed("items")["items"]]


def multiplied_items(count: int) -> list[Plain]:
    """The real items again for township after township, each under a name of its own, until there are `count`."""
    listed = seed("regions")["regions"]
    townships = [one for one in listed if region_level(one["code"]) >= TOWNSHIP]
    regions = [None, *townships]
    found = []
    for region, item in islice(product(regions, seed("items")["items"]), count):
        if region is None:
            found.append(_with_initials(item))
            continue
        own = {"item_id": f"{item['item_id']}-{region['code']}", "name": f"{region['name']}{item['name']}"}
        found.append(_with_initials(item | own))
    return found


def edition(items: list[Plain], now: datetime, version: int = 1) -> Edition:
    """A release of these items, with the real forms, documents and dictionary."""
    forms = seed("forms")["forms"]
    return Edition(
        version=version,
        released_at=now,
        items=items,
        forms=forms,
        documents={name: seed(name) for name in DOCUMENTS},
        dictionaries=[Dictionary(1, build_dictionary(forms))],
    )


def _with_initials(item: Plain) -> Plain:
    aliases = item.get("aliases") or []
    return item | {"initials": initials(item["name"]), "initials_of_aliases": [initials(alias) for alias in aliases]}
