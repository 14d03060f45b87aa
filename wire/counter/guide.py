"""The catalog as the screen reads it: items, guides, regions, and one page of any list."""

from typing import Generic, TypeVar

from pydantic import Field

from wire.counter.notice import NoticeView
from wire.fields import Plain, Region, Told

Row = TypeVar("Row")


class Page(Told, Generic[Row]):
    """One page of a longer list."""

    rows: list[Row]
    total: int
    offset: int
    limit: int


class LimitView(Told):
    """A time limit as the guide tells it; a missing limit is unknown, never zero."""

    value: int | None
    unit: str | None
    basis: str | None = None


class ItemBrief(Told):
    """One line of the search result."""

    item_id: str
    name: str
    domain: str
    aliases: list[str] = Field(default_factory=list)
    proxy_mode: str
    service_mode: str
    promised: LimitView | None = None


class ItemGuide(Told):
    """A service item as it lies in the catalog, and whether an application may be collected here."""

    item: Plain
    form_id: str | None
    catalog_version: int
    may_collect: bool
    refusal: str | None = None
    notices: list[NoticeView] = Field(default_factory=list)


class RegionRow(Told):
    """One region of the tree."""

    code: Region
    name: str
    level: int


class DomainRow(Told):
    """One domain of the catalog and how many items it has."""

    name: str
    items: int
