"""Writing this node's mail onto a stick.

Laws: the stick is written whole or holds no bundle; nothing is taken from this node's disk for having been written;
what is noted as handed over is noted after the stick has it, so that a pulled stick costs only the writing.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from sync_agent.carried import Carried, remember, remembered
from sync_agent.errors import StickFull, StickGone
from sync_agent.packing import Packed, Sack, pack_bag
from wire.bundle import SCAN, Left, claimed_node, read_down, read_up
from wire.errors import WireError
from wire.stick import (
    DOWN,
    UP,
    Medium,
    bundles,
    bytes_on_stick,
    leftovers,
    read_inventory,
    write_bundle,
)

MIB = 1024 * 1024
KEPT_FREE = 2 * MIB
INVENTORY_ROOM = MIB
LEAST_ROOM = 2 * MIB


class Stick(Medium, Protocol):
    """A medium that knows how much room it has."""

    def free_bytes(self) -> int:
        """The room that is left."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How far a piece of work has come."""

    files: int
    files_all: int
    bytes: int
    bytes_all: int


Watch = Callable[[Steps], None]


def unwatched(_steps: Steps) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, slots=True)
class Written:
    """What lies on the stick now, and what still waits here."""

    folder: str
    number: int
    ops: int
    pieces: int
    bytes: int
    left: Left
    damaged: int


def write_out(
    sack: Sack, stick: Stick, *, capacity: int | None = None, again: bool = False, watch: Watch = unwatched
) -> Written:
    """Write the next bundle; `again` begins every scan anew, because an earlier stick was lost."""
    folder = sack.paths.agent_folder
    carried = remembered(folder, sack.node.node_id)
    if again:
        carried = Carried(carried.number)
    with _stick_answers():
        _make_room(sack, stick)
        room = min(stick.free_bytes() - KEPT_FREE, capacity or 1 << 62)
        if room < LEAST_ROOM:
            raise StickFull(room=max(0, room), needed=LEAST_ROOM)
        packed = pack_bag(sack, carried, room - INVENTORY_ROOM, takes=bytes_on_stick)
        laid = _laid_down(stick, packed, watch)
    remember(folder, sack.node.node_id, packed.after)
    return Written(
        folder=laid,
        number=packed.inventory.number,
        ops=packed.ops,
        pieces=packed.pieces,
        bytes=packed.bytes,
        left=packed.inventory.left,
        damaged=len(packed.damaged),
    )


def _laid_down(stick: Stick, packed: Packed, watch: Watch) -> str:
    done = 0

    def written(count: int) -> None:
        nonlocal done
        done += count
        watch(Steps(files, len(packed.parts), done, packed.bytes))

    files = 0

    def opened() -> Iterator[tuple[object, object]]:
        nonlocal files
        for part, chunks in packed.parts:
            yield part, chunks()
            files += 1

    laid = write_bundle(stick, UP, packed.document, opened(), written)  # type: ignore[arg-type]
    watch(Steps(files, files, done, packed.bytes))
    return laid


def _make_room(sack: Sack, stick: Stick) -> None:
    """Remove what was never finished, and bundles of this node that have done their work; nothing of other nodes."""
    for half in leftovers(stick, UP):
        stick.drop(half)
    waiting = {ticket.scan_hash for ticket in sack.outgoing.scan_tickets()}
    receipt = sack.receipt()
    for one in [*bundles(stick, UP), *bundles(stick, DOWN)]:
        with suppress(WireError):
            document = read_inventory(stick, one)
            if claimed_node(document) != sack.node.node_id:
                continue
            if one[0].upper() == UP:
                sent = read_up(document, sack.key.public, gateway=sack.node.gateway.id)
                scans = {part.scan for part in sent.parts if part.kind == SCAN}
                done = sent.last <= sack.hwm and not scans & waiting and receipt is not None
            else:
                brought = read_down(document, sack.node.gateway.signing_public, node=sack.node.node_id)
                done = receipt is not None and brought.made_at <= receipt.server_time
            if done:
                stick.drop(one)


@contextmanager
def _stick_answers() -> Iterator[None]:
    """Errors of the operating system are the stick's: it is full, or it is gone."""
    try:
        yield
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StickFull(room=0, needed=LEAST_ROOM) from failure
        raise StickGone(why=errno.errorcode.get(failure.errno or 0, "?")) from failure
