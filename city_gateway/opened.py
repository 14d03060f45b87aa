"""A gateway opened for one command, and closed after it; what is refused is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from city_gateway.acts.gateway import Gateway
from city_gateway.app import Settings, open_gateway
from city_gateway.errors import GatewayError
from city_gateway.wording import words


@contextmanager
def opened(database: str, folder: Path) -> Iterator[Gateway]:
    """The gateway of this folder and ledger."""
    try:
        gateway = open_gateway(Settings(database, folder, public_url=""))
        try:
            yield gateway
        finally:
            gateway.ledger.close()
    except GatewayError as error:
        typer.echo(words(f"error.{error.code}", **error.params), err=True)
        raise typer.Exit(1) from error
