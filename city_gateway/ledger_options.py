"""Where the ledger is, as every command asks for it.

Law: whoever is on the machine sees the arguments of its programs, so a password belongs into the environment variable,
and the help says so.
"""

from __future__ import annotations

from typing import Annotated

import typer

LEDGER, SCRATCH = "GUANGAN_LEDGER", "GUANGAN_SCRATCH"


def _instead(variable: str) -> str:
    return f"带口令时请改用环境变量 {variable}:写在参数里,本机其他用户能从进程列表看到"


Database = Annotated[
    str,
    typer.Option(
        "--database", help=f"sqlite:///… 或 postgresql+psycopg://…;{_instead(LEDGER)}", envvar=LEDGER, show_envvar=False
    ),
]
Trial = Annotated[
    str | None,
    typer.Option(
        "--scratch",
        help=f"试恢复用的 PostgreSQL 库,默认在原库里建临时模式;{_instead(SCRATCH)}",
        envvar=SCRATCH,
        show_envvar=False,
    ),
]
