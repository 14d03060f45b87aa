"""Looking up any service offline: search, guide with notices and proxy rule, forms, regions, domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from casework import proxy
from casework.working_days import city_day
from edge_node.acts import notice_reading
from edge_node.counter.counter import Counter
from edge_node.counter.errors import UnknownForm, UnknownItem
from offline_store.desk import catalog
from offline_store.errors import Unknown
from wire.counter import DomainRow, ItemBrief, ItemGuide, LimitView, Page, RegionRow
from wire.fields import Plain

MAX_PAGE: Final = 100


def search(
    counter: Counter, text: str = "", *, domain: str | None = None, offset: int = 0, limit: int = 20
) -> Page[ItemBrief]:
    """The items that answer to what a villager calls them, best first."""
    offset, limit = max(0, offset), max(1, min(limit, MAX_PAGE))
    with counter.desk.reading() as tx:
        counter.shelf.active_version(tx)
        found = catalog.search(tx, text, limit, domain=domain, offset=offset)
    rows = [
        ItemBrief(
            item_id=line.item_id,
            name=line.name,
            domain=line.domain,
            aliases=list(line.aliases),
            proxy_mode=line.proxy_mode,
            service_mode=line.service_mode,
            promised=_limit(line.promised),
        )
        for line in found.rows
    ]
    return Page[ItemBrief](rows=rows, total=found.total, offset=offset, limit=limit)


def guide(counter: Counter, item_id: str, version: int | None = None) -> ItemGuide:
    """One item in full, with the notices in force here and whether it may be collected at this counter.

    `version` asks for the guide a draft is pinned to, which stays readable although a newer catalog dropped the item.
    """
    today = city_day(counter.clock.read().now)
    with counter.desk.reading() as tx:
        version = version or counter.shelf.active_version(tx)
        item = counter.shelf.item(tx, item_id, version)
        notices = notice_reading.for_item(counter, tx, item_id, counter.node.site, today)
    refusal = proxy.may_collect(item, {})
    return ItemGuide(
        item=dict(item.raw),
        form_id=item.form_id,
        catalog_version=version,
        may_collect=refusal is None,
        refusal=refusal.code if refusal else None,
        notices=notices,
    )


def form(counter: Counter, form_id: str, version: int | None = None) -> Plain:
    """A form as it lies in the catalog, of the active version or the one a draft is pinned to."""
    with counter.desk.reading() as tx:
        try:
            return catalog.form_plain(tx, form_id, version)
        except Unknown:
            raise UnknownForm(ref=form_id) from None


def item(counter: Counter, item_id: str, version: int | None = None) -> Plain:
    """An item as it lies in the catalog, of the active version or the one named."""
    with counter.desk.reading() as tx:
        try:
            return catalog.item_plain(tx, item_id, version)
        except Unknown:
            raise UnknownItem(ref=item_id) from None


def domains(counter: Counter) -> list[DomainRow]:
    """The subject areas, and how many items each has."""
    with counter.desk.reading() as tx:
        return [DomainRow(name=one.domain, items=one.items) for one in catalog.domains(tx)]


def regions(counter: Counter, parent: str | None = None) -> list[RegionRow]:
    """The regions below one, or the top of the tree."""
    with counter.desk.reading() as tx:
        plain = counter.shelf.document(tx, "regions")
    listed = plain.get("regions") or () if isinstance(plain, Mapping) else ()
    return [
        RegionRow(code=one["code"], name=one["name"], level=one["level"])
        for one in listed
        if one.get("parent") == (parent or None)
    ]


def document(counter: Counter, name: str) -> Plain | None:
    """A whole document of the catalog: policies, documents, codes, faq, notices."""
    with counter.desk.reading() as tx:
        found = counter.shelf.document(tx, name)
    return dict(found) if isinstance(found, Mapping) else None


def _limit(plain: Mapping[str, Any] | None) -> LimitView | None:
    if not plain or plain.get("value") is None:
        return None
    return LimitView(value=plain["value"], unit=plain.get("unit"), basis=plain.get("basis"))
