"""Reading the city's feed from the mailbox: one signed, chained entry after the other, each in one transaction.

Laws
- Only what the gateway signed, for this node, following the last entry, is opened. What is forged, torn or wrongly
  addressed is thrown away, so that the true one can come; a gap waits.
- An entry that is the gateway's and cannot be read or applied stops nothing else: it is passed, and people are told.
- Where a compression dictionary is missing the reader waits for the catalog that brings it.
- A restored city says its feed anew from the beginning; see `feed_fold` for what was applied before.
- A stopped identity reads nothing: what the feed says may answer what another machine wrote; the first such answer
  stops it. Enrolled anew, it is told everything.
"""

from __future__ import annotations

from typing import Final

from edge_node.acts import feed_fold, forking
from edge_node.counter.counter import Counter
from offline_store.desk import feed, state
from offline_store.desk.database import Transaction
from wire.audit_chain import Head, follow
from wire.envelope import Kind, Opened, open_sealed, read_header
from wire.errors import Duplicate, Gap, UnknownDictionary, WireError
from wire.messages import read_feed_entry
from wire.waiting import Alarm

BATCH: Final = 200


def take_feed(counter: Counter) -> int:
    """Let every entry take effect that lies in the mailbox and follows; says how many did."""
    with counter.desk.reading() as tx:
        if state.get(tx, state.STOPPED):
            return 0
    cursor: int | None = None
    taken = 0
    for seq, data in counter.incoming.feed():
        if cursor is None:
            with counter.desk.reading() as tx:
                cursor = feed.cursor(tx)
        if seq > cursor:
            if taken >= BATCH or not _take(counter, seq, data):
                break
            cursor, taken = seq, taken + 1
        counter.incoming.remove_feed(seq)
    return taken


def _take(counter: Counter, seq: int, data: bytes) -> bool:
    """One entry, one transaction; False when the reader has to stop here."""
    wanted: list[str] = []
    try:
        with counter.desk.transaction() as tx:
            new = _followed(counter, tx, data)
            try:
                entry = read_feed_entry(_opened(counter, tx, data).body)
                if forking.answers_another_journal(counter, tx, entry):
                    forking.stop(counter, tx, forking.BY_ANSWER)
                    return False
                wanted = feed_fold.apply(counter, tx, entry)
            except UnknownDictionary:
                raise
            except WireError:
                counter.alarms.put(Alarm.FEED_NOT_UNDERSTOOD)
            feed.advance(tx, new)
    except (Gap, Duplicate):
        return False
    except UnknownDictionary:
        counter.alarms.put(Alarm.DICTIONARY_MISSING)
        return False
    except WireError:
        counter.alarms.put(Alarm.FEED_BROKEN)
        counter.incoming.remove_feed(seq)
        return False
    for code in (Alarm.FEED_BROKEN, Alarm.DICTIONARY_MISSING):
        counter.alarms.put(code, raised=False)
    for scan_hash in wanted:
        counter.outgoing.want_scan(scan_hash)
    return True


def _opened(counter: Counter, tx: Transaction, data: bytes) -> Opened:
    signer, dictionaries = counter.node.gateway.signing_public, counter.shelf.dictionaries(tx)
    return counter.with_own_key(
        lambda key: open_sealed(data, recipient=key, signer_public=signer, dictionaries=dictionaries)
    )


def _followed(counter: Counter, tx: Transaction, data: bytes) -> Head:
    node_id = bytes.fromhex(counter.node.node_id)
    new = follow(feed.head(tx), data, counter.node.gateway.signing_public, node_id=node_id)
    read_header(data).must_be(Kind.FEED, node_id=node_id)
    return new
