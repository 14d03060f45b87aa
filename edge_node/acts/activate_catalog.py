"""Put an arrived catalog into use, or refuse it and go on with the old one.

Laws
- One desk transaction activates items, forms, documents, dictionary and search index; open drafts and applications
  keep theirs.
- A release that is refused (tampered, rolled back, too few signatures, expired, malformed) changes nothing; it raises
  an alarm and is written down once, and the accepted catalog stays in use, with its age shown.
- Expiry is judged by trusted time and blocks only what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from casework.errors import CaseworkError
from edge_node.acts import audit
from edge_node.acts.catalog_release import edition_of, expires_at, is_held_back, verified, version_of, while_it_held
from edge_node.counter.counter import PROGRAM_VERSION, Counter
from edge_node.counter.errors import CatalogRefused
from offline_store.desk import catalog, state
from offline_store.desk.catalog import Activated, Edition
from offline_store.errors import OlderCatalog, StoreError
from offline_store.paths import NodePaths
from wire.canonical import b64, unb64
from wire.errors import ReleaseMalformed, WireError
from wire.waiting import Alarm

if TYPE_CHECKING:
    from wire.release import Release

TRUSTED_ROOT: Final = "catalog.root"
LOOK_AGAIN_SECONDS: Final = 60.0


class HeldBack(Exception):
    """The publisher has not released this version to this node yet."""


class CatalogReader:
    """Looks at the release in the mailbox and judges each arrival once; one that is held back, or that this node had no
    room for, is looked at again."""

    def __init__(self) -> None:
        self._judged: bytes | None = None
        self._again_at: float | None = None
        self._at_once = False

    def look(self, counter: Counter) -> bool:
        """Activate the release if it is a new one; says whether the catalog in use changed."""
        marker = _marker(counter.paths)
        now = counter.clock.read().monotonic
        waiting = self._again_at is None or now < self._again_at
        if marker is None or (marker == self._judged and waiting):
            return False
        self._judged, self._again_at = marker, None
        try:
            return activate_arrived(counter) is not None
        except HeldBack:
            self._again_at = now + LOOK_AGAIN_SECONDS
        except CatalogRefused:
            pass
        except StoreError:
            # At once, for whoever gives up the reserve for it; then no more than now and then.
            self._at_once = not self._at_once
            self._again_at = now if self._at_once else now + LOOK_AGAIN_SECONDS
            raise
        return False


def activate_arrived(counter: Counter) -> Activated | None:
    """Verify what lies in the mailbox and activate it; None when it is the catalog in use, said again."""
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        now_active = catalog.active(tx)
        kept_root = state.get(tx, TRUSTED_ROOT)
    from wire.release import Versions

    accepted = Versions.from_plain(now_active.accepted) if now_active and now_active.accepted else None
    try:
        root = unb64(kept_root) if kept_root else counter.node.tuf_root
        if root is None:
            raise ReleaseMalformed("root")
        cache = counter.paths.catalog_cache
        # Practice takes in nothing new: there, an expired release is proven as of its last good moment.
        judged_at = while_it_held(cache, reading.trusted) if counter.practice else reading.trusted
        release = verified(cache, root, accepted, judged_at)
        if now_active is not None and version_of(release) == now_active.version:
            _confirm(counter, now_active.version, release)
            return None
        first = now_active is None
        node = counter.node
        if is_held_back(release, node.node_id, node.site, PROGRAM_VERSION, reading, first=first):
            raise HeldBack
        edition = edition_of(release, expires_at(counter.paths.catalog_cache))
    except (WireError, CaseworkError) as failure:
        raise _refused(counter, failure.code) from None
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        raise _refused(counter, ReleaseMalformed.code) from None
    try:
        changed = activate(counter, edition, release)
    except OlderCatalog as older:
        raise _refused(counter, older.code) from None
    counter.alarms.put(Alarm.CATALOG_REFUSED, raised=False)
    return changed


def activate(counter: Counter, edition: Edition, release: Release | None = None) -> Activated:
    """Put a verified edition into use, in one desk transaction with its index and its journal entry."""
    reading = counter.clock.read()
    with counter.desk.transaction() as tx:
        changed = catalog.activate(tx, edition, reading.now)
        if release is not None:
            state.put(tx, TRUSTED_ROOT, b64(release.root))
        audit.note(
            counter,
            tx,
            audit.CATALOG_APPLIED,
            reading=reading,
            version=changed.version,
            before=changed.before,
            items_changed=len(changed.added) + len(changed.changed) + len(changed.removed),
        )
    counter.shelf.newly_activated(changed.version)
    counter.nudge()
    return changed


def _confirm(counter: Counter, version: int, release: Release) -> None:
    """The city said again that this is its catalog; its age starts anew."""
    with counter.desk.transaction() as tx:
        catalog.confirm(
            tx,
            version,
            at=counter.clock.read().now,
            expires_at=expires_at(counter.paths.catalog_cache),
            accepted=release.versions.to_plain(),
        )
        state.put(tx, TRUSTED_ROOT, b64(release.root))
    counter.alarms.put(Alarm.CATALOG_REFUSED, raised=False)


def _refused(counter: Counter, code: str) -> CatalogRefused:
    counter.alarms.put(Alarm.CATALOG_REFUSED)
    with counter.desk.transaction() as tx:
        audit.note(counter, tx, audit.CATALOG_REFUSED, why=code)
    counter.nudge()
    return CatalogRefused(why=code)


def _marker(paths: NodePaths) -> bytes | None:
    try:
        return paths.catalog_marker.read_bytes()
    except FileNotFoundError:
        return None
