"""`python -m city_gateway`: serve, keys, node-code, clerk, ledger, audit, catalog, backup, scans, restore and more.

Laws: no secret in an argument; a passphrase comes from standard input; clock and chance enter here.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from casework.application import Role
from city_gateway import enrolment_commands, keys, rescue_commands
from city_gateway.acts import parking
from city_gateway.acts.gateway import CITY_REGION
from city_gateway.acts.office import add_clerk
from city_gateway.acts.outline import outline
from city_gateway.acts.rule import case_named, void
from city_gateway.app import Settings, build_app, now_utc, open_gateway
from city_gateway.audit_commands import app as audit_commands
from city_gateway.backup import commands as backup_commands
from city_gateway.catalog.release_commands import app as catalog_commands
from city_gateway.courier_commands import app as courier_commands
from city_gateway.errors import OfficeFormRefused
from city_gateway.figures_command import figures
from city_gateway.folder import GatewayFolder
from city_gateway.ledger import parked
from city_gateway.ledger.database import open_ledger
from city_gateway.ledger_options import Database, Scans
from city_gateway.news import NewsDesk
from city_gateway.opened import opened
from city_gateway.plain_errors import plain_errors
from city_gateway.recovery_commands import app as recovery_commands
from city_gateway.scan_commands import app as scan_commands
from city_gateway.wording import say, words

KEEP_ALIVE_S = 75
SHUTDOWN_S = 5
CONNECTIONS_MOST = 8000
OPEN_FILES = 2 * CONNECTIONS_MOST

app = typer.Typer(help=words("help.gateway"), no_args_is_help=True, pretty_exceptions_enable=False)
keys_app = typer.Typer(help=words("help.keys"), no_args_is_help=True)
clerk_app = typer.Typer(help=words("help.clerk"), no_args_is_help=True)
ledger_app = typer.Typer(help=words("help.ledger"), no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(clerk_app, name="clerk")
app.add_typer(ledger_app, name="ledger")
app.add_typer(catalog_commands, name="catalog")
app.add_typer(courier_commands, name="courier")
app.add_typer(recovery_commands, name="clerk-recovery")
app.add_typer(audit_commands, name="audit")
app.add_typer(backup_commands.app, name="backup")
app.add_typer(scan_commands, name="scans")
app.command("restore", help=words("help.restore"))(backup_commands.restore)
app.command("node-code", help=words("help.node_code"))(enrolment_commands.node_code)
app.command("node-answer", help=words("help.node_answer"))(enrolment_commands.node_answer)
app.command("figures", help=words("help.figures"))(figures)
keys_app.command("export", help=words("help.keys_export"))(backup_commands.export_keys)
keys_app.command("rescue", help=words("help.keys_rescue"))(rescue_commands.rescue)
keys_app.command("rescues", help=words("help.keys_rescues"))(rescue_commands.list_rescues)

Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]


@app.command(help=words("help.serve"))
def serve(
    *,
    database: Database,
    folder: Folder,
    public_url: Annotated[str, typer.Option("--public-url", help=words("help.serve.public_url"))],
    listen: Annotated[str, typer.Option("--listen", help=words("help.serve.listen"))] = "127.0.0.1:8440",
    automatic_rulings: Annotated[
        float | None, typer.Option("--automatic-rulings", help=words("help.serve.automatic_rulings"))
    ] = None,
    scans: Scans = None,
) -> None:
    """Start the gateway."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    waited = None if automatic_rulings is None else timedelta(seconds=automatic_rulings)
    host, _, port = listen.rpartition(":")
    if not (host and port.isdecimal()):
        typer.echo(words("command.listen_wrong", listen=listen), err=True)
        raise typer.Exit(1)
    with plain_errors():
        gateway = open_gateway(Settings(database, folder, public_url, scans=scans))
    typer.echo(words("command.serving", url=public_url))
    _allow_connections()
    served = build_app(gateway, automatic_rulings=waited)
    config = uvicorn.Config(
        served,
        host=host,
        port=int(port),
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        limit_concurrency=CONNECTIONS_MOST,
        log_level="warning",
    )
    door = _Door(config, served.state.news)
    door.run()
    if not door.started:
        raise typer.Exit(1)


class _Door(uvicorn.Server):
    """A server that, told to end, lets those go who wait for news instead of waiting for them."""

    def __init__(self, config: uvicorn.Config, news: NewsDesk) -> None:
        super().__init__(config)
        self._news = news

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The signal to end."""
        super().handle_exit(sig, frame)
        self._news.close()


def _allow_connections() -> None:
    """A county holds thousands of connections at once; the usual limit of open files is a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@keys_app.command("init", help=words("help.keys_init"))
def keys_init(*, folder: Folder) -> None:
    """Make the gateway's keys."""
    with plain_errors():
        keys.make_keys(GatewayFolder(folder).keys, os.urandom)
    typer.echo(words("command.keys_made", folder=GatewayFolder(folder).keys))


@keys_app.command("rotate", help=words("help.keys_rotate"))
def keys_rotate(*, folder: Folder) -> None:
    """Make a new sealing key; the old ones stay."""
    with plain_errors():
        number = keys.rotate_sealing(GatewayFolder(folder).keys, os.urandom)
    typer.echo(words("command.keys_rotated", number=number))


@clerk_app.command("add", help=words("help.clerk_add"))
def clerk_add(
    *,
    database: Database,
    clerk_id: Annotated[str, typer.Option("--id", help=words("help.clerk_add.id"))],
    name: Annotated[str, typer.Option("--name", help=words("help.clerk_add.name"))],
    department: Annotated[str, typer.Option("--department", help=words("help.clerk_add.department"))],
    region: Annotated[str, typer.Option("--region", help=words("help.clerk_add.region"))] = CITY_REGION,
    administrator: Annotated[bool, typer.Option("--administrator", help=words("help.clerk_add.administrator"))] = False,
    folder: Annotated[Path | None, typer.Option("--folder", help=words("help.not_needed"))] = None,  # noqa: ARG001
) -> None:
    """Register a person of a department, or give one a new passphrase."""
    passphrase = sys.stdin.readline().rstrip("\n")
    with plain_errors():
        ledger = open_ledger(database, now=now_utc(), randomness=os.urandom)
        try:
            add_clerk(
                ledger,
                clerk_id=clerk_id,
                name=name,
                department=department,
                region=region,
                passphrase=passphrase,
                randomness=os.urandom,
                role=Role.ADMINISTRATOR if administrator else Role.DEPARTMENT,
            )
        except OfficeFormRefused as refused:
            typer.echo(words(f"command.clerk_{refused.params['field']}", **refused.params), err=True)
            raise typer.Exit(1) from None
    typer.echo(words("command.clerk_added", clerk_id=clerk_id))


@ledger_app.command("waiting", help=words("help.ledger_waiting"))
def ledger_waiting(*, database: Database) -> None:
    """List applications that wait for an earlier step."""
    with plain_errors():
        ledger = open_ledger(database, now=now_utc(), randomness=os.urandom)
        try:
            with ledger.reading() as tx:
                for application_id, count, since in parked.waiting(tx):
                    typer.echo(f"{application_id} {count} {since.isoformat()}")
        finally:
            ledger.close()


@ledger_app.command("decide", help=words("help.ledger_decide"))
def ledger_decide(
    *,
    database: Database,
    folder: Folder,
    application_id: Annotated[str, typer.Argument(help=words("help.ledger_decide.application"))],
    scans: Scans = None,
) -> None:
    """Judge what waits for a step that will never come."""
    with opened(database, folder, scans=scans) as gateway:
        typer.echo(str(parking.decide(gateway, application_id)))


@ledger_app.command("void", help=words("help.ledger_void"))
def ledger_void(
    *,
    database: Database,
    folder: Folder,
    application: Annotated[str, typer.Argument(help=words("help.ledger_void.application"))],
    by: Annotated[str, typer.Option("--by", help=words("help.ledger_void.by"))],
) -> None:
    """Declare an application void."""
    with opened(database, folder) as gateway:
        one = case_named(gateway, application)
        reason = typer.prompt(words("command.void_reason"), default="", show_default=False).strip()
        if not reason:
            typer.echo(words("command.void_without_reason"), err=True)
            raise typer.Exit(1)
        state = say(f"state.{one.state.value}")
        sure = words("command.void_sure", receipt=one.receipt_no, item=one.item_id, state=state)
        if not typer.confirm(sure):
            typer.echo(words("command.void_kept"), err=True)
            raise typer.Exit(1)
        void(gateway, one.application_id, by, reason)
    typer.echo(words("command.voided", receipt=one.receipt_no))


@ledger_app.command("dump", help=words("help.ledger_dump"))
def ledger_dump(
    *,
    database: Database,
    folder: Annotated[Path | None, typer.Option("--folder", help=words("help.not_needed"))] = None,  # noqa: ARG001
) -> None:
    """List what happened to every application."""
    with plain_errors():
        ledger = open_ledger(database, now=now_utc(), randomness=os.urandom)
        for told in outline(ledger):
            typer.echo(json.dumps(told, ensure_ascii=False))
        ledger.close()


if __name__ == "__main__":
    app()
