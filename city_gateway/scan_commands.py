"""`python -m city_gateway scans init`: make an S3-compatible store the gateway's own.

Laws: what lies in the gateway's folder is brought in before the store says whose it is, so that no gateway serves from
a store that lacks what the folder has; it may be cut and begun again. The folder's scans stay where they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys
from city_gateway.ledger_options import Scans
from city_gateway.plain_errors import plain_errors
from city_gateway.scan_store.folder_store import FolderStore
from city_gateway.scan_store.opening import far_store
from city_gateway.wording import words

TOLD_EVERY = 1000

app = typer.Typer(help=words("help.scans_group"), no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _scans() -> None:
    """Keeps `init` a command of its own although it is the only one."""


@app.command("init", help=words("help.scans_init"))
def init(
    *,
    folder: Annotated[Path, typer.Option("--folder", help=words("help.folder"))],
    scans: Scans = None,
) -> None:
    """Bring in what the folder has, then say whose store it is."""
    own = GatewayFolder(folder)
    with plain_errors():
        gateway_id = load_keys(own.keys).gateway_id
        own.create()
        store = far_store(scans or "", own, gateway_id)
        new, rotten = store.adopt(FolderStore(own), _told)
    typer.echo(words("command.scans_adopted", new=new))
    if rotten:
        typer.echo(words("command.scans_rotten", count=rotten), err=True)


def _told(brought: int) -> None:
    if brought % TOLD_EVERY == 0:
        typer.echo(words("command.scans_brought", count=brought), err=True)
