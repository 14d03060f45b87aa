"""The assessment figures of a region and some months, as of one moment.

Laws: whole months, so that nobody moves a day to and fro around a rating; the limit of an application is that of the
catalog it was filed under, and where that release is not here any more the limit is unknown; a region sees its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from casework.application import Application
from casework.catalog import ServiceItem
from casework.figures import Assessment, Counted, Period, assess
from casework.months import month_of
from casework.notices import Notices
from casework.standstill import Standstill
from casework.time_limits import Calendar
from casework.working_days import CITY_TIME, city_day
from city_gateway.acts.gateway import Gateway
from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.past import INDEX, PastRelease, notices_in, past_releases, read_plain
from city_gateway.catalog.repository import Published, Repository
from city_gateway.errors import PeriodWrong
from city_gateway.ledger.counted import counted

CLOCKS_APART = timedelta(days=31)
"""A node's clock may have written the moment of a rating; the city's moves are looked through a little wider."""


@dataclass(slots=True)
class Guides:
    """The items of every release that is here, by version, each read once; and the calendar in force."""

    repository: Repository
    published: Published | None
    _versions: Mapping[int, PastRelease] = field(default_factory=dict)
    _items: dict[int, dict[str, ServiceItem]] = field(default_factory=dict)

    @classmethod
    def of(cls, repository: Repository) -> Guides:
        """The guides of a folder; none where nothing is published."""
        try:
            published = repository.published()
            return cls(repository, published, past_releases(repository, published))
        except CatalogError:
            return cls(repository, None)

    def item(self, version: int, item_id: str) -> ServiceItem | None:
        """The item as it was in a release; None where that is not known."""
        if version not in self._items:
            self._items[version] = self._read(version)
        return self._items[version].get(item_id)

    def in_force(self) -> list[ServiceItem]:
        """Every item of the release in force."""
        version = self.published.content_version if self.published is not None else 0
        self.item(version, "")
        return list(self._items[version].values())

    def calendar(self) -> Calendar:
        """The working days in force; an estimate where there is no catalog."""
        if self.published is None:
            return Calendar()
        plain = read_plain(self.repository, self.published.targets, "calendar.json")
        return Calendar.from_plain(plain or {"years": []})

    def notices(self) -> Notices:
        """The emergency notices of the release in force; none where there is no catalog."""
        try:
            return notices_in(self.repository, self.published.targets) if self.published is not None else Notices()
        except CatalogError:
            return Notices()

    def _read(self, version: int) -> dict[str, ServiceItem]:
        if version not in self._versions:
            return {}
        listed = self._versions[version].targets
        try:
            paths = read_plain(self.repository, listed, INDEX).get("items", [])
            entries = [one for path in paths for one in read_plain(self.repository, listed, path)["items"]]
        except CatalogError:
            return {}
        return {one["item_id"]: ServiceItem.from_plain(one) for one in entries}


@dataclass(frozen=True, slots=True)
class OnlineItems:
    """How many items of the catalog say that they can be applied for online, that they cannot, and nothing."""

    yes: int
    no: int
    unknown: int


def assessment(gateway: Gateway, region: str, period: Period) -> tuple[Assessment, OnlineItems]:
    """The figures, and what the catalog says of its items."""
    guides = Guides.of(Repository(gateway.folder.root))
    since = datetime.combine(period.first, time(), CITY_TIME).astimezone(UTC) - CLOCKS_APART
    with gateway.ledger.snapshot() as tx:
        ones = (
            Counted(application, guides.item(application.catalog_version, application.item_id), road, level)
            for application, level, road in counted(tx, region, since)
        )
        now, notices = gateway.clock(), guides.notices()

        def declared(one: Application) -> Sequence[Standstill]:
            return notices.standstills(one.item_id, one.site, city_day(now))

        found = assess(ones, period, guides.calendar(), now, declared)
    said = [(item.raw.get("online") or {}).get("available") for item in guides.in_force()]
    online = OnlineItems(sum(one is True for one in said), sum(one is False for one in said), said.count(None))
    return found, online


def months(first: str, last: str) -> Period:
    """From the first day of one month to the last of another, both as YYYY-MM, or PeriodWrong.

    >>> months("2026-02", "2026-02").last
    datetime.date(2026, 2, 28)
    """
    begin, end = month_of(first), month_of(last)
    if begin is None or end is None or begin.first > end.first:
        raise PeriodWrong
    return Period(begin.first, end.last)


def this_month(now: datetime) -> str:
    """The month of the city's today."""
    return f"{city_day(now):%Y-%m}"
