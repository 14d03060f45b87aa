"""`python -m tests.faults.bit_rot SCRATCH --trials N [--seed S] [--unchecked]`: a village of which one file rotted.

Each trial damages one file of a whole node (a bit flipped, the end gone, a page of zeros) and opens the node anew. What
it then shows is compared with what was saved, byte for byte; whatever is missing must have been told by a refusal, an
alarm or an error. Prints the outcome as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casework.events import Submitted
from edge_node.acts import drafting, intake, mail_out
from edge_node.counter.errors import ActRefused
from offline_store.desk import applications, scans
from offline_store.errors import StoreError
from tests.edge_node.village import CITY, Village
from tests.faults.village_flows import Before, turned
from wire.errors import WireError

PAGE = 4096
TYPED = {"applicant_name": "张样例", "applicant_address": "虚构村九组"}
TOLD = {"forked", "desk_log_damaged", "keyring_damaged", "mail_damaged", "feed_broken", "receipt_refused"}


@dataclass
class Truth:
    """What was saved."""

    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    draft: str = ""
    scans: dict[str, bytes] = field(default_factory=dict)
    envelopes: dict[int, bytes] = field(default_factory=dict)
    waiting: str = ""


@dataclass
class Outcome:
    trials: int = 0
    told: int = 0
    harmless: int = 0
    healed: int = 0
    silent: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)


class World:
    """A node that was closed, and the same node as a power cut leaves it, its log full of what was saved last."""

    def __init__(self, scratch: Path) -> None:
        self.closed, self.cut, self.now = scratch / "closed", scratch / "cut", scratch / "now"
        self.before, self.truth = Before(), Truth()
        village = Village.at(self.closed, gateway=self.before.gateway, clock=self.before.clock)
        first = village.collected()
        turned(village)
        village.receipt(hwm=1)
        self.truth.draft = drafting.begin(village.counter, village.who, "GA-YB-001").draft_id
        drafting.change(village.counter, village.who, self.truth.draft, values=TYPED)
        second = village.collected("GA-MZ-001")
        turned(village)
        submitted = [Submitted(at=village.clock.wall, by=CITY)]
        village.tell(first, op_id=first, events=submitted)  # lies in the mailbox, not taken in yet
        with village.counter.desk.reading() as tx:
            for one in (first, second):
                self.truth.applications[one] = dict(applications.load(tx, one).shown.form)
            names = scans.hashes(tx)
        self.truth.scans = {name: _plain(village, name) for name in names}
        self.truth.envelopes = dict(village.posted())
        self.truth.waiting = first
        shutil.copytree(self.closed, self.cut)
        village.counter.desk.close()
        shutil.rmtree(self.closed / "run")
        for folder in (self.closed, self.cut):
            (folder / "desk" / "desk.db-shm").unlink(missing_ok=True)

    def files(self) -> dict[str, Callable[[random.Random], tuple[Path, Path]]]:
        """A kind of file: which copy of the node, and which file of it, is damaged."""

        def of(node: Path, pattern: str) -> Callable[[random.Random], tuple[Path, Path]]:
            return lambda rng: (node, rng.choice(sorted(node.glob(pattern))).relative_to(node))

        return {
            "desk": of(self.closed, "desk/desk.db"),
            "log": of(self.cut, "desk/desk.db-wal"),
            "keyring": of(self.closed, "desk/keyring.json"),
            "scan": of(self.closed, "vault/*.scan"),
            "envelope": of(self.closed, "mailbox/outgoing/envelopes/*.env"),
            "ticket": of(self.closed, "mailbox/outgoing/scans/*.ticket"),
            "facts": of(self.closed, "mailbox/outgoing/facts.json"),
            "receipt": of(self.closed, "mailbox/incoming/receipt.json"),
            "feed": of(self.closed, "mailbox/incoming/feed/*.feed"),
            "enrolment": of(self.closed, "enrolment.json"),
        }


def damage(path: Path, rng: random.Random) -> str:
    """Let the file rot."""
    data = bytearray(path.read_bytes())
    how = rng.choice(("flip", "cut", "zeros"))
    if how == "flip":
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del data[rng.randrange(len(data)) :]
    else:
        start = rng.randrange(len(data)) // PAGE * PAGE
        length = min(PAGE, len(data) - start)
        data[start : start + length] = bytes(length)
    path.write_bytes(data)
    return how


def _plain(village: Village, name: str) -> bytes:
    return b"".join(intake.open_for_showing(village.counter, village.who, name).plain)


def missing(world: World, village: Village, errors: list[str]) -> Iterator[str]:
    """What was saved and is not shown, or shown otherwise; a refusal to show is told, not silent."""
    counter, truth = village.counter, world.truth

    def look(what: str, read: Callable[[], object], wanted: object) -> Iterator[str]:
        try:
            found = read()
        except (StoreError, WireError, ActRefused) as refusal:
            errors.append(f"{what}: {getattr(refusal, 'code', type(refusal).__name__)}")
            if isinstance(refusal, ActRefused) and not counter.alarms.now():
                yield f"{what} is not there"
            return
        if found != wanted:
            yield f"{what} is another"

    def form_of(one: str) -> object:
        with counter.desk.reading() as tx:
            known = applications.find(tx, one)
        return None if known is None else dict(known.shown.form)

    def typed() -> object:
        values = drafting.show(counter, village.who, truth.draft).values
        return {name: values.get(name) for name in TYPED}

    for one, form in truth.applications.items():
        yield from look("application", lambda one=one: form_of(one), form)
    yield from look("draft", typed, TYPED)
    for name, plain in truth.scans.items():
        yield from look("scan", lambda name=name: _plain(village, name), plain)


def trial(world: World, kind: str, rng: random.Random, outcome: Outcome) -> None:
    node, file = world.files()[kind](rng)
    shutil.rmtree(world.now, ignore_errors=True)
    shutil.copytree(node, world.now)
    how = damage(world.now / file, rng)
    what = f"{kind} {how} ({file})"
    errors: list[str] = []
    outcome.trials += 1
    outcome.kinds[f"{kind} {how}"] = outcome.kinds.get(f"{kind} {how}", 0) + 1
    try:
        village = world.before.opened(world.now)
    except (StoreError, WireError) as refusal:
        errors.append(str(refusal))
        outcome.told += 1
        lying = {int(path.stem): path.read_bytes() for path in world.now.glob("mailbox/outgoing/envelopes/*.env")}
        if kind != "envelope" and lying != world.truth.envelopes:
            outcome.wrong.append(f"{what}: the mail that waits is another")
        return
    try:
        try:
            turned(village)
            errors += village.counter.desk.check()
        except StoreError as refusal:
            errors.append(refusal.code)
        gone = list(missing(world, village, errors))
        alarms = TOLD & set(village.counter.alarms.now())
        lying, due = dict(village.posted()), world.truth.envelopes
        if not alarms and not errors and any(lying.get(seq, data) != data for seq, data in due.items()):
            gone.append("an envelope is another")
        told = bool(alarms or errors)
        outcome.told += told
        outcome.harmless += not told and not gone
        if gone and not told:
            outcome.silent.append(f"{what}: {gone[0]}")
        others = [one for one in gone if one.endswith("another")]
        if others and not alarms & {"forked", "desk_log_damaged"}:
            outcome.wrong.append(f"{what}: {others[0]}")
        if kind in {"envelope", "ticket", "feed"} and not gone:
            outcome.healed += 1
        if kind == "envelope" and "mail_damaged" in alarms and not list(world.now.rglob("*.damaged")):
            outcome.wrong.append(f"{what}: nothing was kept aside")
    finally:
        village.counter.desk.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unchecked", action="store_true", help="the control: mail is not compared with the journal")
    parser.add_argument("--kind", help="damage only this kind of file")
    asked = parser.parse_args()
    world, outcome, rng = World(asked.scratch), Outcome(), random.Random(asked.seed)
    if asked.unchecked:
        mail_out.heal = lambda _counter, _most=None: 0
    kinds = [asked.kind] if asked.kind else sorted(world.files())
    for number in range(asked.trials):
        trial(world, kinds[number % len(kinds)], rng, outcome)
    outcome.kinds = dict(Counter(outcome.kinds))
    print(json.dumps(vars(outcome), ensure_ascii=False))


if __name__ == "__main__":
    main()
