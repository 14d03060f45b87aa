"""How a command that fails tells it: one sentence, and the exit status 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from city_gateway.errors import GatewayError
from city_gateway.wording import words
from wire.errors import WireError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the gateway's errors, and those of what was typed or read for the wire, into their words."""
    try:
        yield
    except GatewayError as error:
        typer.echo(words(f"error.{error.code}", **error.params), err=True)
        raise typer.Exit(1) from error
    except WireError as error:
        typer.echo(words(f"error.{error.code}", **error.params()), err=True)
        raise typer.Exit(1) from error
