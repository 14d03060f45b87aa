"""`python -m city_gateway audit ...`: are the chains whole, and who looked at an application.

Laws: `verify` ends with 1 when any chain breaks, so that a timer can watch it; nothing of an applicant is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from city_gateway.acts import chains, office_audit
from city_gateway.acts.audit_words import line_of
from city_gateway.acts.chains import Followed
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office_audit import ChainHead
from city_gateway.errors import ApplicationUnknown
from city_gateway.ledger import cases
from city_gateway.ledger.office_audit import AuditRow, of_clerk
from city_gateway.ledger_options import Database
from city_gateway.opened import opened
from city_gateway.wording import words

app = typer.Typer(help=words("help.audit"), no_args_is_help=True, pretty_exceptions_enable=False)
Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]


@app.command(help=words("help.audit_verify"))
def verify(
    *,
    database: Database,
    folder: Folder,
    noted: Annotated[str | None, typer.Option("--noted", help=words("help.audit_verify.noted"))] = None,
) -> None:
    """Follow every chain from its beginning."""
    broken = 0
    with opened(database, folder) as gateway:
        for one in chains.follow_all(gateway, _head(noted)):
            typer.echo(_line(one))
            broken += one.broken_at is not None
    if broken:
        typer.echo(words("audit.broken_in_all", count=broken), err=True)
        raise typer.Exit(1)


@app.command(help=words("help.audit_read"))
def read(
    *,
    database: Database,
    folder: Folder,
    application: Annotated[str, typer.Argument(help=words("help.audit_read.application"))],
) -> None:
    """Who had to do with one application."""
    with opened(database, folder) as gateway:
        application_id = _application_id(gateway, application)
        rows = office_audit.history(gateway, application_id)
    _told(rows, words("audit.nobody"))


@app.command(help=words("help.audit_clerk"))
def clerk(
    *,
    database: Database,
    folder: Folder,
    clerk_id: Annotated[str, typer.Argument(help=words("help.audit_clerk.clerk"))],
) -> None:
    """What one person of the office did."""
    with opened(database, folder) as gateway, gateway.ledger.reading() as tx:
        rows = list(of_clerk(tx, clerk_id))
    _told(rows, words("audit.no_such_clerk", clerk=clerk_id))


def _told(rows: Sequence[AuditRow], none: str) -> None:
    for row in rows:
        typer.echo(line_of(row, words))
    if not rows:
        typer.echo(none)


def _line(one: Followed) -> str:
    told = {"node": one.node_id, "site": one.site_name, "seq": one.seq, "head": one.head[:16]}
    chain = words(f"audit.chain.{one.chain.value}", **told)
    if one.broken_at is None:
        return words("audit.whole", chain=chain, **told)
    return words("audit.broken", chain=chain, at=one.broken_at, why=words(f"audit.why.{one.why}"))


def _head(noted: str | None) -> ChainHead | None:
    if noted is None:
        return None
    seq, _, hash_ = noted.partition(":")
    if not (seq.isdecimal() and hash_):
        raise typer.BadParameter(words("audit.noted_wrong"))
    return ChainHead(int(seq), hash_.strip().lower())


def _application_id(gateway: Gateway, named: str) -> str:
    with gateway.ledger.reading() as tx:
        found = cases.only(tx, named)
    if found is None:
        raise ApplicationUnknown
    return found.application.application_id
