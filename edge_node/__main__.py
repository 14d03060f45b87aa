"""`python -m edge_node --root DIR [--page HOST:PORT]`: serve one node.

Starts only on an enrolled folder and a machine key; opens the desk, makes good what a crash left out, then serves the
counter socket and, where asked, the township page, while the mail goes round. Where the site chose to unlock at start,
the same doors stand locked until a clerk opens the desk. Logs codes and numbers, never a sentence or a name.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from edge_node.acts.mail_round import MailRound
from edge_node.acts.practice_round import PracticeRound
from edge_node.app import counter_app, open_counter, page_app, phone_app
from edge_node.counter.counter import Counter
from edge_node.faults import LastResort
from edge_node.language import ByChoice, ByHeader
from edge_node.listening import AlreadyRunning, Doors, counter_socket, page_socket, sole_process
from edge_node.locked import Lock, LockedCounter, LockedPage
from edge_node.phone_door import PhoneDoor, private_addresses
from edge_node.routes.page_headers import PageHeaders
from edge_node.routes.page_refusals import CalmDefects
from edge_node.settings import NodeSettings, read_settings
from offline_store.desk import keyring
from offline_store.errors import DISK_REFUSES, StoreError
from offline_store.node_toml import BadSetting
from offline_store.paths import NodePaths

log = logging.getLogger("edge_node")

CANNOT_START: Final = 2
DISK_FAILED: Final = 3
LOOK_FOR_PARENT_S: Final = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code says why it ended."""
    parser = argparse.ArgumentParser(prog="edge_node", description="The counter service of one node.")
    parser.add_argument("--root", type=Path, required=True, help="the node's folder")
    parser.add_argument("--page", metavar="HOST:PORT", help="also serve the township page there")
    parser.add_argument("--practice", action="store_true", help="serve a practice store, and no other")
    asked = parser.parse_args(arguments)
    if asked.practice and asked.page is not None:
        parser.error("a practice store is served on no page")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s", stream=sys.stderr)
    os.umask(0o027)
    paths = NodePaths(asked.root)
    try:
        paths.counter_socket.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with sole_process(paths.desk_lock):
            if not asked.practice and not keyring.opens_alone(paths.keyring):
                return asyncio.run(_serve_locked(paths, asked.page))
            counter = open_counter(paths, keyring.machine_key(), practice=asked.practice)
            try:
                return asyncio.run(_serve(counter, asked.page))
            finally:
                counter.desk.close()
    except BadSetting as reason:
        log.error("cannot start code=%s setting=%s allowed=%s", reason.code, reason.name, reason.allowed)  # noqa: TRY400
        return CANNOT_START
    except (StoreError, AlreadyRunning) as reason:
        log.error("cannot start code=%s", getattr(reason, "code", "already_running"))  # noqa: TRY400 - a code says it
        return CANNOT_START


async def _serve(counter: Counter, page: str | None) -> int:
    loop, wake, doors = asyncio.get_running_loop(), asyncio.Event(), Doors()
    round_ = PracticeRound(counter) if counter.practice else MailRound(counter)
    await asyncio.to_thread(round_.begin)
    _wire(counter, loop, wake, doors)
    settings, phones = read_settings(counter.paths.settings), list[PhoneDoor]()
    served = _bound(counter.paths, page, _with_phone(settings, phones, counter), page_app(counter))
    beside = [asyncio.create_task(_rounds(round_, wake, settings.mail_poll_seconds, doors))]
    if counter.practice:
        beside.append(asyncio.create_task(_until_left_alone(doors)))
    log.info("serving role=%s site=%s page=%s", counter.node.role, counter.node.site, page or "-")
    return await _until_told(counter.paths, doors, served, beside, phones)


async def _serve_locked(paths: NodePaths, page: str | None) -> int:
    """The same doors, locked until a clerk opens the desk; then the mail goes round as ever."""
    loop, wake, doors = asyncio.get_running_loop(), asyncio.Event(), Doors()
    rounds: list[MailRound] = []

    def open_(who: keyring.ByClerk) -> Counter:
        counter = open_counter(paths, who)
        try:
            _wire(counter, loop, wake, doors)
            rounds.append(MailRound(counter))
            rounds[0].begin()
        except BaseException:
            rounds.clear()
            counter.desk.close()
            raise
        return counter

    lock = Lock(open_, monotonic=time.monotonic, randomness=os.urandom)
    settings, phones = read_settings(paths.settings), list[PhoneDoor]()

    async def mail_once_open() -> None:
        await lock.opened.wait()
        log.info("unlocked")
        await _rounds(rounds[0], wake, settings.mail_poll_seconds, doors)

    at_counter = ByHeader(LastResort(LockedCounter(lock, partial(_with_phone, settings, phones))))
    on_page = ByChoice(PageHeaders(CalmDefects(LockedPage(lock, page_app))))
    served = _bound(paths, page, at_counter, on_page)
    mail = asyncio.create_task(mail_once_open())
    log.info("serving locked page=%s", page or "-")
    try:
        return await _until_told(paths, doors, served, [mail], phones)
    finally:
        if lock.counter is not None:
            lock.counter.desk.close()


def _wire(counter: Counter, loop: asyncio.AbstractEventLoop, wake: asyncio.Event, doors: Doors) -> None:
    counter.nudge = partial(_from_any_thread, loop, wake.set)
    counter.stop = partial(_from_any_thread, loop, doors.stop)


def _bound(
    paths: NodePaths, page: str | None, at_counter: ASGIApp, on_page: ASGIApp
) -> list[tuple[ASGIApp, socket.socket]]:
    served: list[tuple[ASGIApp, socket.socket]] = [(at_counter, counter_socket(paths.counter_socket))]
    if page is not None:
        host, _, port = page.rpartition(":")
        served.append((on_page, page_socket(host.strip("[]") or "127.0.0.1", int(port))))
    return served


async def _until_told(
    paths: NodePaths,
    doors: Doors,
    served: list[tuple[ASGIApp, socket.socket]],
    beside: list[asyncio.Task[None]],
    phones: list[PhoneDoor],
) -> int:
    try:
        await doors.serve(served)
    finally:
        for phone in phones:
            await phone.close()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        paths.counter_socket.unlink(missing_ok=True)
    return DISK_FAILED if doors.failed else 0


def _with_phone(settings: NodeSettings, phones: list[PhoneDoor], counter: Counter) -> ASGIApp:
    """The counter's application, and the door for phones that it may open."""
    own = counter_app(counter)
    if settings.phone_port and not counter.practice:
        addresses = (lambda: [settings.phone_host]) if settings.phone_host else private_addresses
        app = phone_app(counter, own.state.receiving)
        own.state.phone = PhoneDoor(app, counter.invitations, addresses, settings.phone_port)
        phones.append(own.state.phone)
    return own


async def _until_left_alone(doors: Doors) -> None:
    """Practice ends with the program that began it, however that ends: only there lies its key."""
    began = os.getppid()
    while os.getppid() == began:  # noqa: ASYNC110 - nobody tells a process that its parent is gone
        await asyncio.sleep(LOOK_FOR_PARENT_S)
    doors.close()


def _from_any_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: the next start finds what is due
        loop.call_soon_threadsafe(call)


async def _rounds(round_: MailRound | PracticeRound, wake: asyncio.Event, poll: float, doors: Doors) -> None:
    """Mail rounds off the event loop; woken by every commit, at the latest after `poll` seconds."""
    quiet = False
    while True:
        wake.clear()
        try:
            happened = await asyncio.to_thread(round_.turn, quiet=quiet)
        except DISK_REFUSES as failure:
            log.critical("the disk refused code=%s", failure.code)
            doors.stop()
            return
        except Exception as defect:  # noqa: BLE001 - the mail goes on with the next round; a name tells where to look
            log.critical("mail round failed by a defect type=%s", type(defect).__name__)
            happened = False
        quiet = not happened
        if happened:
            continue
        try:
            await asyncio.wait_for(wake.wait(), poll)
            quiet = False
        except TimeoutError:
            continue


if __name__ == "__main__":
    sys.exit(main())
