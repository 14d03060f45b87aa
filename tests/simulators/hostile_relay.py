"""A township machine in hostile hands: it drops, lies, re-orders, edits, replays, forges and reads what it carries."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.simulators import flaky_road
from tests.simulators.relayed import Relayed
from wire.bundle import DownInventory, part_of, sign_down, write_body
from wire.keys import SigningKey
from wire.receipt import CARRIED, Receipt, page_hash, sign_receipt

PLAIN = ("张测试", "511602180001010014", "13800000001", "clerk-1")


@dataclass
class HostileRelay:
    """What whoever holds the township's disk and network can do; each act is drawn from a seed."""

    world: Relayed
    rng: random.Random
    kept: list[bytes] = field(default_factory=list)
    own: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def acts(self) -> tuple[Callable[[], None], ...]:
        return (
            self.drop,
            self.lie,
            self.be_away,
            self.edit_a_bag,
            self.edit_an_answer,
            self.reorder,
            self.replay,
            self.misdirect,
            self.forge,
            self.forge_inside,
        )

    def act(self) -> str:
        """Do one of them, and remember every answer that passed."""
        answer = self.world.bags.down(self.node)
        if answer is not None and answer not in self.kept:
            self.kept.append(answer)
        chosen = self.rng.choice(self.acts)
        chosen()
        return chosen.__name__

    def rest(self) -> None:
        """Behave."""
        self.world.lan.always(None)
        self.world.line.always(None)

    @property
    def node(self) -> str:
        return self.world.post.node.document.node_id

    def drop(self) -> None:
        for bag in self.world.bags.waiting():
            bag.path.unlink()

    def lie(self) -> None:
        self.world.lan.always(_takes_and_forgets)

    def be_away(self) -> None:
        mishaps = (flaky_road.no_line(), flaky_road.portal(), flaky_road.answers(507), flaky_road.answers(202))
        self.world.lan.always(self.rng.choice(mishaps))

    def edit_a_bag(self) -> None:
        for bag in self.world.bags.waiting():
            self._spoil(bag.path)

    def edit_an_answer(self) -> None:
        answer = self.world.bags.down(self.node)
        if answer:
            at = self.rng.randrange(len(answer))
            self._answer(answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :])

    def reorder(self) -> None:
        for bag in self.world.bags.waiting():
            at = self.rng.randrange(2_000_000_000)
            os.utime(bag.path, (at, at))

    def replay(self) -> None:
        if self.kept:
            self._answer(self.rng.choice(self.kept))

    def misdirect(self) -> None:
        answer = self.world.bags.down(self.world.township.document.node_id)
        self._answer(answer or b"")

    def forge(self) -> None:
        """An answer of its own making, under its own key."""
        self._answer(self._forged(self.own))

    def forge_inside(self) -> None:
        """As `forge`, with the name of the true gateway's key written over its own."""
        from wire.canonical import b64
        from wire.keys import key_id

        true = b64(key_id(self.world.township.document.gateway.signing_public))
        false = b64(key_id(self.own.public))
        self._answer(self._forged(self.own).replace(false.encode(), true.encode()))

    def _forged(self, key: SigningKey) -> bytes:
        gateway = self.world.township.document.gateway
        scans = [name for names in self.world.post.filed.values() for name in names]
        receipt = Receipt(
            gateway=gateway.id,
            epoch="e" * 32,
            node=self.node,
            hwm=self.world.post.node.head.seq,
            head_hash=self.world.post.node.head.hash.hex(),
            stable_hwm=self.world.post.node.head.seq,
            server_time=self.world.post.city.clock(),
            nonce=CARRIED,
            feed_head=0,
            feed_more=False,
            page_hash=page_hash([]),
            scans_stored=scans,
        )
        inventory = DownInventory(
            gateway=gateway.id,
            node=self.node,
            made_at=self.world.post.city.clock(),
            receipt=sign_receipt(receipt, key),
            feed_first=1,
            parts=[part_of("mail", b"")],
        )
        return write_body(sign_down(inventory, key), [b""])

    def _answer(self, body: bytes) -> None:
        self.world.bags.put_down(self.node, body)

    def _spoil(self, path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        path.write_bytes(data)

    def reads(self) -> int:
        """How many plain words of an application it finds in everything that it carries."""
        carried = [path.read_bytes() for path in self.world.counter.paths.relay.rglob("*") if path.is_file()]
        words = [word.encode(code) for word in PLAIN for code in ("utf-8", "gbk", "utf-16-le")]
        return sum(word in data for data in carried for word in words)


async def _takes_and_forgets(request: httpx.Request, forward: flaky_road.Forward) -> httpx.Response:
    if request.method == "POST":
        return httpx.Response(202, json={"bag": "0" * 64}, request=request)
    return await forward(request)
