"""Where the ledger and the finished scans are, as every command asks for it.

Law: whoever is on the machine sees the arguments of its programs, so a password belongs into the environment variable,
and the help says so.
"""

from __future__ import annotations

from typing import Annotated

import typer

from city_gateway.wording import words

LEDGER, SCRATCH, SCANS = "GUANGAN_LEDGER", "GUANGAN_SCRATCH", "GUANGAN_SCANS"


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
Scans = Annotated[
    str | None,
    typer.Option("--scans", help=words("help.scans", variable=SCANS), envvar=SCANS, show_envvar=False),
]
