"""Doing what the screen asked for: one order, in a process of its own, with its progress told as it goes.

Laws: an order is done once and its end is told; one that is older than minutes is not done any more, because whoever
asked has gone and the stick may be another one. What failed is told by its code.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from offline_store.errors import StoreError
from offline_store.mailbox import orders
from offline_store.mailbox.orders import DONE, FAILED, OUT, WORKING, Order, Progress
from offline_store.node_toml import MEDIA_ROOT, MEDIA_ROOT_RULE, BadSetting, settled, written_in
from offline_store.paths import NodePaths
from sync_agent.arriving import Arrived, News, alone
from sync_agent.courier_in import TakenIn, take_in
from sync_agent.courier_out import Steps, Written, write_out
from sync_agent.errors import CourierError, NoStick, OrderTooOld
from sync_agent.stick_folder import StickFolder
from wire.errors import WireError

YOUNG = timedelta(minutes=2)
TELL_S = 0.3
LOOK_S = 0.5
LONGEST_S = 3600.0
BROKEN_OFF = "courier.broken_off"


def media_root(settings: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where sticks are mounted: the setting of edge_node, at the top of node.toml; or BadSetting."""
    said = {name: value for name, value in written_in(settings).items() if name == "media_root"}
    found: Path = settled(said, {"media_root": MEDIA_ROOT_RULE}, environment, "GUANGAN_NODE_").get(
        "media_root", MEDIA_ROOT
    )
    return found


def do(paths: NodePaths, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> bool:
    """Do the order that lies there; says whether it came to a good end."""
    order = orders.order(paths.outgoing)
    if order is None:
        return False
    try:
        code, params = _done(paths, order, now)
    except (CourierError, WireError, StoreError, BadSetting) as failure:
        _tell(paths, Progress(order_id=order.order_id, phase=FAILED, code=failure.code))
        return False
    except OSError as failure:
        _tell(paths, Progress(order_id=order.order_id, phase=FAILED, code="courier.stick_gone", params=_why(failure)))
        return False
    _tell(paths, Progress(order_id=order.order_id, phase=DONE, code=code, params=params))
    return True


def _done(paths: NodePaths, order: Order, now: Callable[[], datetime]) -> tuple[str, dict[str, Any]]:
    try:
        age = abs(now() - datetime.fromisoformat(order.asked_at))
    except (ValueError, TypeError):
        raise OrderTooOld from None
    if age > YOUNG:
        raise OrderTooOld
    place = media_root(paths.settings) / order.medium
    if not orders.is_medium(order.medium) or place.is_symlink() or not place.is_dir():
        raise NoStick
    watch = _Watch(paths, order.order_id)
    watch(Steps(0, 0, 0, 0))
    with alone(paths, now) as sack:
        if order.way == OUT:
            return _written(write_out(sack, StickFolder(place), again=order.again, watch=watch))
        return _brought(take_in(sack, StickFolder(place), watch=watch))


def _written(written: Written) -> tuple[str, dict[str, Any]]:
    left = bool(written.left.ops or written.left.scans)
    return ("courier.written_left" if left else "courier.written"), {
        "number": written.number,
        "ops": written.ops,
        "pieces": written.pieces,
        "bytes": written.bytes,
        "damaged": written.damaged,
        "left_ops": written.left.ops,
        "left_scans": written.left.scans,
        "left_bytes": written.left.bytes,
    }


def _brought(taken: TakenIn) -> tuple[str, dict[str, Any]]:
    code, params = _used([one for one in taken.arrived if one.news is not News.OLDER])
    return code, params | {"unreadable": len(taken.damaged)}


def _used(used: list[Arrived]) -> tuple[str, dict[str, Any]]:
    if not used:
        return "courier.older", {}
    stopped = next((one.refused for one in used if one.refused), None)
    if stopped:
        return "courier.refused_by_city", {"code": stopped}
    news = any(one.news is News.NEW for one in used)
    return ("courier.brought" if news else "courier.known"), {
        "received": max(one.received for one in used),
        "feed": sum(one.feed for one in used),
        "scans": sum(one.scans for one in used),
        "catalog": next((one.catalog for one in reversed(used) if one.catalog), ""),
        "more": any(one.more for one in used),
    }


class _Watch:
    """Tells the steps, sparingly."""

    def __init__(self, paths: NodePaths, order_id: str) -> None:
        self._paths = paths
        self._order_id = order_id
        self._told = 0.0

    def __call__(self, steps: Steps) -> None:
        if time.monotonic() - self._told < TELL_S:
            return
        self._told = time.monotonic()
        told = Progress(
            order_id=self._order_id,
            phase=WORKING,
            files=steps.files,
            files_all=steps.files_all,
            bytes=steps.bytes,
            bytes_all=steps.bytes_all,
        )
        _tell(self._paths, told)


def _tell(paths: NodePaths, progress: Progress) -> None:
    with suppress(OSError):  # a full disk keeps it from being told, never from being done
        orders.put_progress(paths.incoming, progress)


def _why(failure: OSError) -> dict[str, Any]:
    return {"why": type(failure).__name__}


async def watch_orders(paths: NodePaths, stopped: asyncio.Event) -> None:
    """Beside the rounds: each new order is done by a process of its own, and its end is told whatever happens."""
    while not stopped.is_set():
        order = orders.order(paths.outgoing)
        told = orders.progress(paths.incoming)
        finished = told is not None and order is not None and told.order_id == order.order_id
        if order is not None and not (finished and told is not None and told.phase in {DONE, FAILED}):
            await _in_its_own_process(paths, stopped)
            told = orders.progress(paths.incoming)
            if told is None or told.order_id != order.order_id or told.phase not in {DONE, FAILED}:
                _tell(paths, Progress(order_id=order.order_id, phase=FAILED, code=BROKEN_OFF))
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), LOOK_S)


async def _in_its_own_process(paths: NodePaths, stopped: asyncio.Event) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sync_agent", "courier", "order", "--root", str(paths.root)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    ended = asyncio.ensure_future(process.wait())
    told_to_stop = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({ended, told_to_stop}, timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told_to_stop.cancel()
        if process.returncode is None:
            process.kill()
        await ended
