"""Taking up a renewed enrolment document that came with a receipt, while the node goes on working.

Laws
- Only the pinned gateway's word counts, for this very node: the same id, site, role and keys, and a later end. Anything
  else changes nothing and is told.
- The file is replaced in one step; the courier sees it and begins anew with it. No restart, no person.
"""

from __future__ import annotations

from typing import Final

from edge_node.acts import audit
from edge_node.counter.counter import Counter
from offline_store.node_file import write_node_file
from wire.enrolment import EnrolmentDocument, read_enrolment
from wire.errors import WireError
from wire.receipt import Receipt
from wire.waiting import Alarm

SAME: Final = (
    "node_id", "site", "role", "region", "township", "identity_public", "sealing_public", "transport_public",
)  # fmt: skip


def take_up(counter: Counter, receipt: Receipt) -> bool:
    """Take up what the receipt brought; says whether this node now holds another document."""
    if receipt.renewal is None:
        return False
    pinned = counter.node.gateway.signing_public
    try:
        document = read_enrolment(receipt.renewal, pinned)
    except WireError:
        counter.alarms.put(Alarm.RENEWAL_REFUSED)
        return False
    if not _is_ours(counter.node, document) or document.gateway.signing_public != pinned:
        counter.alarms.put(Alarm.RENEWAL_REFUSED)
        return False
    if document.valid_to <= counter.node.valid_to:
        return False
    write_node_file(counter.paths.enrolment, receipt.renewal)
    counter.node = document
    counter.alarms.put(Alarm.RENEWAL_REFUSED, raised=False)
    with counter.desk.transaction() as tx:
        audit.note(counter, tx, audit.RENEWED, until=document.valid_to.isoformat())
    return True


def _is_ours(held: EnrolmentDocument, offered: EnrolmentDocument) -> bool:
    return all(getattr(held, name) == getattr(offered, name) for name in SAME)
