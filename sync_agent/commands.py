"""What a person (or the courier itself, for the catalog) asks of `python -m sync_agent` besides `run`."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from casework.working_days import CITY_TIME
from offline_store.mailbox.line import LineState
from offline_store.mailbox.waiting import look
from offline_store.node_file import read_node_file
from offline_store.node_toml import BadSetting
from offline_store.paths import NodePaths
from sync_agent import catalog_errand
from sync_agent.courier_commands import app as courier_commands
from sync_agent.settings import read_settings
from sync_agent.waiting_lines import explained
from sync_agent.wording import words
from wire.bundle import RELAY_REFUSALS
from wire.fields import NodeRole

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=words("help.sync_agent"), pretty_exceptions_enable=False
)
app.add_typer(courier_commands, name="courier")
Root = Annotated[Path, typer.Option("--root", help=words("help.root"))]
MIB = 1024 * 1024
NOT_FORWARDED = frozenset({"courier.bag_of_nobody", "gateway.busy"})
"""Codes by which the city takes no bag that have a sentence of their own."""


@app.callback(help=words("help.sync_agent"))
def _commands() -> None:
    """`run` carries mail until told to stop; the others are listed below."""


@app.command(help=words("help.status"))
def status(root: Root) -> None:
    """Print the state of the line and what waits to leave this node."""
    paths = _node_in(root)
    _say_bad_settings(paths)
    found = look(paths, datetime.now(UTC), started=_started())
    if found.line is None:
        typer.echo(words("status.never_tried"))
    else:
        _say_line(found.line)
        _say_relay(paths, found.line)
    for text in explained(found, datetime.now(UTC)):
        typer.echo(text)
    if found.line is None:
        raise typer.Exit(1)


def _node_in(root: Path) -> NodePaths:
    """The folder of a node, or a sentence for a person who mistyped it."""
    paths = NodePaths(root)
    if not paths.agent_folder.is_dir():
        typer.echo(words("status.no_node", folder=root), err=True)
        raise typer.Exit(2)
    return paths


def _say_line(line: LineState) -> None:
    up = {True: "status.up", False: "status.down", None: "status.unknown"}[line.up]
    typer.echo(words(up, since=_minute(line.since)))
    if line.listening:
        typer.echo(words("status.listening"))
    typer.echo(words("status.backlog", ops=line.backlog_ops, scans=line.backlog_scans, size=line.backlog_bytes))
    typer.echo(words("status.tries", last=_minute(line.last_try), next=_minute(line.next_try)))
    if line.last_error:
        typer.echo(words("status.error", code=line.last_error))
    _say_scans(line)


def _say_relay(paths: NodePaths, line: LineState) -> None:
    if line.relay_problem and not line.relay_at and _is_township(paths):
        typer.echo(words("status.forward_failed", why=_why_not_forwarded(line.relay_problem)))
    elif line.relay_problem:
        typer.echo(words("status.relay_failed", at=_minute(line.relay_at), why=_why_not_relayed(line.relay_problem)))
    elif line.relay_at:
        typer.echo(words("status.relay", at=_minute(line.relay_at)))


def _why_not_relayed(code: str) -> str:
    """By the relay's code; what it cannot have said itself (no answer, a page of somebody else) has one sentence."""
    return words("status.code", why=words(code if code in RELAY_REFUSALS else "relay.otherwise"), code=code)


def _why_not_forwarded(code: str) -> str:
    known = code in NOT_FORWARDED
    return words("status.code", why=words(f"forward.{code}" if known else "forward.otherwise"), code=code)


def _is_township(paths: NodePaths) -> bool:
    return read_node_file(paths.enrolment).role is NodeRole.TOWNSHIP


def _started() -> datetime:
    """When this machine did."""
    return datetime.now(UTC) - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


@app.command(help=words("help.settings"))
def settings(root: Root) -> None:
    """Check the settings of this node's courier and print what holds."""
    _print_settings(_node_in(root))


@app.command(hidden=True)
def catalog(root: Root, clock_offset_s: Annotated[float, typer.Option("--clock-offset-s")] = 0.0) -> None:
    """One look at the city's catalog, in a process of its own; the result is one line of JSON."""
    typer.echo(json.dumps(catalog_errand.look(NodePaths(root), clock_offset_s)))


def _say_scans(line: LineState) -> None:
    if line.held_because:
        typer.echo(words(f"status.held.{line.held_because}", until=_minute(line.scans_held_until)))
    if line.scan_bytes_a_day is not None:
        used, cap = line.scan_bytes_today / MIB, line.scan_bytes_a_day // MIB
        typer.echo(words("status.today", used=f"{used:.1f}", cap=cap))
    if line.scans_damaged:
        typer.echo(words("status.damaged", count=line.scans_damaged))


def _say_bad_settings(paths: NodePaths) -> None:
    try:
        read_settings(paths.settings)
    except BadSetting as bad:
        typer.echo(words("settings.bad", name=bad.name, allowed=bad.allowed))


def _print_settings(paths: NodePaths) -> None:
    try:
        found = read_settings(paths.settings)
    except BadSetting as bad:
        typer.echo(words("settings.bad", name=bad.name, allowed=bad.allowed))
        raise typer.Exit(2) from None
    spans = "、".join(f"{a // 60:02}:{a % 60:02}–{b // 60:02}:{b % 60:02}" for a, b in found.quiet_hours)
    typer.echo(words("settings.quiet_hours", spans=spans or words("settings.none")))
    cap = found.scan_mib_per_day
    typer.echo(words("settings.cap", cap=words("settings.no_cap") if cap is None else f"{cap} MiB"))
    typer.echo(words("settings.operations_only" if found.operations_only else "settings.everything"))
    typer.echo(words("settings.hold", seconds=found.hold_s) if found.hold_s else words("settings.no_hold"))


def _minute(moment: str | None) -> str:
    """A moment as a person in Guang'an reads it."""
    return datetime.fromisoformat(moment).astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M") if moment else "-"
