"""The parsed guides this counter works with: items, forms, calendar, by catalog version.

Laws: what lies in a version never changes, so a parsed entry may be kept; the shelf is bounded and holds no personal
data. An application or draft is read by the guide of *its* version; where another node filed it under a version this
node never had, by the active one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from casework.catalog import ServiceItem
from casework.errors import MalformedCatalog
from casework.forms import Form
from casework.materials import returnable
from casework.notices import Notices
from casework.regions import RegionTable
from casework.working_days import Calendar
from edge_node.counter.errors import NoCatalog, UnknownForm, UnknownItem
from offline_store.desk import catalog
from offline_store.desk.database import Transaction
from offline_store.errors import CatalogMissing, Unknown
from wire.canonical import unb64
from wire.envelope import NO_DICTIONARY, Dictionary

T = TypeVar("T")
KEPT: Final = 48


class GuideShelf:
    """Items, forms and documents of the catalog, parsed once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, int], Any] = OrderedDict()
        self._lock = threading.Lock()
        self._active: int | None = None

    def active_version(self, tx: Transaction) -> int:
        """The version in use."""
        if self._active is None:
            now = catalog.active(tx)
            if now is None:
                raise NoCatalog
            self._active = now.version
        return self._active

    def newly_activated(self, version: int) -> None:
        """Another version came into use; called after the commit that activated it."""
        with self._lock:
            self._active = version
            self._kept.clear()

    def item(self, tx: Transaction, item_id: str, version: int | None = None) -> ServiceItem:
        """A service item as that version describes it."""
        return self._of_version(tx, "item", item_id, version, catalog.item, UnknownItem)

    def holds(self, tx: Transaction, item_id: str, version: int) -> bool:
        """Whether the guide of just that version is still here."""
        try:
            self._kept_as("item", item_id, version, partial(catalog.item, tx, item_id, version))
        except (Unknown, CatalogMissing):
            return False
        return True

    def form(self, tx: Transaction, form_id: str, version: int | None = None) -> Form:
        """A form as that version describes it."""
        return self._of_version(tx, "form", form_id, version, catalog.form, UnknownForm)

    def labels(self, tx: Transaction, item_id: str, form_id: str, version: int | None) -> Mapping[tuple[str, str], str]:
        """What the guide calls everything that a return may name."""
        try:
            item, form = self.item(tx, item_id, version), self.form(tx, form_id, version)
        except (UnknownItem, UnknownForm, NoCatalog):
            return {}
        return {(one.kind, one.ref): one.name for one in returnable(item, form)}

    def item_name(self, tx: Transaction, item_id: str, version: int | None = None) -> str:
        """The name of an item, of the version in use where that one is gone; its id where none here knows it."""
        for known in (version, None):
            try:
                return self.item(tx, item_id, known).name
            except (UnknownItem, NoCatalog):
                continue
        return item_id

    def calendar(self, tx: Transaction) -> Calendar:
        """The working-day calendar in use; an empty one, which only estimates, where none was shipped."""
        return self._kept_as("calendar", "", self.active_version(tx), lambda: Calendar.from_plain(_calendar(tx)))

    def notices(self, tx: Transaction) -> Notices:
        """The emergency notices of the version in use."""
        return self._kept_as("notices", "", self.active_version(tx), lambda: _notices(tx))

    def dictionary(self, tx: Transaction) -> Dictionary:
        """The newest compression dictionary."""

        def newest() -> Dictionary:
            known = catalog.dictionaries(tx)
            return known[max(known)] if known else NO_DICTIONARY

        return self._kept_as("dictionary", "", self._version_or_none(tx), newest)

    def dictionaries(self, tx: Transaction) -> Mapping[int, Dictionary]:
        """Every compression dictionary ever accepted, to open older envelopes."""
        return self._kept_as("dictionaries", "", self._version_or_none(tx), lambda: catalog.dictionaries(tx))

    def directory_recipients(self, tx: Transaction) -> Sequence[bytes]:
        """The city's keys to seal to by the signed directory; none where the catalog ships no directory."""
        return self._kept_as("recipients", "", self._version_or_none(tx), lambda: _recipients(tx))

    def regions(self, tx: Transaction) -> RegionTable:
        """The region table in use; one that knows nothing where none was shipped."""
        version = self.active_version(tx)
        return self._kept_as("regions", "", version, lambda: RegionTable.from_plain(_document(tx, "regions")))

    def region_names(self, tx: Transaction) -> Mapping[str, str]:
        """The names of all regions by their full code; none where no table was shipped."""
        return self._kept_as("names", "regions", self.active_version(tx), lambda: _region_names(tx))

    def revoked_nodes(self, tx: Transaction) -> frozenset[str]:
        """The nodes whose right the city has withdrawn, by the catalog in use."""
        return self._kept_as("revoked", "", self._version_or_none(tx), lambda: _revoked(tx))

    def document(self, tx: Transaction, name: str) -> Any:  # noqa: ANN401 - it is JSON
        """A document of the version in use, None where it ships none."""
        return self._kept_as("document", name, self.active_version(tx), lambda: _document(tx, name))

    def _version_or_none(self, tx: Transaction) -> int:
        try:
            return self.active_version(tx)
        except NoCatalog:
            return 0

    def _of_version(
        self,
        tx: Transaction,
        kind: str,
        ref: str,
        version: int | None,
        read: Callable[[Transaction, str, int | None], T],
        unknown: type[UnknownItem | UnknownForm],
    ) -> T:
        active = self.active_version(tx)
        for wanted in dict.fromkeys((version or active, active)):
            try:
                return self._kept_as(kind, ref, wanted, partial(read, tx, ref, wanted))
            except (Unknown, CatalogMissing):
                continue
        raise unknown(ref=ref)

    def _kept_as(self, kind: str, ref: str, version: int, read: Callable[[], T]) -> T:
        key = (kind, ref, version)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: T = self._kept[key]
                return kept
        value = read()
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return value


def _document(tx: Transaction, name: str) -> Any:  # noqa: ANN401 - it is JSON
    try:
        return catalog.document(tx, name)
    except (Unknown, CatalogMissing):
        return None


def _calendar(tx: Transaction) -> Mapping[str, Any]:
    plain = _document(tx, "calendar")
    return plain if isinstance(plain, Mapping) else {"years": []}


def _region_names(tx: Transaction) -> Mapping[str, str]:
    plain = _document(tx, "regions")
    listed = plain.get("regions") if isinstance(plain, Mapping) else None
    return {str(one["code"]): str(one["name"]) for one in listed or ()}


def _revoked(tx: Transaction) -> frozenset[str]:
    plain = _document(tx, "directory")
    listed = plain.get("revocations") if isinstance(plain, Mapping) else None
    named = listed.get("nodes") if isinstance(listed, Mapping) else None
    return frozenset(map(str, named or ()))


def _notices(tx: Transaction) -> Notices:
    """None where it ships none, or some that an earlier program let in and nobody can apply."""
    plain = _document(tx, "notices")
    try:
        return Notices.from_plain(plain) if isinstance(plain, Mapping) else Notices()
    except MalformedCatalog:
        return Notices()


def _recipients(tx: Transaction) -> Sequence[bytes]:
    plain = _document(tx, "directory")
    listed = plain.get("recipients") if isinstance(plain, Mapping) else None
    return tuple(unb64(key) for key in listed or ())
