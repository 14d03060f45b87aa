"""The courier of a machine: asks, hears, carries in, lays into the mailbox what the exchange says must be kept."""

from __future__ import annotations

from dataclasses import replace

from tests.simulators.exchange_world.city import City, Question
from tests.simulators.exchange_world.office import WHOLE
from tests.simulators.exchange_world.sealing import No, Reply
from wire.audit_chain import Head
from wire.exchange import (
    Answered,
    Ask,
    DeliverFeed,
    Epoch,
    Halt,
    KeepReceipt,
    NodeConsequence,
    NodeExchange,
    Phase,
    Silence,
    advance,
)

BATCH = 5


class Courier:
    """What the courier does; the state is the machine's own."""

    __slots__ = ()

    def _courier(self) -> None:
        self.fuses.touch(f"courier:{self.number}")

    def _kept_talk(self) -> NodeExchange:
        reply = self.folder.receipt
        receipt = self.seals.receipt_of(reply, self.node) if reply else None
        if receipt is None:
            return NodeExchange(epochs=self.folder.epochs)
        epochs = (*(one for one in self.folder.epochs if one.name != receipt.epoch), Epoch.of(receipt))
        hwm = max(receipt.hwm, self.desk.hwm) if "mark" in self.off else receipt.hwm
        return NodeExchange(hwm=hwm, stable=receipt.stable_hwm, epochs=epochs)

    def feed_place(self) -> Head:
        """Where the feed stands: what was taken in, then what lies here without a hole."""
        place = self.folder.facts
        while (mail := self.folder.feed.get(place.seq + 1)) is not None:
            place = Head(place.seq + 1, mail.hash)  # type: ignore[attr-defined]
        return place

    def question(self, nonce: str, after: int) -> Question:
        """What goes up: the next letters without a hole, the place in the feed, the scans it asks about."""
        letters = []
        while len(letters) < BATCH and (letter := self.folder.outgoing.get(after + len(letters) + 1)) is not None:
            letters.append(letter)
        place = self.feed_place()
        asking = tuple(scan for scan, status in self.desk.scans.items() if status == "outgoing")
        return Question(self.node, nonce, place.seq, place.hash if place.seq else None, tuple(letters), asking)

    def ask(self) -> Question | None:
        """Begin a conversation; an open question is given up first."""
        if self.talk is None:
            self.talk = self._kept_talk()
        if self.talk.phase is Phase.HALTED:
            return None
        if self.talk.phase is Phase.WAITING:
            self.talk, _ = advance(self.talk, Silence())
        nonce = self.fresh()
        self.talk, _ = advance(replace(self.talk, feed_cursor=self.feed_place().seq), Ask(nonce))
        return self.question(nonce, self.talk.hwm)

    def hear(self, answer: Reply | No) -> None:
        """An answer came over the line."""
        if self.talk is None or self.talk.phase is not Phase.WAITING:
            return
        self.talk = self._gullible(self.talk)
        verdict = self.seals.judge(answer, self.node, self.talk)
        event = Answered(verdict) if self.off & {"fork", "chain"} else Answered(verdict, hash_at=self._hash_lying)
        before = self.talk.hwm
        self.talk, done = advance(self.talk, event)
        if "mark" in self.off:
            self.talk = replace(self.talk, hwm=max(before, self.talk.hwm))
        self._follow(done)

    def carry_in(self, reply: Reply) -> None:
        """An answer came on a stick."""
        accepted = self.seals.carried(reply, self.node)
        if accepted is None:
            return
        talk = replace(self._kept_talk(), feed_cursor=self.feed_place().seq)
        if self.talk is not None and self.talk.phase is Phase.HALTED:
            return
        after, done = self._brought(talk, accepted, reply.first, None, self._hash_lying)
        self.talk = None if after.phase is not Phase.HALTED else after
        self._follow(done, after)

    def _hash_lying(self, seq: int) -> bytes | None:
        letter = self.folder.outgoing.get(seq)
        return letter.hash if letter else None

    def _follow(self, done: tuple[NodeConsequence, ...], talk: NodeExchange | None = None) -> None:
        talk = talk or self.talk
        assert talk is not None
        for consequence in done:
            match consequence:
                case KeepReceipt(_, document):
                    self._courier()
                    self.folder.receipt = document  # type: ignore[assignment]
                    self._courier()
                    self.folder.epochs = talk.epochs
                    self._courier()
                case DeliverFeed(first, page):
                    for seq, mail in enumerate(page, start=first):
                        if seq > self.folder.facts.seq:
                            self.folder.feed[seq] = mail
                            self._courier()
                case Halt(code):
                    self.folder.refused = code
                    self._courier()

    def send_scan(self, scan: str, city: City) -> None:
        """One piece of a scan goes up; a scan that rotted is not sent."""
        if self.folder.vault.get(scan) == "whole" and self.desk.scans.get(scan) == "outgoing":
            offset = city.ledger.scans.get(scan, 0)
            if offset < WHOLE:
                city.piece(scan, offset)
