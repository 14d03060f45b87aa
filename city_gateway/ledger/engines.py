"""Database engines whose errors name no person: what goes wrong in a statement is printed by whoever runs the server.

Laws: an error's text holds neither the parameters of the statement nor a row that PostgreSQL quotes (its DETAIL, and
the message itself where a value was not understood); state, table and constraint are named, which are nobody's.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

QUOTES_A_VALUE = "22"
"""The class of PostgreSQL's states (data exception) whose message is made of the value that was refused."""


def engine_for(url: str | sa.URL, **settings: Any) -> Engine:  # noqa: ANN401 - handed on as they are
    """An engine; every one of this program is made here."""
    engine = sa.create_engine(url, hide_parameters=True, **settings)
    event.listen(engine, "handle_error", _say_no_values)
    return engine


def _say_no_values(context: ExceptionContext) -> None:
    """Replace the text of what PostgreSQL says by the part of it that is about the schema."""
    said = getattr(context.original_exception, "diag", None)
    if said is None or not said.sqlstate:
        return
    message = "" if said.sqlstate.startswith(QUOTES_A_VALUE) else said.message_primary
    parts = (said.sqlstate, message, said.table_name, said.column_name, said.constraint_name)
    text = " ".join(part for part in parts if part)
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:
            error.args = (text,)
