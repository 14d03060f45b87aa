"""Where the ledger is, as every command asks for it.

Law: whoever is on the machine sees the arguments of its programs, so a password belongs into the environment variable,
and the help says so.
"""

from __future__ import annotations

from typing import Annotated

import typer

from city_gateway.wording import words

LEDGER, SCRATCH = "GUANGAN_LEDGER", "GUANGAN_SCRATCH"


Database = Annotated[
    str,
    typer.Option("--database", help=words("help.database", variable=LEDGER), envvar=LEDGER, show_envvar=False),
]
Trial = Annotated[
    str | None,
    typer.Option(
        "--scratch",
        help=words("help.scratch", variable=SCRATCH),
        envvar=SCRATCH,
        show_envvar=False,
    ),
]
