"""How a command that fails tells it: one sentence, and the exit status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from offline_store.errors import StoreError
from provisioning.errors import AnswerAwaited, ProvisioningError
from provisioning.wording import sentence
from wire.errors import WireError

AWAITED = 3
"""Exit status of a step that went well and has to be gone on with when the stick comes back."""

console = Console(soft_wrap=True)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what this program and its rooms refuse into their words."""
    try:
        yield
    except (ProvisioningError, StoreError, WireError) as error:
        console.print(sentence(error), markup=False, highlight=False)
        raise typer.Exit(AWAITED if isinstance(error, AnswerAwaited) else 1) from error
