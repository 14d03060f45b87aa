"""A gateway on a slow disk with a narrow door, so that a few dozen nodes are a storm; or without one protection.

The real program in all else; started like it, with the same arguments. `GUANGAN_TEST_STORM` names what is changed:
`slow` (each batch holds the ledger for a while), `narrow` (little room), `open` (no admission at all), `forgets` (no
operation is recognised), `early` (a batch is acknowledged now and written later). How many requests were inside with
their bodies at most is written to the file that `GUANGAN_TEST_INSIDE` names.
"""

from __future__ import annotations

import os
import runpy
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from city_gateway import app as composition
from city_gateway.acts import receive
from city_gateway.admission import Admission, Inside
from city_gateway.ledger.database import Ledger
from city_gateway.turns import Bounds
from tests.faults.gateway_that_forgets_op_ids import _open

CHANGED = set(os.environ.get("GUANGAN_TEST_STORM", "").split(","))
INSIDE = os.environ.get("GUANGAN_TEST_INSIDE")
SLOW_S, LATER_S = 0.08, 2.0
NARROW = Bounds(at_once=2, light_at_once=1, inside=6)
MOST_INSIDE = 12  # in the room, at work, and the bodies of held requests

_build_app, _take_in, _run = composition.build_app, receive._take_in, Ledger.run


class CountedDoor:
    """Counts the exchanges whose body was asked for and that are not answered yet."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.state = app.state
        self._inside = 0
        self._most = int(Path(INSIDE).read_text("ascii")) if INSIDE and Path(INSIDE).exists() else 0  # before a kill

    async def __call__(self, scope: Any, receive_piece: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/v1/exchange":
            await self._app(scope, receive_piece, send)
            return
        asked = False

        async def counted() -> Any:
            nonlocal asked
            if not asked:
                asked = True
                self._inside += 1
                self._note()
            return await receive_piece()

        try:
            await self._app(scope, counted, send)
        finally:
            self._inside -= asked

    def _note(self) -> None:
        if self._inside > self._most and INSIDE:
            self._most = self._inside
            Path(INSIDE).write_text(str(self._most), "ascii")


class OpenDoor(Admission):
    """Everybody is let in at once."""

    @asynccontextmanager
    async def inside(self, node_id: str, size: int = 0, *, was_held: bool = False) -> AsyncIterator[Inside]:
        yield _Unhindered()  # type: ignore[misc]


class _Unhindered:
    async def reading(self, body: Any) -> Any:
        return await body

    @asynccontextmanager
    async def at_work(self, *, light: bool = False) -> AsyncIterator[None]:
        yield


def _door(randomness: Callable[[int], bytes], bounds: Bounds | None = None) -> Admission:
    if "open" in CHANGED:
        return OpenDoor(randomness, bounds)
    return Admission(randomness, NARROW if "narrow" in CHANGED and bounds is None else bounds)


def _slow(*said: Any) -> Any:
    time.sleep(SLOW_S)
    return _take_in(*said)


def _acknowledged_early(ledger: Ledger, act: Callable[[Any], Any]) -> Any:
    with ledger.transaction() as tx:
        result = act(tx)
        tx.rollback()
    threading.Thread(target=lambda: (time.sleep(LATER_S), _run(ledger, act)), daemon=True).start()
    return result


if __name__ == "__main__":
    composition.build_app = lambda *said, **more: CountedDoor(_build_app(*said, **more))  # type: ignore[assignment,return-value]
    composition.Admission = _door  # type: ignore[misc,assignment]
    if "slow" in CHANGED:
        receive._take_in = _slow
    if "forgets" in CHANGED:
        composition.open_gateway = _open  # type: ignore[assignment]
    if "early" in CHANGED:
        Ledger.run = _acknowledged_early  # type: ignore[method-assign]
    runpy.run_module("city_gateway", run_name="__main__", alter_sys=True)
