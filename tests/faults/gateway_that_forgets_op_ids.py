"""A gateway that recognises no operation it has seen before: the protection taken away, for the control.

The real program in all else; started like it, with the same arguments.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from city_gateway import app as composition
from city_gateway.acts.gateway import Gateway
from city_gateway.app import Settings
from city_gateway.ledger.journal import Outcome


class NoRegister:
    """Everything is new to it."""

    def outcomes(self, tx: Connection, op_ids: Sequence[str]) -> dict[str, Outcome]:
        return {}

    def remember(self, tx: Connection, found: Iterable[Outcome]) -> None:
        """Forget at once."""


_open_gateway = composition.open_gateway


def _open(settings: Settings) -> Gateway:
    return _open_gateway(settings, register=NoRegister())


if __name__ == "__main__":
    composition.open_gateway = _open  # type: ignore[assignment]
    runpy.run_module("city_gateway", run_name="__main__", alter_sys=True)
