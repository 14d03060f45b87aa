"""The register (台账) of a township: looked through, counted, and handed out as a file.

Laws
- It is the township's: an agent has the own lists, and no register.
- Handing it out is an entry of the journal, committed before the first line is read for it: who, when, how many lines,
  narrowed by what, names masked or in full, and for what purpose. What was searched for is not in it.
- What is handed out is what was counted: the rows are fixed with the journal entry, and read some at a time afterwards.
- Names in full are handed out only for one of the purposes that the page offers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from casework.application import Role
from casework.errors import NotYourDuty
from casework.register_entry import Entry, entry_of
from casework.register_figures import FiguresBy, figures_of
from casework.states import CLOSED_STATES, State
from edge_node.acts import audit, time_lights
from edge_node.acts.listing import ITEMS_BY_NAME, MAX_PAGE
from edge_node.counter.counter import Counter
from edge_node.counter.errors import PurposeNeeded
from edge_node.counter.sessions import AtCounter
from edge_node.counter.trusted_clock import Reading
from offline_store.desk import catalog, register
from offline_store.desk.database import Transaction
from offline_store.desk.pages import Page
from offline_store.desk.register import Line, Sieve

READ_AT_ONCE: Final = 100
PURPOSES: Final = ("report", "archive", "paper_register", "call_back")
"""What names in full may be handed out for; a fixed list, so that the journal holds nothing that was typed."""
MASKED: Final = "masked"
FULL: Final = "full"

_DONE: Final = frozenset({State.DECIDED, State.CONCLUDED, State.DELIVERED, State.RATED})
_CLOSED: Final = CLOSED_STATES - {State.RATED}
SHOWS: Final[Mapping[str, frozenset[State] | None]] = {
    "all": None,
    "open": frozenset(State) - _DONE - _CLOSED,
    "done": _DONE,
    "closed": _CLOSED,
    "erased": None,
    **{state.value: frozenset({state}) for state in State if state is not State.DRAFT},
}
"""What a clerk can narrow the register to: all, some states together, what was erased, or one state."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a clerk narrowed the register; a name of `SHOWS`, and nothing where nothing was said."""

    show: str = "all"
    item_id: str = ""
    site: str = ""
    first: date | None = None
    last: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """The items (with their names) and sites of which the register has lines."""

    items: Mapping[str, str]
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What one journal entry handed out."""

    rows: array[int]
    at: datetime
    full_names: bool
    item_names: Mapping[str, str]


def page(counter: Counter, who: AtCounter, asked: Asked, *, offset: int = 0, limit: int = 20) -> Page[Entry]:
    """One page of the register, the latest day first."""
    _require_clerk(who)
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        sieve = _sieve(tx, who, asked)
        found = register.page(tx, sieve, offset=max(0, offset), limit=max(1, min(limit, MAX_PAGE)))
        return Page(tuple(_entry(counter, tx, line, reading) for line in found.rows), found.total, found.offset)


def count(counter: Counter, who: AtCounter, asked: Asked) -> int:
    """How many lines that is."""
    _require_clerk(who)
    with counter.desk.reading() as tx:
        return len(register.numbers(tx, _sieve(tx, who, asked)))


def choices(counter: Counter, who: AtCounter) -> Choices:
    """What the register can be narrowed to."""
    _require_clerk(who)
    with counter.desk.reading() as tx:
        names = {item_id: counter.shelf.item_name(tx, item_id) for item_id in register.items(tx)}
        return Choices(names, tuple(register.sites(tx)))


def hand_out(counter: Counter, who: AtCounter, asked: Asked, *, names: str = MASKED, purpose: str = "") -> HandedOut:
    """Fix what is handed out and write it into the journal, before anything is."""
    _require_clerk(who)
    if names not in {MASKED, FULL} or (names == FULL and purpose not in PURPOSES):
        raise PurposeNeeded
    reading = counter.clock.read()

    def journaled() -> HandedOut:
        with counter.desk.transaction() as tx:
            rows = register.numbers(tx, _sieve(tx, who, asked))
            audit.note(
                counter,
                tx,
                audit.EXPORTED,
                clerk=who.clerk_id,
                reading=reading,
                lines=len(rows),
                names=names,
                purpose=purpose if names == FULL else "",
                show=asked.show,
                item=asked.item_id,
                site=asked.site,
                first=asked.first.isoformat() if asked.first else "",
                last=asked.last.isoformat() if asked.last else "",
                searched=int(bool(asked.text.strip())),
            )
            known = {one: counter.shelf.item_name(tx, one) for one in register.items(tx)}
            return HandedOut(rows, reading.now, names == FULL, known)

    handed_out = counter.room.must(journaled)
    counter.nudge()
    return handed_out


def entries(counter: Counter, handed_out: HandedOut) -> Iterator[Entry]:
    """The lines that were handed out; no look at the desk outlasts the reading of a few."""
    reading = counter.clock.read()
    for start in range(0, len(handed_out.rows), READ_AT_ONCE):
        with counter.desk.reading() as tx:
            some = register.lines(tx, handed_out.rows[start : start + READ_AT_ONCE])
            read = [_entry(counter, tx, line, reading) for line in some]
        yield from read


def figures(counter: Counter, who: AtCounter, asked: Asked) -> FiguresBy:
    """What a report counts; nothing leaves the node by it, and no name is in it."""
    _require_clerk(who)
    reading = counter.clock.read()
    with counter.desk.reading() as tx:
        rows = register.numbers(tx, _sieve(tx, who, asked))
    return figures_of(entries(counter, HandedOut(rows, reading.now, full_names=False, item_names={})))


def _require_clerk(who: AtCounter) -> None:
    if who.actor.role is not Role.CLERK:
        raise NotYourDuty(who.actor.role, "register")


def _sieve(tx: Transaction, who: AtCounter, asked: Asked) -> Sieve:
    text = asked.text.strip()
    return Sieve(
        region=who.actor.region,
        states=SHOWS[asked.show],
        erased=True if asked.show == "erased" else None,
        item_id=asked.item_id or None,
        site=asked.site or None,
        first=asked.first,
        last=asked.last,
        text=text,
        items=[line.item_id for line in catalog.search(tx, text, ITEMS_BY_NAME).rows] if text else (),
    )


def _entry(counter: Counter, tx: Transaction, line: Line, reading: Reading) -> Entry:
    it = line.application
    guided = not line.erased or counter.shelf.holds(tx, it.item_id, it.catalog_version)
    clocks = time_lights.clocks(counter, tx, it, reading) if guided else []
    handling = next((clock for clock in clocks if clock.kind == "handling"), None)
    return entry_of(it, handling, erased=line.erased)
