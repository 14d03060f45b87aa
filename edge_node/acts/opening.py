"""One application laid open on the township's table: how it is shown, what it is, and the guide it was filed under.

Laws: everything is read in one look, so that no part is older than another; the look is recorded once a session; the
guide is that of the application's own version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from casework.application import Application
from casework.catalog import ServiceItem
from casework.forms import Form
from casework.working_days import city_day
from edge_node.acts import audit, notice_reading, showing
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.counter.visibility import visible
from wire.counter import ApplicationDetail, NoticeView

REGION_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class LaidOpen:
    """An application and everything it is read by."""

    detail: ApplicationDetail
    application: Application
    item: ServiceItem
    form: Form
    newest_version: int
    regions: Mapping[str, str]
    notices: Sequence[NoticeView]
    """The notices that hold today for this item where it was filed."""

    def region_name(self, code: str) -> str:
        """The name of a region, empty where the catalog has none."""
        return named(self.regions, code)


def named(regions: Mapping[str, str], code: str) -> str:
    """The name of a region by its full or shortened code, empty where the catalog has none."""
    return regions.get(code.ljust(REGION_DIGITS, "0"), "")


def lay_open(counter: Counter, who: AtCounter, application_id: str) -> LaidOpen:
    """Read one application for somebody who may see it."""
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        known = visible(tx, who.actor, application_id)
        it = known.shown
        version = it.catalog_version if known.erased_at is None else None  # of what was erased the guide may be gone
        found = LaidOpen(
            detail=showing.detail(counter, tx, known, reading, who.actor),
            application=it,
            item=counter.shelf.item(tx, it.item_id, version),
            form=counter.shelf.form(tx, it.form_id, version),
            newest_version=counter.shelf.active_version(tx),
            regions=counter.shelf.region_names(tx),
            notices=notice_reading.for_item(counter, tx, it.item_id, it.site, city_day(reading.now)),
        )
    audit.viewed(counter, who, application_id)
    return found


def region_names(counter: Counter) -> Mapping[str, str]:
    """The names of all regions by their full code."""
    with counter.desk.reading() as tx:
        return counter.shelf.region_names(tx)
