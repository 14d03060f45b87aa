"""What a node reports of itself, over the line or on a stick: counts, versions, free space and
alarms, nothing of a person."""

from __future__ import annotations

import shutil
from pathlib import Path

from offline_store.machine import machine_mark
from offline_store.mailbox.outgoing import Outgoing
from wire.messages import ALARMS_MOST, NodeReport

MIB = 1024 * 1024


def node_report(
    outgoing: Outgoing, folder: Path, *, ops: int, scans: int, clock_offset_s: int | None = None
) -> NodeReport:
    """The report of a node with so many operations and scans waiting; the disk is the one that `folder` lies on."""
    facts = outgoing.facts()
    return NodeReport(
        catalog_version=facts.catalog_version if facts else None,
        program_version=facts.program_version if facts else "",
        backlog_ops=ops,
        backlog_scans=scans,
        disk_free_mb=shutil.disk_usage(folder).free // MIB,
        clock_offset_s=clock_offset_s,
        machine=machine_mark(),
        alarms=facts.alarms[:ALARMS_MOST] if facts else [],
    )
