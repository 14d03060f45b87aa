"""A city and one village, founded once; each trial works on a copy of both. And the protections, taken away."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge_node.acts import forking, mail_in
from offline_store.desk import rechaining
from offline_store.desk.journal import Link as Entry
from provisioning import re_enrol as re_enrolling
from sync_agent.conversation import Conversation
from tests.city_gateway.gateway_fixtures import City, city_in
from tests.edge_node.village import HandClock
from tests.simulators.whole_node import Saved, WholeNode
from wire.audit_chain import Head, Link
from wire.envelope import envelope_hash, read_header
from wire.errors import Duplicate
from wire.exchange import city
from wire.messages import body_of, read_operation


@dataclass(frozen=True)
class Founded:
    """The two folders as they lay when everything was sent and answered, what had been saved by then, and when."""

    folder: Path
    saved: tuple[Saved, ...]
    now: datetime


def found(folder: Path) -> Founded:
    """A city, a village with two applications that the city has answered."""

    async def once() -> Founded:
        async with city_in(folder / "gateway", f"sqlite:///{folder / 'gateway' / 'ledger.db'}") as city:
            node = WholeNode.founded(city, folder / "node")
            for _ in range(2):
                node.collect()
            await node.drain()
            node.stop()
            return Founded(folder, tuple(node.diary), city.clock())

    return asyncio.run(once())


@asynccontextmanager
async def opened(founded: Founded, folder: Path) -> AsyncIterator[tuple[City, WholeNode]]:
    """A copy of both, running; the diary knows what was saved before."""
    shutil.copytree(founded.folder, folder, dirs_exist_ok=True)
    async with city_in(folder / "gateway", f"sqlite:///{folder / 'gateway' / 'ledger.db'}") as city:
        city.clock.now = founded.now
        node = WholeNode(city, folder / "node", HandClock(wall=city.clock(), boot_id="d" * 32), list(founded.saved))
        node.start()
        yield city, node


# --- protections taken away -------------------------------------------------------------------------------------------


def fork_goes_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """City, courier and counter take whatever continues by number, as if there were no hashes."""

    def follow_numbers(head: Head, link: Link, *_: Any) -> Head:
        if link.seq <= head.seq:
            raise Duplicate(link.seq)
        return Head(link.seq, link.hash)

    monkeypatch.setattr(city, "continue_with", follow_numbers)
    monkeypatch.setattr(Conversation, "_hash_at", lambda _self, _seq: None)
    monkeypatch.setattr(mail_in, "contradicts", lambda _talk: False)
    monkeypatch.setattr(forking, "look_at_start", lambda _counter: None)
    monkeypatch.setattr(forking, "answers_another_journal", lambda *_: False)


def op_ids_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed again becomes another operation."""
    sealer = re_enrolling._sealer

    def changed(*given: Any) -> rechaining.Seal:
        sealed = sealer(*given)

        def anew(head: Head, link: Entry) -> bytes:
            op_id = os.urandom(16).hex()
            body = body_of(read_operation(link.body).model_copy(update={"op_id": op_id}))
            return sealed(head, Entry(**{**_fields(link), "op_id": op_id, "body": body}))

        return anew

    monkeypatch.setattr(re_enrolling, "_sealer", changed)
    monkeypatch.setattr(
        rechaining, "_checked", lambda _head, _link, data: Head(read_header(data).seq, envelope_hash(data))
    )


def _fields(link: Entry) -> dict[str, Any]:
    return {name: getattr(link, name) for name in Entry.__slots__}
