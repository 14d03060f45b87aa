"""`python -m city_gateway node-code | node-answer`: how a machine becomes a node, over a line or by stick.

Law: whoever enrols knows where the scans are, for a new township is told the keys of earlier ones once.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from city_gateway.acts.enrol import issue_code
from city_gateway.app import now_utc
from city_gateway.enrolment_stick import answer_all, lay_card
from city_gateway.errors import NoCatalogYet
from city_gateway.ledger_options import Database, Scans
from city_gateway.opened import opened
from city_gateway.wording import words
from wire.enrolment_stick import FOLDER

FolderOption = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]


def node_code(
    *,
    database: Database,
    folder: FolderOption,
    site: Annotated[str, typer.Option("--site", help=words("help.node_code.site"))],
    role: Annotated[str, typer.Option("--role", help=words("help.node_code.role"))],
    name: Annotated[str, typer.Option("--name", help=words("help.node_code.name"))],
    hours: Annotated[int, typer.Option("--hours", min=1, max=24 * 30, help=words("help.node_code.hours"))] = 72,
    stick: Annotated[Path | None, typer.Option("--stick", help=words("help.node_code.stick"))] = None,
) -> None:
    """Issue an enrolment code."""
    if stick is not None:
        _must_be_there(stick)
    with opened(database, folder) as gateway:
        if gateway.first_root() is None:
            raise NoCatalogYet
        code = issue_code(
            gateway.ledger,
            gateway.keys,
            role=role,
            site=site,
            site_name=name,
            now=now_utc(),
            lifetime=timedelta(hours=hours),
            randomness=os.urandom,
        )
        if stick is not None:
            lay_card(gateway, stick)
    typer.echo(code)
    typer.echo(words("command.code_once", hours=hours), err=True)
    if stick is not None:
        typer.echo(words("enrol_stick.card_laid", stick=stick), err=True)


def node_answer(
    *,
    database: Database,
    folder: FolderOption,
    public_url: Annotated[str, typer.Option("--public-url", help=words("help.serve.public_url"))],
    stick: Annotated[Path, typer.Option("--stick", help=words("help.node_answer.stick"))],
    scans: Scans = None,
) -> None:
    """Answer the requests of machines without a line."""
    _must_be_there(stick)
    with opened(database, folder, public_url=public_url, scans=scans) as gateway:
        answered = list(answer_all(gateway, stick))
    for one in answered:
        if one.unreadable:
            typer.echo(words("enrol_stick.unreadable", name=one.request, code=one.error), err=True)
        elif one.error:
            why = words(f"error.{one.error}")
            typer.echo(words("enrol_stick.refused", name=one.request, why=why, code=one.error), err=True)
        else:
            typer.echo(words("enrol_stick.answered", name=one.request, site=one.site_name))
    if not answered:
        typer.echo(words("enrol_stick.nothing", place=stick / FOLDER), err=True)
    else:
        typer.echo(words("enrol_stick.take_back"))
    if not answered or any(one.error for one in answered):
        raise typer.Exit(1)


def _must_be_there(stick: Path) -> None:
    """A stick that is not mounted is an empty place on this machine's own disk."""
    if not stick.is_dir():
        typer.echo(words("enrol_stick.not_there", stick=stick), err=True)
        raise typer.Exit(1)
