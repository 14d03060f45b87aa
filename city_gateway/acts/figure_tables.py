"""The figures as rows and columns, for the page, for CSV and for JSON.

Laws: what is not known is said to be unknown, never left out and never 0; what too few people rated is said to be
withheld; JSON has keys that stay, words are for people.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from casework.figures import Assessment, Figures, Share
from city_gateway.acts.catalog_words import words_of
from city_gateway.acts.figures import OnlineItems
from city_gateway.acts.gateway import Gateway
from city_gateway.ledger import nodes
from city_gateway.wording import say

COLUMNS = (
    "filed",
    "online_rate",
    "road_unknown",
    "returned_rate",
    "returns_each",
    "decided",
    "on_time_rate",
    "late",
    "limit_unknown",
    "doubtful",
    "overdue",
    "average_days",
    "rated",
    "good_rate",
    "average_level",
)
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "filed": (),
    "online_rate": ("road_unknown",),
    "returned_rate": ("returns_each",),
    "decided": ("average_days",),
    "on_time_rate": ("late", "limit_unknown", "doubtful"),
    "overdue": (),
    "good_rate": ("rated", "average_level"),
}
"""The columns of the page, each with what stands below it in small print."""

RATINGS = frozenset({"rated", "good_rate", "average_level"})
SITE, ITEM = "site", "item"


@dataclass(frozen=True, slots=True)
class Row:
    """One group: its code, what it is called, and its figures in the order of `COLUMNS`."""

    code: str
    name: str
    cells: tuple[str, ...]

    def cell(self, column: str) -> str:
        """One figure of this group."""
        return self.cells[COLUMNS.index(column)]


def rows(found: Assessment, by: str, names: Mapping[str, str], told: Callable[..., str] = say) -> list[Row]:
    """The whole, then each group."""
    groups = found.by_site if by == SITE else found.by_item
    whole = Row("", told("figures.whole"), cells(found.total, told))
    return [whole, *(Row(code, names.get(code, ""), cells(one, told)) for code, one in groups.items())]


def cells(figures: Figures, told: Callable[..., str] = say) -> tuple[str, ...]:
    """Each figure in words."""
    return tuple(_cell(figures, name, told) for name in COLUMNS)


def names_of(gateway: Gateway, by: str) -> dict[str, str]:
    """What sites or items are called."""
    if by == ITEM:
        return dict(words_of(gateway.folder.root).items)
    with gateway.ledger.reading() as tx:
        return {node.site: node.site_name for node in nodes.everyone(tx)}


def as_csv(found: Assessment, by: str, names: Mapping[str, str], told: Callable[..., str] = say) -> str:
    """A table that a spreadsheet opens."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [told(f"figures.by.{by}"), told("figures.name"), *(told(f"figures.column.{one}") for one in COLUMNS)]
    )
    writer.writerows([row.code, row.name, *row.cells] for row in rows(found, by, names, told))
    return "\ufeff" + out.getvalue()


def as_json(found: Assessment, online: OnlineItems) -> str:
    """Every figure under a key that stays; null is unknown, `withheld` is too few ratings."""
    told = {
        "first": found.period.first.isoformat(),
        "last": found.period.last.isoformat(),
        "items_online": {"yes": online.yes, "no": online.no, "unknown": online.unknown},
        "total": _plain(found.total),
        "by_site": {code: _plain(one) for code, one in found.by_site.items()},
        "by_item": {code: _plain(one) for code, one in found.by_item.items()},
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def _plain(figures: Figures) -> dict[str, object]:
    return dict(_plain_of(figures)) | {"withheld": figures.levels is None}


def _plain_of(figures: Figures) -> Iterator[tuple[str, object]]:
    for name in COLUMNS:
        value = getattr(figures, name)
        yield name, value.percent if isinstance(value, Share) else value


def _cell(figures: Figures, name: str, told: Callable[..., str]) -> str:
    if name in RATINGS and figures.levels is None:
        return told("figures.withheld")
    value = getattr(figures, name)
    if isinstance(value, Share):
        if value.percent is None:
            return told("answer.unknown")
        return told("figures.share", percent=value.percent, part=value.part, whole=value.whole)
    return told("answer.unknown") if value is None else str(value)
