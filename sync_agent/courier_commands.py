"""`python -m sync_agent courier out | in`: this node's mail onto a stick and from it, at the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from offline_store.errors import StoreError
from offline_store.paths import NodePaths
from sync_agent import courier_order
from sync_agent.arriving import Arrived, News, alone
from sync_agent.courier_in import take_in
from sync_agent.courier_out import Written, write_out
from sync_agent.errors import CourierError
from sync_agent.stick_folder import StickFolder
from sync_agent.wording import words
from wire.errors import WireError

MIB = 1024 * 1024

app = typer.Typer(no_args_is_help=True, help=words("help.courier"))
Root = Annotated[Path, typer.Option("--root", help=words("help.root"))]


def now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


@app.command("out", help=words("help.courier_out"))
def out(
    *,
    root: Root,
    to: Annotated[Path, typer.Option("--to", help=words("help.stick"))],
    capacity: Annotated[int | None, typer.Option("--capacity", min=4, help=words("help.capacity"))] = None,
    again: Annotated[bool, typer.Option("--again", help=words("help.again"))] = False,
) -> None:
    """Write the next bundle."""
    with _plain_errors(), alone(NodePaths(root), now) as sack:
        size = None if capacity is None else capacity * MIB
        for line in told_out(write_out(sack, StickFolder(to), capacity=size, again=again)):
            typer.echo(line)


@app.command("arrived", hidden=True)
def arrived(root: Root) -> None:
    """Lay out a bundle that came by relay, its catalog included; `alone` does it."""
    with _plain_errors(), alone(NodePaths(root), now):
        pass


@app.command("order", hidden=True)
def order(root: Root) -> None:
    """Do what the screen asked for."""
    raise typer.Exit(0 if courier_order.do(NodePaths(root)) else 1)


@app.command("in", help=words("help.courier_in"))
def into(*, root: Root, source: Annotated[Path, typer.Option("--from", help=words("help.stick"))]) -> None:
    """Take in what the city wrote for this node."""
    with _plain_errors(), alone(NodePaths(root), now) as sack:
        taken = take_in(sack, StickFolder(source))
        for brought in taken.arrived:
            for line in told_in(brought):
                typer.echo(line)
        if taken.damaged:
            typer.echo(words("courier.unreadable", count=len(taken.damaged), code=taken.damaged[0]), err=True)


def told_out(written: Written) -> Iterator[str]:
    """What a person should know and do next."""
    size = f"{written.bytes / MIB:.1f}"
    if not (written.ops or written.pieces or written.damaged or written.left.ops or written.left.scans):
        yield words("courier.asks_only", number=written.number)
        return
    yield words("courier.written", number=written.number, ops=written.ops, pieces=written.pieces, size=size)
    if written.damaged:
        yield words("courier.damaged", scans=written.damaged)
    if written.left.ops or written.left.scans:
        left = f"{written.left.bytes / MIB:.1f}"
        yield words("courier.left", ops=written.left.ops, scans=written.left.scans, size=left)
    yield words("courier.bring_it")


def told_in(brought: Arrived) -> Iterator[str]:
    """What came."""
    if brought.refused is not None:
        yield words("courier.refused_by_city", code=brought.refused)
        return
    if brought.news is News.OLDER:
        yield words("courier.older")
        return
    if brought.news is News.KNOWN:
        yield words("courier.known")
    yield words("courier.brought", received=brought.received, feed=brought.feed, scans=brought.scans)
    if brought.catalog is not None:
        key = "courier.catalog" if brought.catalog == "ok" else "courier.catalog_refused"
        yield words(key, code=brought.catalog)
    if brought.more:
        yield words("courier.more")


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (CourierError, WireError, StoreError) as failure:
        typer.echo(words(f"error.{failure.code}", code=failure.code), err=True)
        raise typer.Exit(1) from failure
