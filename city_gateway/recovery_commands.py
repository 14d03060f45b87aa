"""`python -m city_gateway clerk-recovery answer | list`: a clerk who forgot the passphrase is on the telephone.

Laws: without the word that the station was called back at its number in the directory nothing is answered; the answer
alone goes to standard output, what to mind goes beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casework.working_days import CITY_TIME
from city_gateway.acts import clerk_recovery
from city_gateway.errors import RecoveryNotCalledBack
from city_gateway.ledger import nodes, recoveries
from city_gateway.ledger_options import Database
from city_gateway.opened import opened
from city_gateway.wording import words

MOST_LISTED = 10_000
NAME_MOST = 40

app = typer.Typer(help=words("help.recovery"), no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]


@app.command("answer", help=words("help.recovery_answer"))
def answer(
    *,
    database: Database,
    folder: Folder,
    node: Annotated[str, typer.Option("--node", help=words("help.recovery.node"))],
    clerk: Annotated[str, typer.Option("--clerk", help=words("help.recovery.clerk"))],
    by: Annotated[str, typer.Option("--by", help=words("help.recovery.by"))],
    challenge: Annotated[
        str, typer.Option("--challenge", prompt=words("recovery.challenge"), help=words("help.recovery.challenge"))
    ],
    called_back: Annotated[bool, typer.Option("--called-back", help=words("help.recovery.called_back"))] = False,
) -> None:
    """Answer one challenge."""
    with opened(database, folder) as gateway:
        if not called_back:
            raise RecoveryNotCalledBack
        found = clerk_recovery.answer(
            gateway, node=node.strip(), clerk=clerk.strip()[:NAME_MOST], challenge=challenge, by=by.strip()[:NAME_MOST]
        )
    if found.before is not None:
        at = f"{found.before.astimezone(CITY_TIME):%Y-%m-%d %H:%M}"
        typer.echo(words("recovery.before", at=at), err=True)
    typer.echo(words("recovery.read_back", site=found.site_name, clerk=clerk.strip()), err=True)
    typer.echo(found.answer)


@app.command("list", help=words("help.recovery_list"))
def listed(
    *,
    database: Database,
    folder: Folder,
    most: Annotated[int, typer.Option("--most", min=1, max=MOST_LISTED, help=words("help.recovery.most"))] = 50,
) -> None:
    """What was answered and refused, the newest first."""
    with opened(database, folder) as gateway, gateway.ledger.reading() as tx:
        for one in recoveries.newest(tx, most):
            author = nodes.find(tx, one.node_id)
            typer.echo(
                words(
                    "recovery.line",
                    at=f"{one.at.astimezone(CITY_TIME):%Y-%m-%d %H:%M}",
                    site=author.site_name if author else one.node_id,
                    clerk=one.clerk_id,
                    by=one.answered_by,
                    challenge=one.challenge,
                    verdict=words(f"recovery.verdict.{one.verdict}"),
                )
            )
