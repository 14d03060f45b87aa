"""The flows of a village's node that are struck at every call: each on a real desk, mailbox and vault.

A round opens the node unstruck, then does one thing a person or the courier asked for, and notes what the person was
told. The check is a new start of the node, as after a crash: it must come up by itself, be sound in every part, and
hold everything that was told.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from casework.events import Submitted
from casework.states import State
from edge_node.acts import activate_catalog, collecting, drafting, erasing, readiness
from edge_node.acts import village as village_acts
from offline_store.desk import applications, catalog, journal, keyring, scans, state
from offline_store.desk.applications import Standing
from offline_store.desk.scans import ScanStatus
from tests.edge_node.city import ruled, submitted
from tests.edge_node.village import CITY, MACHINE_KEY, Gateway, HandClock, Village, seed_edition
from tests.faults.tools.every_call import Act, Flow, Notes
from wire.audit_chain import GENESIS, Head
from wire.envelope import envelope_hash, read_cut_header

TURNS_MOST = 50
RETENTION_DAYS = 40
Known = dict[str, Any]


@dataclass
class Before:
    """What the forks of a round inherit: the city's keys, the clock, and what was there before."""

    gateway: Gateway = field(default_factory=Gateway)
    clock: HandClock = field(default_factory=HandClock)
    known: Known = field(default_factory=dict)

    def opened(self, disk: Path) -> Village:
        """The node after a new start, with a city and a clock of its own."""
        return Village.at(disk, gateway=replace(self.gateway), clock=replace(self.clock))


def turned(village: Village) -> Village:
    """Mail rounds until nothing happens any more."""
    for _ in range(TURNS_MOST):
        if not village.mail.turn():
            return village
    raise AssertionError("the mail never rests")


def flow(
    name: str,
    before: Callable[[Village], Known],
    act: Callable[[Village, Known, Notes], None],
    kept: Callable[[Village, Known, list[dict[str, Any]]], list[str]],
) -> Flow:
    """A flow of one village node."""
    world = Before()

    def prepare(disk: Path) -> None:
        village = Village.at(disk, gateway=world.gateway, clock=world.clock)
        world.known = before(village)
        village.counter.desk.close()

    def open_(disk: Path) -> Act:
        village = world.opened(disk)
        return lambda notes: act(village, world.known, notes)

    def check(disk: Path, notes: Notes) -> list[str]:
        village = turned(world.opened(disk))
        return [*unsound(village), *kept(village, world.known, notes.read())]

    return Flow(name, prepare, open_, check)


# --- what must hold of any node, whatever happened --------------------------------------------------------------------


def unsound(village: Village) -> list[str]:
    """Whatever is half done, missing or left over on a node that has come to rest; empty when it is sound."""
    counter = village.counter
    problems = [f"desk: {line}" for line in counter.desk.check()]
    with counter.desk.reading() as tx:
        head, links = GENESIS, {link.seq: link for link in journal.after(tx, 0, limit=10_000)}
        for seq in range(1, journal.head(tx).seq + 1):
            own = journal.hash_at(tx, seq)
            data = links[seq].envelope
            if own is None or read_cut_header(data).prev != head.hash:
                problems.append(f"journal: {seq} does not follow")
            elif not links[seq].purged and envelope_hash(data) != own:
                problems.append(f"journal: {seq} is not what its link says")
            head = Head(seq, own or bytes(32))
        marks = state.marks(tx)
        hwm = marks.hwm if marks else 0
        kept = {one: scans.load(tx, one) for one in scans.hashes(tx)}
        spoken_of = {link.application_id for link in links.values() if link.application_id}
        problems += [f"journal: {one} is not there" for one in spoken_of if applications.find(tx, one) is None]
    lying = {seq: path.read_bytes() for seq, path in counter.outgoing.envelopes()}
    wanted = {seq: link.envelope for seq, link in links.items() if seq > hwm}
    if lying != wanted:
        problems.append(f"mailbox: {sorted(lying)} lie there, {sorted(wanted)} are due")
    here = {name: one for name, one in kept.items() if one.status is not ScanStatus.WANTED}
    problems += [f"vault: {name[:8]} is not there" for name in here if not counter.vault.has(name)]
    problems += [f"vault: {name[:8]} belongs to nothing" for name in counter.vault.hashes() if name not in kept]
    for name in here:
        if counter.vault.has(name):
            with counter.vault.open(name) as sealed:
                if hashlib.sha256(sealed.read()).hexdigest() != name:
                    problems.append(f"vault: {name[:8]} has other bytes")
    due = {name for name, one in kept.items() if one.status is ScanStatus.OUTGOING}
    if {ticket.scan_hash for ticket in counter.outgoing.scan_tickets()} != due:
        problems.append("tickets: not those of the scans that are due")
    return problems


# --- the flows --------------------------------------------------------------------------------------------------------

TYPED = {"applicant_name": "张样例", "applicant_phone": "13800000002", "applicant_address": "虚构村一组"}


def _typing(village: Village, known: Known, notes: Notes) -> None:
    for name, value in TYPED.items():
        drafting.change(village.counter, village.who, known["draft"], values={name: value})
        notes.tell(field=name, value=value)


def _typed_is_there(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    values = drafting.show(village.counter, village.who, known["draft"]).values
    return [f"typed, not there: {one['field']}" for one in told if values.get(one["field"]) != one["value"]]


typing = flow(
    "save", lambda village: {"draft": drafting.begin(village.counter, village.who, "GA-YB-001").draft_id}, _typing,
    _typed_is_there,
)  # fmt: skip


def _draft_with_needs(village: Village) -> Known:
    draft = drafting.begin(village.counter, village.who, "GA-YB-001")
    with village.counter.desk.reading() as tx:
        item = village.counter.shelf.item(tx, draft.item_id, draft.catalog_version)
    needed = [one.material_id for one in item.materials if one.necessity == "required"]
    return {"draft": draft.draft_id, "material": needed[0]}


def _scanning(village: Village, known: Known, notes: Notes) -> None:
    for _ in range(3):
        notes.tell(scan=village.scan(known["draft"], known["material"]).scan_hash)


def _scanned_is_there(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    shown = {one.scan_hash for one in drafting.show(village.counter, village.who, known["draft"]).scans}
    return [f"scanned, not there: {one['scan']}" for one in told if one["scan"] not in shown]


scanning = flow("scans", _draft_with_needs, _scanning, _scanned_is_there)


def _collect(village: Village, known: Known, notes: Notes) -> None:
    slip = collecting.collect(village.counter, village.who, known["draft"])
    notes.tell(saved=slip.application_id, receipt=slip.receipt_no)


def _collect_later(village: Village, known: Known, notes: Notes) -> None:
    """The control: it says *saved* before it saves."""
    notes.tell(saved=known["draft"], receipt="")
    collecting.collect(village.counter, village.who, known["draft"])


def _collected_is_there(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    with village.counter.desk.reading() as tx:
        application = applications.find(tx, known["draft"])
        entry = journal.by_op(tx, known["draft"])
        drafts = [row.draft_id for row in drafting.page(village.counter, village.who, limit=100).rows]
    problems = []
    if (application is None) != (entry is None) or (application is None) != (known["draft"] in drafts):
        problems.append("half collected")
    number = application.shown.receipt_no if application else None
    problems += [
        f"saved, not there: {one['saved']}" for one in told if number is None or one["receipt"] not in {"", number}
    ]
    if application is None:  # what was not saved can be saved now
        collecting.collect(village.counter, village.who, known["draft"])
    return problems


collecting_ = flow("collect", lambda village: {"draft": village.filled()}, _collect, _collected_is_there)
collecting_later = flow("collect told early", lambda village: {"draft": village.filled()}, _collect_later, _collected_is_there)  # fmt: skip  # noqa: E501


def _collected_here(village: Village) -> Known:
    return {"applications": [village.collected(), village.collected("GA-MZ-001")]}


def _all_there(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    with village.counter.desk.reading() as tx:
        return [f"lost: {one}" for one in known["applications"] if applications.find(tx, one) is None]


posting = flow("post", _collected_here, lambda village, _known, _notes: _turn(village), _all_there)


def _turn(village: Village) -> None:
    turned(village)


def _answered_by_the_city(village: Village) -> Known:
    known = _collected_here(village)
    turned(village)
    first, second = known["applications"]
    with village.counter.desk.reading() as tx:
        stored = [one.scan_hash for one in scans.of_application(tx, first)]
    village.tell(first, op_id=first, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.tell(second, op_id=second, result="refused", refusal=("operation.conflict", {}))
    village.receipt(scans_stored=stored)
    return known | {"stored": stored}


def _answer_taken(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    problems = _all_there(village, known, told)
    first, second = known["applications"]
    with village.counter.desk.reading() as tx:
        confirmed, refused = applications.load(tx, first), applications.load(tx, second)
        if confirmed.standing is not Standing.CONFIRMED or confirmed.shown.state is not State.SUBMITTED:
            problems.append(f"the receipt and the feed were not taken: {confirmed.standing}, {confirmed.shown.state}")
        if refused.standing is not Standing.REFUSED:
            problems.append(f"the refusal was not taken: {refused.standing}")
        if any(scans.load(tx, one).status is not ScanStatus.STORED for one in known["stored"]):
            problems.append("a stored scan is still due")
    return problems


receipt = flow("receipt", _answered_by_the_city, lambda village, _known, _notes: _turn(village), _answer_taken)


def _one_is_over(village: Village) -> Known:
    over, open_ = village.collected(), village.collected("GA-MZ-001")
    ruled(village, over)
    village_acts.deliver(village.counter, village.who, over, "张样例", "当面")
    turned(village)
    with village.counter.desk.reading() as tx:
        delivered = applications.load(tx, over).pending[0]
    village.tell(over, op_id=delivered)
    submitted(village, open_)
    with village.counter.desk.reading() as tx:
        names = [one.scan_hash for one in scans.of_application(tx, over)]
        head = journal.head(tx).seq
    village.receipt(scans_stored=names, stable=head)
    turned(village)
    village.clock.passes(days=RETENTION_DAYS)
    turned(village)  # notes that it is over
    with village.counter.desk.reading() as tx:
        head = journal.head(tx).seq
    village.receipt(scans_stored=names, stable=head)
    turned(village)
    return {"applications": [over, open_], "over": over, "open": open_, "scans": names}


def _purged_once(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    erasing.erase_due(village.counter)
    problems = _all_there(village, known, told)
    with village.counter.desk.reading() as tx:
        left = [one for one in known["scans"] if scans.find(tx, one) is not None]
        others = scans.of_application(tx, known["open"])
    problems += [f"not purged: {one[:8]}" for one in left if village.counter.vault.has(one)]
    problems += [f"file of a purged scan: {one[:8]}" for one in known["scans"] if village.counter.vault.has(one)]
    problems += [
        f"purged too much: {one.scan_hash[:8]}" for one in others if not village.counter.vault.has(one.scan_hash)
    ]
    return problems + ([] if others else ["purged too much: the open application has no scan any more"])


def _purge(village: Village, _known: Known, _notes: Notes) -> None:
    erasing.erase_due(village.counter)


purging = flow("purge", _one_is_over, _purge, _purged_once)


def _rekey(village: Village, _known: Known, notes: Notes) -> None:
    village.counter.desk.change_key(village.counter.paths.keyring, MACHINE_KEY, [], os.urandom)
    notes.tell(rekeyed=True)


def _about_to_rekey(village: Village) -> Known:
    return _collected_here(village) | {"key": keyring.unlock(village.counter.paths.keyring, MACHINE_KEY).hex()}


def _rekeyed_or_not(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    paths, old = village.counter.paths, bytes.fromhex(known["key"])
    problems = _all_there(village, known, told)
    keys = keyring.candidates(paths.keyring, MACHINE_KEY)
    if len(keys) != 1:
        problems.append("wraps of two keys are left after a start")
    if told and keys == [old]:
        problems.append("said to be re-keyed, lies under the old key")
    left = sorted(one.name for one in paths.desk_folder.iterdir())
    beside = {"desk.db", "desk.db-wal", "desk.db-shm", "keyring.json", "reserve", "generation.json"}
    return problems + [f"left beside the desk: {name}" for name in left if name not in beside]


rekeying_ = flow("rekey", _about_to_rekey, _rekey, _rekeyed_or_not)


def _activate(village: Village, _known: Known, _notes: Notes) -> None:
    activate_catalog.activate(village.counter, seed_edition(2, without=["GA-MZ-001"]))


def _catalog_whole(village: Village, known: Known, told: list[dict[str, Any]]) -> list[str]:
    counter = village.counter
    with counter.desk.reading() as tx:
        active = catalog.active(tx)
        version = active.version if active else 0
    problems = [] if version in {1, 2} else [f"no catalog in use: {version}"]
    if not readiness.summary(counter, village.who, known["draft"]).ready:
        problems.append("the draft of the older catalog cannot be collected any more")
    if version == 1:
        activate_catalog.activate(counter, seed_edition(2, without=["GA-MZ-001"]))
    return problems


activating = flow("activate", lambda village: {"draft": village.filled()}, _activate, _catalog_whole)
