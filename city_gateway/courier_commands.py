"""`python -m city_gateway courier in | out`: mail that comes and goes by stick, at the city's desk.

Laws: each bundle is taken in whole or not at all, and one that is refused keeps no other from being taken in; what is
said names stations and counts, no person. Only bundles that are safely in the ledger are removed from a stick, and
only when an answer is written onto it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from city_gateway.acts import arrival, parking
from city_gateway.acts.courier_in import Taken, take_in
from city_gateway.acts.courier_out import Answer, answer_for
from city_gateway.acts.gateway import Gateway
from city_gateway.app import now_utc
from city_gateway.catalog.carrying import make_it_last
from city_gateway.errors import EnrolmentOver, GatewayError, ScanStoreAway
from city_gateway.ledger import carried
from city_gateway.ledger_options import Database, Scans
from city_gateway.opened import opened
from city_gateway.stick_folder import StickFolder
from city_gateway.wording import words
from wire.bundle import bundle_id, claimed_node
from wire.errors import WireError
from wire.stick import (
    DOWN,
    FOLDER,
    UP,
    bundles,
    bytes_on_stick,
    leftovers,
    read_inventory,
    read_part,
    write_bundle,
)

MIB = 1024 * 1024
KEPT_FREE = 2 * MIB
INVENTORY_ROOM = MIB

app = typer.Typer(help=words("help.courier"), no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]


@app.command("in", help=words("help.courier_in"))
def courier_in(
    *,
    database: Database,
    folder: Folder,
    stick: Annotated[Path, typer.Option("--from", help=words("help.courier.stick"))],
    scans: Scans = None,
) -> None:
    """Take in the stations' mail from a stick."""
    with opened(database, folder, scans=scans) as gateway:
        medium = StickFolder(stick)
        found = bundles(medium, UP)
        for half in leftovers(medium, UP):
            typer.echo(words("courier.unfinished", folder=half), err=True)
        if not found:
            typer.echo(words("courier.nothing", place=f"{stick}/{FOLDER}"), err=True)
            raise typer.Exit(1)
        refused = [one for one in found if not _taken(gateway, medium, one)]
        with suppress(ScanStoreAway):  # the serving gateway shares what was missed
            arrival.share_missed(gateway)
        parking.unpark_missed(gateway)
    typer.echo(words("courier.now_write"))
    raise typer.Exit(1 if refused else 0)


def _taken(gateway: Gateway, medium: StickFolder, one: str) -> bool:
    try:
        document = read_inventory(medium, one)
        taken = take_in(gateway, document, lambda place, part: read_part(medium, one, place, part))
    except (WireError, GatewayError) as error:
        typer.echo(words("courier.refused", folder=one, why=words(f"error.{error.code}"), code=error.code), err=True)
        return False
    except OSError as error:
        typer.echo(words("courier.unreadable", folder=one, why=os.strerror(error.errno or 0)), err=True)
        return False
    for line in _about(taken):
        typer.echo(line)
    return True


def _about(taken: Taken) -> Iterator[str]:
    key = "courier.taken_again" if taken.replayed else "courier.taken"
    yield words(key, site=taken.site_name, number=taken.number, new=taken.operations_new, all=taken.operations)
    if taken.scans_whole or taken.scans_in_part:
        yield words("courier.scans", whole=taken.scans_whole, part=taken.scans_in_part)
    if taken.left.ops or taken.left.scans:
        size = f"{taken.left.bytes / MIB:.1f}"
        yield words("courier.left", ops=taken.left.ops, scans=taken.left.scans, size=size)


@app.command("out", help=words("help.courier_out"))
def courier_out(
    *,
    database: Database,
    folder: Folder,
    stick: Annotated[Path, typer.Option("--to", help=words("help.courier.stick"))],
    node: Annotated[list[str] | None, typer.Option("--node", help=words("help.courier_out.node"))] = None,
    everyone: Annotated[bool, typer.Option("--all", help=words("help.courier_out.all"))] = False,
    capacity: Annotated[int | None, typer.Option("--capacity", min=4, help=words("help.courier_out.capacity"))] = None,
    scans: Scans = None,
) -> None:
    """Write the answers to the stations onto a stick."""
    with opened(database, folder, scans=scans) as gateway:
        with gateway.ledger.reading() as tx:
            wanted = list(dict.fromkeys([*(node or []), *(carried.senders(tx) if everyone else [])]))
        if not wanted:
            typer.echo(words("courier.whom"), err=True)
            raise typer.Exit(1)
        if make_it_last(folder, now_utc()):
            typer.echo(words("courier.renewed"))
        medium = StickFolder(stick)
        _make_room(gateway, medium, set(wanted))
        room = min(medium.free_bytes() - KEPT_FREE, (capacity or 1 << 40) * MIB)
        failed = 0
        for node_id in wanted:
            written = _written(gateway, medium, node_id, room)
            room -= written or 0
            failed += written is None
    raise typer.Exit(1 if failed else 0)


def _written(gateway: Gateway, medium: StickFolder, node_id: str, room: int) -> int | None:
    """The room it took, or None when it was not written."""
    try:
        answer = answer_for(gateway, node_id, most_bytes=max(0, room - INVENTORY_ROOM))
        taken = INVENTORY_ROOM + sum(bytes_on_stick(part.length) for part, _ in answer.parts)
        if taken > room:
            typer.echo(words("courier.full", site=answer.site_name), err=True)
            return None
        write_bundle(medium, DOWN, answer.document, [(part, chunks()) for part, chunks in answer.parts])
    except (GatewayError, WireError) as error:
        typer.echo(
            words("courier.not_written", node=node_id, why=words(f"error.{error.code}"), code=error.code), err=True
        )
        return None
    except OSError as error:
        typer.echo(words("courier.write_failed", node=node_id, why=os.strerror(error.errno or 0)), err=True)
        return None
    typer.echo(_told(answer))
    return taken


def _told(answer: Answer) -> str:
    if answer.refused is not None:
        key = "courier.written_over" if answer.refused == EnrolmentOver.code else "courier.written_stopped"
        return words(key, site=answer.site_name)
    version = "-" if answer.catalog_version is None else answer.catalog_version
    key = "courier.written_more" if answer.feed_more else "courier.written"
    return words(key, site=answer.site_name, feed=answer.feed, scans=answer.scans, catalog=version)


def _make_room(gateway: Gateway, medium: StickFolder, wanted: set[str]) -> None:
    """Remove what was never finished, bundles that are in the ledger, and older answers to the same nodes."""
    for half in leftovers(medium, DOWN):
        medium.drop(half)
    for one in [*bundles(medium, UP), *bundles(medium, DOWN)]:
        with suppress(WireError, OSError):
            document = read_inventory(medium, one)
            with gateway.ledger.reading() as tx:
                in_ledger = carried.known(tx, bundle_id(document))
            if in_ledger or (one[0].upper() == DOWN and claimed_node(document) in wanted):
                medium.drop(one)
