"""The composition root: desk, mailbox, vault, keys, clock and chance are put together here, and the two doors opened.

Nothing below this module looks at the environment, opens a file of its own or reads a clock.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from edge_node import faults
from edge_node.acts.counter import MIB, Counter, Limits
from edge_node.acts.mail_in import kept_anchor
from edge_node.acts.mail_round import MailRound
from edge_node.acts.picture import SCAN_MAX_BYTES
from edge_node.acts.sessions import Sessions
from edge_node.acts.trusted_clock import MachineClock, TrustedClock
from edge_node.routes import (
    counter_applications,
    counter_drafts,
    counter_guide,
    counter_review,
    counter_scans,
    counter_session,
)
from edge_node.settings import NodeSettings
from offline_store.desk import keyring, keys, state
from offline_store.desk.database import open_desk
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from wire.canonical import unb64

BODY_MAX_BYTES = 2 * MIB
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
GATEWAY_PIN = "gateway.signing_public"


@dataclass(frozen=True, slots=True)
class Node:
    """A composed node: the counter and its mail round."""

    counter: Counter
    mail: MailRound


def machine_clock() -> MachineClock:
    """The real clock of this machine."""
    return MachineClock(wall=lambda: datetime.now(UTC), monotonic=time.monotonic, boot_id=boot_id())


def boot_id() -> str:
    """Which boot of the machine this is; a fresh id where the kernel does not say."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return os.urandom(16).hex()


def compose(paths: NodePaths, settings: NodeSettings, machine_key: bytes, clock: MachineClock) -> Node:
    """Open the desk with the machine's key and put the node together."""
    desk = open_desk(paths.desk_db, keyring.unlock(paths.keyring, machine_key))
    with desk.reading() as tx:
        pinned = state.get(tx, GATEWAY_PIN)
        own = keys.load(tx)
        sealing = keys.sealing_keys(tx)
        floor, anchor = state.time_floor(tx), kept_anchor(tx)
    counter = Counter(
        node=read_node_file(paths.enrolment, unb64(pinned) if pinned else None),
        paths=paths,
        desk=desk,
        outgoing=Outgoing(paths.outgoing),
        incoming=Incoming(paths.incoming),
        vault=Vault(paths.vault),
        identity=own.identity,
        sealing=sealing,
        clock=TrustedClock(clock, floor=floor, anchor=anchor),
        sessions=Sessions(clock.monotonic, os.urandom),
        randomness=os.urandom,
        limits=Limits(settings.disk_reserve_mib * MIB, timedelta(days=settings.retention_days)),
    )
    mail = MailRound(counter, settings.mail_poll_seconds)
    counter.nudge = mail.nudge
    return Node(counter, mail)


def counter_app(counter: Counter) -> FastAPI:
    """The application behind the Unix socket."""
    app = FastAPI(
        title="counter",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"auto_configure": False},
        max_body_size=BODY_MAX_BYTES,
        redirect_slashes=False,
    )
    app.state.counter = counter
    faults.install(app)
    app.include_router(counter_scans.router, max_body_size=SCAN_MAX_BYTES + MIB)
    for part in (counter_session, counter_guide, counter_drafts, counter_applications, counter_review):
        app.include_router(part.router)
    app.add_middleware(faults.LastResort)
    return app
