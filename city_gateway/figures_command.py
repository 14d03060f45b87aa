"""`python -m city_gateway figures`: the assessment figures of a region and some months, as JSON or CSV."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from casework.identifiers import is_region_code
from city_gateway.acts.figure_tables import ITEM, SITE, as_csv, as_json, names_of
from city_gateway.acts.figures import assessment, months, this_month
from city_gateway.acts.gateway import CITY_REGION
from city_gateway.ledger_options import Database
from city_gateway.opened import opened
from city_gateway.wording import words


class Form(StrEnum):
    """How the figures are written."""

    JSON = "json"
    BY_SITE = "by-site"
    BY_ITEM = "by-item"


def figures(
    *,
    database: Database,
    folder: Annotated[Path, typer.Option("--folder", help=words("help.folder"))],
    first: Annotated[str, typer.Option("--first", help=words("help.figures.first"))] = "",
    last: Annotated[str, typer.Option("--last", help=words("help.figures.last"))] = "",
    region: Annotated[str, typer.Option("--region", help=words("help.figures.region"))] = CITY_REGION,
    form: Annotated[Form, typer.Option("--form", help=words("help.figures.form"))] = Form.JSON,
) -> None:
    """Write the figures to standard output."""
    if not is_region_code(region):
        raise typer.BadParameter(words("command.region_wrong"), param_hint="--region")
    with opened(database, folder) as gateway:
        now = this_month(gateway.clock())
        found, online = assessment(gateway, region, months(first or now, last or first or now))
        if form is Form.JSON:
            typer.echo(as_json(found, online))
            return
        by = ITEM if form is Form.BY_ITEM else SITE
        typer.echo(as_csv(found, by, names_of(gateway, by), words), nl=False)
