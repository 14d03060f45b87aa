"""Stopping an identity that is not this machine's alone any more: a clone, or a desk that was set back.

Laws
- A stopped identity journals no business act; drafts, scans and looking things up go on. Nothing is deleted.
- It stops for what is certain: the city's signed word, the city's mark against this journal, the city's answer to an
  act that this journal does not hold, mail or a generation beside the desk that the desk does not know. It is lifted
  by enrolling anew alone.
- Another machine under the same folder is a suspicion, not a proof (a disk may move house): people are told until the
  city has confirmed what was written here, nothing is stopped.
- What a disk as a whole forgot, it cannot notice by itself: that is found at the first contact with the city.
"""

from __future__ import annotations

import json
from typing import Final

from edge_node.acts import audit
from edge_node.counter.counter import Counter
from offline_store.desk import journal, state
from offline_store.desk.database import Transaction
from offline_store.placing import place
from wire.envelope import envelope_hash, verify
from wire.errors import WireError
from wire.messages import FeedEntry
from wire.waiting import Alarm

BY_MARK: Final = "mark"  # the city's mark does not fit this journal
BY_CITY: Final = "city"  # the city said so, signed
BY_MAIL: Final = "mail"  # mail of this node lies here that the desk never wrote
BY_ANSWER: Final = "answer"  # the city answers an act of this identity that this journal does not hold
BY_GENERATION: Final = "generation"  # the desk was opened more often than it knows

GENERATION: Final = "desk.generation"
MACHINE: Final = "machine.mark"
MOVED_AT: Final = "machine.moved_at_seq"


def stop(counter: Counter, tx: Transaction, why: str, *, seq: int | None = None) -> None:
    """Stop this identity; the first reason stays."""
    counter.alarms.put(Alarm.FORKED)
    if state.get(tx, state.STOPPED):
        return
    reading = counter.clock.read()
    audit.note(counter, tx, audit.STOPPED, reading=reading, why=why, seq=seq)
    state.put(tx, state.STOPPED, {"why": why, "at": reading.now.isoformat(), "seq": seq})


def look_at_start(counter: Counter) -> None:
    """Before anything is posted: does what lies beside the desk know more than the desk does?"""
    _mail_unknown_to_the_desk(counter)
    _generation(counter)
    _machine(counter)


def confirmed_here(counter: Counter, tx: Transaction, hwm: int) -> None:
    """The city holds what this machine wrote since it moved: it is the one that goes on."""
    moved_at = state.get(tx, MOVED_AT)
    if moved_at is not None and hwm > int(moved_at):
        state.put(tx, MOVED_AT, None)
        counter.alarms.put(Alarm.MACHINE_CHANGED, raised=False)


def proves_another_journal(counter: Counter, seq: int, data: bytes, known: bytes | None) -> bool:
    """Whether this identity signed something else under a number than the journal holds there; rotten bytes prove
    nothing."""
    try:
        header = verify(data, counter.identity.public)
    except WireError:
        return False
    return header.seq == seq and known != envelope_hash(data)


def answers_another_journal(counter: Counter, tx: Transaction, entry: FeedEntry) -> bool:
    """Whether the city tells of an act of this identity that was written elsewhere: by a clone, or before this desk was
    set back."""
    mine = entry.author_node == counter.node.node_id and entry.op_id is not None
    return mine and journal.by_op(tx, entry.op_id or "") is None


def _mail_unknown_to_the_desk(counter: Counter) -> None:
    with counter.desk.transaction() as tx:
        for seq, path in counter.outgoing.envelopes():
            try:
                data = path.read_bytes()
            except OSError:
                continue  # what cannot be read proves nothing; `mail_out.heal` lays it anew
            if proves_another_journal(counter, seq, data, journal.hash_at(tx, seq)):
                stop(counter, tx, BY_MAIL, seq=seq)
                return


def _generation(counter: Counter) -> None:
    beside = _beside(counter)
    with counter.desk.transaction() as tx:
        kept = int(state.get(tx, GENERATION) or 0)
        if beside > kept:
            stop(counter, tx, BY_GENERATION)
        now = max(kept, beside) + 1
        state.put(tx, GENERATION, now)
    # After the commit: a crash in between leaves the file behind the desk, which says nothing.
    place(counter.paths.generation, json.dumps({"generation": now}).encode())


def _beside(counter: Counter) -> int:
    try:
        return int(json.loads(counter.paths.generation.read_bytes())["generation"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0  # a damaged marker proves nothing; it is written anew


def _machine(counter: Counter) -> None:
    if not counter.machine:
        return
    with counter.desk.transaction() as tx:
        before = state.get(tx, MACHINE)
        if before is not None and before != counter.machine:
            audit.note(counter, tx, audit.MACHINE_CHANGED)
            state.put(tx, MOVED_AT, journal.head(tx).seq)
        state.put(tx, MACHINE, counter.machine)
        if state.get(tx, MOVED_AT) is not None:
            counter.alarms.put(Alarm.MACHINE_CHANGED)
