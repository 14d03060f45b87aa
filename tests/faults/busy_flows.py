"""A village at work without a pause: typing, scanning, collecting and posting, one application after the other.

What is cut is a random moment of it. `busy` is the real node; the others have one protection taken away and must lose.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from edge_node.acts import collecting, drafting
from offline_store import placing
from offline_store.desk import applications, connection, journal, scans
from offline_store.vault import scans as vault
from tests.edge_node.village import Village
from tests.faults.tools.every_call import Flow, Notes
from tests.faults.village_flows import flow, turned

APPLICATIONS_MOST = 400
ITEM = "GA-YB-001"


def _work(village: Village, known: dict[str, Any], notes: Notes) -> None:
    for _ in range(APPLICATIONS_MOST):
        draft_id = village.filled(ITEM)
        names = [one.scan_hash for one in drafting.show(village.counter, village.who, draft_id).scans]
        notes.tell(typed=draft_id, scans=names)
        slip = collecting.collect(village.counter, village.who, draft_id)
        notes.tell(saved=slip.application_id, receipt=slip.receipt_no, scans=names)
        turned(village)


def _everything_told_is_there(village: Village, known: dict[str, Any], told: list[dict[str, Any]]) -> list[str]:
    saved = {one["saved"]: one for one in told if "saved" in one}
    drafts = {row.draft_id for row in drafting.page(village.counter, village.who, limit=500).rows}
    problems: list[str] = []
    with village.counter.desk.reading() as tx:
        for application_id, one in saved.items():
            found = applications.find(tx, application_id)
            if found is None or found.shown.receipt_no != one["receipt"] or journal.by_op(tx, application_id) is None:
                problems.append(f"saved, not there: {application_id}")
            elif {scan.scan_hash for scan in scans.of_application(tx, application_id)} != set(one["scans"]):
                problems.append(f"scans of a saved application: {application_id}")
        for one in told:
            draft_id = one.get("typed")
            if draft_id and draft_id not in drafts and applications.find(tx, draft_id) is None:
                problems.append(f"typed, not there: {draft_id}")
    return problems


def _ready(village: Village) -> dict[str, Any]:
    return {"first": village.collected(ITEM)}


busy = flow("busy", _ready, _work, _everything_told_is_there)


def _without(name: str, take_away: Callable[[], None]) -> Flow:
    """The same work, in a process in which a protection was taken away."""

    def open_(disk: Any) -> Callable[[Notes], None]:
        take_away()
        return busy.open(disk)

    return Flow(name, busy.prepare, open_, busy.check)


def _normal() -> None:
    connection.SETTINGS["synchronous"] = 1  # type: ignore[index]


def _nothing(_descriptor: object) -> None:
    """An fsync that says yes and does nothing."""


def _files_unflushed() -> None:
    class Os:
        """`os`, but for fsync."""

        fsync = staticmethod(_nothing)

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    placing.os = vault.os = Os()  # type: ignore[assignment,attr-defined]


with_normal = _without("busy with synchronous=NORMAL", _normal)
with_unflushed_files = _without("busy with files that are not flushed", _files_unflushed)
BUSY_FLOWS = {one.name: one for one in (busy, with_normal, with_unflushed_files)}
