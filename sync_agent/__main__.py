"""`python -m sync_agent run --root DIR` carries the mail of one node; `status` prints what waits and why."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from casework.working_days import CITY_TIME
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.paths import NodePaths
from sync_agent.loop import run as carry
from sync_agent.settings import AgentSettings
from sync_agent.wording import words

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
Root = Annotated[Path, typer.Option("--root", help="The node's folder.")]


@app.command()
def run(root: Root) -> None:
    """Carry mail until told to stop (SIGTERM, Ctrl-C)."""
    asyncio.run(_until_signalled(NodePaths(root)))


@app.command()
def status(root: Root) -> None:
    """Print the state of the line and what waits to leave this node."""
    paths = NodePaths(root)
    line = Incoming(paths.incoming).line()
    if line is None:
        typer.echo(words("status.never_tried"))
        raise typer.Exit(1)
    up = {True: "status.up", False: "status.down", None: "status.unknown"}[line.up]
    typer.echo(words(up, since=_minute(line.since)))
    typer.echo(words("status.backlog", ops=line.backlog_ops, scans=line.backlog_scans, size=line.backlog_bytes))
    typer.echo(words("status.tries", last=_minute(line.last_try), next=_minute(line.next_try)))
    if line.last_error:
        typer.echo(words("status.error", code=line.last_error))
    for ticket in Outgoing(paths.outgoing).scan_tickets():
        typer.echo(words("status.scan", scan=ticket.scan_hash[:12], size=ticket.length))


def _minute(moment: str | None) -> str:
    """A moment as a person in Guang'an reads it."""
    return datetime.fromisoformat(moment).astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M") if moment else "-"


async def _until_signalled(paths: NodePaths) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await carry(paths, AgentSettings(), stopped)


if __name__ == "__main__":
    app()
