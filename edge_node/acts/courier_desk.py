"""Asking the courier to write or read a stick. It signs and carries; this room only asks, by a file, and looks on.

Laws
- A stick is a folder right below the media root on which something is mounted; a plain folder of the machine's own disk
  is none, or mail would be written where nobody carries it.
- One order at a time; the next may be given when the last is finished, or was left unanswered for long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge_node.counter.counter import Counter
from edge_node.counter.errors import CourierBusy, NoSuchMedium, PracticeStaysHere
from edge_node.counter.sessions import AtCounter
from offline_store.desk import journal, scans, state
from offline_store.mailbox import orders
from offline_store.mailbox.orders import Order
from wire.counter import AskCourier, CourierJob, CourierView, MediumView

UNANSWERED: Final = timedelta(seconds=20)
NO_LONGER: Final = timedelta(minutes=10)
AWAY: Final = "courier.agent_away"


def view(counter: Counter, who: AtCounter) -> CourierView:  # noqa: ARG001 - only who is at the counter looks here
    """What waits, the sticks, and how the newest order goes."""
    with counter.desk.reading() as tx:
        marks = state.marks(tx)
        backlog = journal.backlog(tx, marks.hwm if marks else 0)
        waiting, scan_bytes = scans.backlog(tx)
    return CourierView(
        waiting_ops=backlog.ops,
        waiting_scans=waiting,
        waiting_bytes=backlog.bytes + scan_bytes,
        media=list(_media(counter)),
        job=_job(counter),
    )


def ask(counter: Counter, who: AtCounter, asked: AskCourier) -> CourierView:
    """Leave an order for the courier; what is practised goes onto no stick."""
    if counter.practice:
        raise PracticeStaysHere
    job = _job(counter)
    if job is not None and job.phase in {"waiting", "working"}:
        raise CourierBusy
    if asked.medium not in {medium.name for medium in _media(counter)}:
        raise NoSuchMedium(medium=asked.medium)
    order = Order(
        order_id=counter.new_id(),
        way=asked.way,
        medium=asked.medium,
        again=asked.again,
        asked_at=counter.clock.read().wall.isoformat(),
    )
    orders.put_order(counter.paths.outgoing, order)
    return view(counter, who)


def _media(counter: Counter) -> Iterator[MediumView]:
    root = counter.limits.media_root
    try:
        found = sorted(entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in found:
        place = root / name
        if orders.is_medium(name) and (counter.limits.media_folders or _is_mounted(root, place)):
            try:
                yield MediumView(name=name, free_bytes=counter.free_bytes(place))
            except OSError:
                continue


def _is_mounted(root: Path, place: Path) -> bool:
    try:
        return place.stat().st_dev != root.stat().st_dev
    except OSError:
        return False


def _job(counter: Counter) -> CourierJob | None:
    order = orders.order(counter.paths.outgoing)
    if order is None or order.way not in {orders.OUT, orders.IN}:
        return None
    told = orders.progress(counter.paths.incoming)
    job = CourierJob(order_id=order.order_id, way=order.way, medium=order.medium, phase="waiting")  # type: ignore[arg-type]
    age = _age(counter, order)
    if told is None or told.order_id != order.order_id:
        return job if age < UNANSWERED else job.model_copy(update={"phase": "failed", "code": AWAY})
    if told.phase == orders.WORKING and age > NO_LONGER:
        return job.model_copy(update={"phase": "failed", "code": AWAY})
    return CourierJob(
        order_id=order.order_id,
        way=order.way,  # type: ignore[arg-type]  # checked above
        medium=order.medium,
        phase=told.phase,  # type: ignore[arg-type]  # validated by the model
        files=told.files,
        files_all=told.files_all,
        bytes=told.bytes,
        bytes_all=told.bytes_all,
        code=told.code,
        params=told.params,
    )


def _age(counter: Counter, order: Order) -> timedelta:
    try:
        return abs(counter.clock.read().wall - datetime.fromisoformat(order.asked_at))
    except (ValueError, TypeError):
        return NO_LONGER * 2
