"""`python -m city_gateway keys rescue | rescues`: recovery keys for dead machines' disks, and the list of them all."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from casework.working_days import CITY_TIME
from city_gateway.app import now_utc
from city_gateway.backup.commands import plain_disk_errors
from city_gateway.backup.shelf import placing
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys
from city_gateway.rescue import Asked, recovery_key_for
from city_gateway.wording import words

Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]


def rescue(
    *,
    folder: Folder,
    disk: Annotated[Path, typer.Option("--disk", help=words("help.keys_rescue.disk"))],
    to: Annotated[Path, typer.Option("--to", help=words("help.keys_rescue.to"))],
    by: Annotated[str, typer.Option("--by", help=words("help.keys_rescue.by"))],
    reason: Annotated[str, typer.Option("--reason", help=words("help.keys_rescue.reason"))],
) -> None:
    """Make a recovery key for the disk of a dead machine."""
    with plain_disk_errors():
        place = GatewayFolder(folder)
        node, made = recovery_key_for(
            place,
            load_keys(place.keys),
            disk,
            Asked(by, reason),
            passphrase=_passphrase(),
            at=now_utc(),
            randomness=os.urandom,
        )
        with placing(to) as file:
            file.write(made)
        to.chmod(0o600)
    typer.echo(words("command.recovery_key_made", site=node.site_name, node=node.node_id, file=to))


def list_rescues(*, folder: Folder) -> None:
    """List every recovery key that was made."""
    made = GatewayFolder(folder).rescues
    for line in filter(None, made.read_text("utf-8").splitlines() if made.exists() else ()):
        try:
            one = json.loads(line)
            at = datetime.fromisoformat(one["at"]).astimezone(CITY_TIME)
        except ValueError:  # torn by a power cut, before any key was made of it
            typer.echo(line)
            continue
        typer.echo(f"{at:%Y-%m-%d %H:%M} {one['site']} {one['node']} {one['by']} {one['reason']}")


def _passphrase() -> str:
    """From standard input; a person at a terminal types it twice and does not see it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    asked = words("command.recovery_passphrase")
    return str(typer.prompt(asked, hide_input=True, confirmation_prompt=words("command.recovery_passphrase_again")))
