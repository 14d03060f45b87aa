"""The composition root: from a node folder and a machine key to a counter, and from a counter to its two applications.

Everything that acts take as given (clock, randomness, keys, folders) is chosen here and handed in.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from edge_node import faults
from edge_node.acts import mail_in
from edge_node.counter.alarms import Alarms
from edge_node.counter.counter import MIB, Counter, Limits
from edge_node.counter.invitations import Invitations
from edge_node.counter.room import Room
from edge_node.counter.sessions import Sessions
from edge_node.counter.trusted_clock import MachineClock, TrustedClock
from edge_node.language import ByHeader
from edge_node.routes import (
    counter_applications,
    counter_courier,
    counter_drafts,
    counter_guide,
    counter_phone,
    counter_review,
    counter_scans,
    counter_session,
)
from edge_node.routes.page_index import page_app
from edge_node.routes.phone import phone_app
from edge_node.settings import NodeSettings, read_settings
from offline_store.desk import keyring, keys, rekeying, state
from offline_store.desk.database import Desk, log_set_aside, open_desk
from offline_store.errors import OtherIdentity
from offline_store.machine import machine_mark
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.placing import disk_says
from offline_store.vault.scans import Vault
from wire.waiting import Alarm

__all__ = ["counter_app", "machine_clock", "open_counter", "page_app", "phone_app"]

BODY_MAX_BYTES: Final = 512 * 1024
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def machine_clock() -> MachineClock:
    """The clock of this machine; its monotonic face runs on while the machine sleeps."""
    return MachineClock(
        wall=lambda: datetime.now(UTC),
        monotonic=lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        boot_id=_boot_id(),
    )


def _boot_id() -> str:
    """Which boot of the machine this is; a fresh id where the kernel does not say."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return os.urandom(16).hex()


def open_counter(
    paths: NodePaths,
    opener: keyring.Opener,
    *,
    clock: MachineClock | None = None,
    randomness: Callable[[int], bytes] = os.urandom,
    settings: NodeSettings | None = None,
    practice: bool = False,
) -> Counter:
    """Open an enrolled node's folder; a practice store only when asked for one, and then no other."""
    alarms = Alarms()
    room = Room(paths.desk_reserve, alarms)
    desk = room.must(partial(_opened_desk, paths, opener))
    try:
        chosen = settings or read_settings(paths.settings)
        at = clock or machine_clock()
        counter = compose(paths, desk, at, randomness, chosen, alarms=alarms, room=room, practice=practice)
    except BaseException:
        desk.close()
        raise
    cities = tuple(counter.node.gateway.sealing_publics)
    counter.change_key = partial(desk.change_key, paths.keyring, opener, cities, randomness)
    if not keyring.opens_alone(paths.keyring):
        counter.keep_slot = lambda who: desk.let_clerk_open(paths.keyring, who, randomness)
    return counter


def _opened_desk(paths: NodePaths, opener: keyring.Opener) -> Desk:
    with disk_says():
        paths.create()
    return open_desk(paths.desk_db, rekeying.open_key(paths.desk_db, paths.keyring, opener))


def compose(
    paths: NodePaths,
    desk: Desk,
    machine: MachineClock,
    randomness: Callable[[int], bytes],
    settings: NodeSettings,
    *,
    alarms: Alarms | None = None,
    room: Room | None = None,
    practice: bool = False,
) -> Counter:
    """A counter on an open desk; the gateway's key pinned at enrolment decides which node file is believed."""
    alarms = alarms or Alarms()
    room = room or Room(paths.desk_reserve, alarms)
    room.look()
    alarms.put(Alarm.LOG_DAMAGED, raised=log_set_aside(paths.desk_db).exists())
    alarms.put(Alarm.KEYRING_DAMAGED, raised=paths.keyring.exists() and not keyring.is_sound(paths.keyring))
    with desk.reading() as tx:
        pinned = state.pinned_gateway(tx)
        own, sealing = keys.load(tx), keys.sealing_keys(tx)
        floor, anchor = state.time_floor(tx), mail_in.kept_anchor(tx)
    node = read_node_file(paths.enrolment, pinned, practice=practice)
    if node.identity_public != own.identity.public:
        raise OtherIdentity
    sessions = Sessions(machine.monotonic, randomness)
    return Counter(
        node=node,
        paths=paths,
        desk=desk,
        outgoing=Outgoing(paths.outgoing),
        incoming=Incoming(paths.incoming),
        vault=Vault(paths.vault),
        identity=own.identity,
        sealing=sealing,
        clock=TrustedClock(machine, floor=floor, anchor=anchor),
        sessions=sessions,
        invitations=Invitations(sessions, machine.monotonic, randomness),
        randomness=randomness,
        machine=machine_mark(),
        room=room,
        alarms=alarms,
        limits=Limits(
            disk_reserve_bytes=settings.disk_reserve_mib * MIB,
            retention=timedelta(days=settings.retention_days),
            rekey_after=timedelta(days=settings.rekey_days),
            relay_bytes=settings.relay_mib * MIB,
            media_root=settings.media_root,
            media_folders=settings.media_folders,
        ),
    )


def counter_app(counter: Counter) -> FastAPI:
    """The application behind the counter socket, for the screen of this machine; who serves it puts the phone's door
    into its state."""
    app = FastAPI(
        title="counter",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"auto_configure": False},
        redirect_slashes=False,
    )
    app.state.counter = counter
    app.state.phone = None
    app.state.receiving = asyncio.Semaphore(counter_scans.RECEIVING_AT_ONCE)
    faults.install(app)
    for part in (
        counter_session,
        counter_guide,
        counter_drafts,
        counter_scans,
        counter_phone,
        counter_applications,
        counter_review,
        counter_courier,
    ):
        app.include_router(part.router, prefix="/counter", max_body_size=BODY_MAX_BYTES)
    app.add_middleware(faults.LastResort)
    app.add_middleware(ByHeader)
    return app
