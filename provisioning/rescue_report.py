"""What a rescue found and did, said to who did it: counts, places and what to do next; no citizen is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from provisioning.rescue import Found
from provisioning.wording import words


def told(found: Found, *, bundles: int, to: Path, drafts: Path | None, scans_lost: int | None) -> Iterator[str]:
    """The report, line by line."""
    yield words("rescue.whose", site=found.site_name, node=found.node_id)
    if found.unreadable:
        yield words("rescue.unreadable", count=found.unreadable)
    if found.head is None:
        yield words("rescue.desk_closed")
    else:
        yield words("rescue.journal", head=found.head, hwm=found.hwm)
        yield words("rescue.chain_broken", at=found.broken_at) if found.broken_at else words("rescue.chain_whole")
    yield words("rescue.unsent", envelopes=found.envelopes, scans=found.scans)
    if found.only_in_desk and not found.stopped:
        yield words("rescue.only_in_desk", count=found.only_in_desk)
    if found.scans_missing:
        yield words("rescue.scans_missing", count=found.scans_missing)
    if found.set_aside:
        yield words("rescue.set_aside", count=found.set_aside)
    if found.stopped:
        yield words("rescue.stopped", why=found.stopped)
    elif bundles:
        yield words("rescue.bundles", count=bundles, to=to)
    else:
        yield words("rescue.nothing_to_send")
    if found.head is not None:
        yield from _drafts(found, drafts, scans_lost)


def _drafts(found: Found, drafts: Path | None, scans_lost: int | None) -> Iterator[str]:
    clerks = sorted({one.draft.clerk_id for one in found.drafts})
    if not clerks:
        yield words("rescue.no_drafts")
        return
    scans = sum(len(one.scans) for one in found.drafts)
    yield words("rescue.drafts", count=len(found.drafts), scans=scans, clerks="、".join(clerks))
    if drafts is None:
        yield words("rescue.drafts_closed")
        return
    yield words("rescue.drafts_open", to=drafts)
    if scans_lost:
        yield words("rescue.draft_scans_lost", count=scans_lost)
