"""The catalog as the console shows it: releases and their stage, which nodes say that they have them, who is revoked,
which notices stand.

Laws: a node that was not heard of for a day is not counted for the version it last named: it is unknown; without a
catalog there is a page that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from casework.notices import Notices
from casework.working_days import city_day
from city_gateway.acts.fleet import Asked, FleetLine, Standing, fleet
from city_gateway.acts.gateway import CITY_REGION, Gateway
from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.past import PastRelease, notices_in, past_releases, read_plain
from city_gateway.catalog.publication import Rollout
from city_gateway.catalog.repository import Published, Repository
from city_gateway.catalog.staging import stage_in

SHOWN = 12


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """One release; `nodes` were heard within a day and said that they have it."""

    version: int
    released_at: datetime | None
    stage: Rollout | None
    nodes: int
    in_force: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """Until when a list is believed by nodes that hear of it for the first time."""

    name: str
    version: int
    expires: datetime
    expired: bool


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice by its title and days; `in_force` where it holds today somewhere in the city."""

    title: str
    first: date | None
    last: date | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class CatalogView:
    """What an administrator sees of the catalog; `silent` nodes have an unknown version."""

    version: int
    releases: Sequence[ReleaseLine]
    nameless: int
    silent: int
    revoked: Sequence[FleetLine]
    revocation_number: int
    signatures: Sequence[Signature]
    notices: Sequence[NoticeLine]


def catalog_view(gateway: Gateway, region: str) -> CatalogView:
    """The catalog, and the nodes of a region."""
    lines = fleet(gateway, Asked(region=region)).lines
    speaking = [line for line in lines if line.standing is Standing.HEARD and line.report is not None]
    said = Counter(line.report.catalog_version for line in speaking if line.report is not None)
    silent = sum(line.standing is Standing.UNKNOWN or _said_nothing(line) for line in lines)
    withdrawn = gateway.revoked()
    revoked = [line for line in lines if line.node.node_id in withdrawn]
    repository = Repository(gateway.folder.root)
    try:
        published = repository.published()
        past = past_releases(repository, published)
        notices = notices_in(repository, published.targets)
        number = read_plain(repository, published.targets, "directory.json").get("revocations", {}).get("number", 0)
    except CatalogError:
        return CatalogView(0, [], said.pop(None, 0), silent, revoked, 0, [], [])
    now = gateway.clock()
    return CatalogView(
        published.content_version,
        _releases(past, published.content_version, said),
        said.get(None, 0),
        silent,
        revoked,
        number,
        _signatures(published, now),
        list(_notice_lines(notices, city_day(now))),
    )


def _said_nothing(line: FleetLine) -> bool:
    return line.standing is Standing.HEARD and line.report is None


def _releases(past: dict[int, PastRelease], in_force: int, said: Counter[int | None]) -> list[ReleaseLine]:
    """The newest ones, and whatever older one a node still has, also one that is not here."""
    versions = sorted(past, reverse=True)[:SHOWN]
    versions += sorted({one for one in said if one is not None} - set(versions), reverse=True)
    found = []
    for version in versions:
        known = past.get(version)
        stage = stage_in(known.custom) if known is not None else None
        at = known.released_at if known is not None else None
        found.append(ReleaseLine(version, at, stage, said.get(version, 0), version == in_force))
    return found


def _signatures(published: Published, now: datetime) -> list[Signature]:
    lists = [
        ("root", published.root.signed),
        ("targets", published.targets.signed),
        ("snapshot", published.snapshot.signed),
        ("timestamp", published.timestamp.signed),
        *((role, county.signed) for role, county in published.counties.items()),
    ]
    return [Signature(name, signed.version, signed.expires, signed.is_expired(now)) for name, signed in lists]


def _notice_lines(notices: Notices, today: date) -> Iterator[NoticeLine]:
    holding = {one.notice.notice_id for one in notices.reaching(CITY_REGION, today)}
    for one in notices.listed:
        yield NoticeLine(one.title, one.first, one.last, one.notice_id in holding)
