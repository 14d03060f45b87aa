"""What a newly enrolled node is told of applications that were there before it.

Laws: the same entries as if it had always been there, from the city's order; sealed bytes are never sealed again, a
swapped machine only needs new wraps. A scan that is lost at this moment is waited for again, so that its key goes out
when its village has sent it once more. Runs in the transaction that enrols, while nobody else decides who is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from casework.record import event_from_plain
from city_gateway.acts import scan_shelf
from city_gateway.acts.feed import Authored, Draft, tell, wraps_for
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.opening import Received, receive
from city_gateway.ledger import cases, journal, nodes, scan_references
from city_gateway.ledger.cases import CaseEntry
from city_gateway.ledger.nodes import Node
from wire.fields import NodeRole
from wire.messages import FeedEntry, Result


def catch_up(gateway: Gateway, tx: Connection, reader: Node) -> set[str]:
    """Put everything this node may read into its feed."""
    entries = cases.entries_at(tx, reader.region, covering=reader.role is NodeRole.TOWNSHIP)
    return tell(gateway, tx, _drafts(gateway, tx, reader, entries))


def _drafts(gateway: Gateway, tx: Connection, reader: Node, entries: list[CaseEntry]) -> Iterator[Draft]:
    authors: dict[str, Node | None] = {}
    for entry in entries:
        told = FeedEntry(
            application_id=entry.application_id,
            case_seq=entry.case_seq,
            op_id=entry.op_id,
            author_node=entry.author_node,
            author_role="",
            result=Result.APPLIED,
            events=list(entry.events),
        )
        if entry.author_node is None or entry.author_seq is None:
            role = str(event_from_plain(entry.events[0]).by.role)
            yield Draft(reader, told.model_copy(update={"author_role": role}))
            continue
        if entry.author_node not in authors:
            authors[entry.author_node] = nodes.find(tx, entry.author_node)
        author = authors[entry.author_node]
        envelope = journal.envelope_at(tx, entry.author_node, entry.author_seq)
        if author is None or envelope is None:
            raise RuntimeError("the ledger names an operation that it does not hold")
        one = receive(gateway, author, envelope)
        more = Authored(author, envelope, one.content_key).for_reader(reader)
        more |= {"author_role": str(one.events[0].by.role), "scan_wraps": _wraps(gateway, tx, reader, one)}
        yield Draft(reader, told.model_copy(update=more))


def _wraps(gateway: Gateway, tx: Connection, reader: Node, one: Received) -> dict[str, bytes]:
    if not one.scan_hashes or not one.application_id:
        return {}
    served = scan_references.scans_of(tx, one.application_id)
    theirs = [name for name in one.scan_hashes if name in served]
    keys = scan_shelf.keys_of(gateway, theirs)
    if reader.role is NodeRole.TOWNSHIP and len(keys) < len(theirs):
        scan_references.wait_again(tx, one.application_id, set(theirs) - set(keys))
    return wraps_for(reader, keys)
