"""Drives the exchange machine of `wire.exchange`: asks, has the answer judged, does what follows, in that order.

Laws: what the machine says must be kept is kept before anything else is said; an answer that the gateway did not
sign changes nothing here; a halted conversation stays halted until the node is enrolled anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.outgoing import Outgoing
from offline_store.mailbox.waiting import receipt_of
from sync_agent.batches import next_batch
from sync_agent.inbound import feed_place
from sync_agent.memory import kept_exchange, remember_epochs, remembered_epochs
from sync_agent.report import node_report
from sync_agent.retry import tried_again
from sync_agent.scan_sender import ScanSender
from sync_agent.settings import AgentSettings
from sync_agent.uplink import Answer, Uplink
from wire.canonical import read_json
from wire.enrolment import EnrolmentDocument
from wire.envelope import envelope_hash, verify
from wire.errors import WireError
from wire.exchange import (
    Answered,
    Ask,
    DeliverFeed,
    Doubt,
    GoBack,
    Halt,
    KeepReceipt,
    NodeConsequence,
    Phase,
    Silence,
    Tell,
    WaitFor,
    advance,
)
from wire.judgement import Accepted, Expected, NotNow, judge
from wire.messages import WAIT_MOST_S, ExchangeHead, NodeReport, write_request
from wire.receipt import Receipt
from wire.signed import SignedDocument

MIB = 1024 * 1024
ASKING_MOST = 100
"""Scans in one question; each of them is noted here with the whole receipt that names it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one question brought. `why` is a code when it failed."""

    ok: bool
    more: bool = False
    news: bool = False
    why: str | None = None
    retry_after: int | None = None


class Conversation:
    """The talk of one node with its gateway."""

    def __init__(
        self,
        node: EnrolmentDocument,
        *,
        uplink: Uplink,
        outgoing: Outgoing,
        incoming: Incoming,
        sender: ScanSender,
        settings: AgentSettings,
        agent_folder: Path,
    ) -> None:
        self._node = node
        self._uplink = uplink
        self._outgoing = outgoing
        self._incoming = incoming
        self._sender = sender
        self._settings = settings
        self._folder = agent_folder
        self._catalog_mark: str | None = None
        self._exchange = kept_exchange(agent_folder, receipt_of(incoming, node))
        self._remembered = tuple(epoch.name for epoch in remembered_epochs(agent_folder))

    @property
    def halted(self) -> bool:
        """This identity may not speak any more."""
        return self._exchange.phase is Phase.HALTED

    @property
    def catalog_mark(self) -> str | None:
        """The mark of the catalog at the city as last heard; None when the city does not say."""
        return self._catalog_mark

    @property
    def hwm(self) -> int:
        """The city's mark as last heard."""
        return self._exchange.hwm

    async def ask(self, hold_s: int = 0, catalog_looked_at: str | None = None) -> Heard:
        """One round trip: push what fits, take receipt and feed page.

        With `hold_s` the question lies open at the city until there is news; whoever cancels it loses nothing, for the
        cursor moves only with what was kept.
        """
        try:
            return await self._ask(hold_s, catalog_looked_at)
        finally:
            if self._exchange.phase is Phase.WAITING:  # broken off, or the disk failed: as if nothing had come
                self._exchange, _ = advance(self._exchange, Silence("interrupted"))

    async def _ask(self, hold_s: int, catalog_looked_at: str | None) -> Heard:
        self._learn_epochs()
        cursor, feed_hash = feed_place(self._outgoing, self._incoming)
        nonce = self._uplink.fresh_nonce()
        self._exchange, _ = advance(replace(self._exchange, feed_cursor=cursor), Ask(nonce))
        batch = next_batch(
            self._outgoing,
            self._exchange.hwm,
            self._settings.batch_envelopes,
            self._settings.batch_bytes,
            self._node.identity_public,
        )
        asking = sorted(self._sender.whole)[:ASKING_MOST]
        head = ExchangeHead(
            node=self._node.node_id,
            nonce=nonce,
            feed_cursor=cursor,
            feed_hash=feed_hash,
            scans_asking=asking,
            wait_s=min(hold_s, WAIT_MOST_S),
            hold_s=hold_s if hold_s > WAIT_MOST_S else 0,
            catalog_mark=catalog_looked_at if hold_s else None,
            enrolled_until=self._node.valid_to,
            report=self._report(),
        )
        body = write_request(head, batch.envelopes)
        try:
            answer = await self._said(body, nonce, hold_s)
        except httpx.HTTPError as broken:
            return self._do(Silence(type(broken).__name__), None, asking)
        expected = Expected(self._node.gateway.signing_public, self._node.node_id, nonce, cursor)
        verdict = judge(answer.status, answer.headers, answer.body, expected)
        if isinstance(verdict, NotNow) and verdict.server_time is not None:
            self._uplink.learn_time(verdict.server_time)
        if isinstance(verdict, Accepted):
            self._uplink.learn_time(verdict.receipt.server_time)
            self._catalog_mark = verdict.receipt.catalog_mark
        heard = self._do(Answered(verdict, hash_at=self._hash_at), answer, asking)
        if not isinstance(verdict, Accepted) or not heard.ok:
            return heard
        waits = next_batch(self._outgoing, self._exchange.hwm, 1, 1, self._node.identity_public).envelopes
        moved = self._exchange.hwm >= batch.last
        unasked = len(asking) == ASKING_MOST and bool(self._sender.whole)
        more = heard.more or verdict.receipt.feed_more or bool(waits and moved) or unasked
        return replace(heard, more=more, news=more or bool(verdict.feed))

    def _learn_epochs(self) -> None:
        """A stick or a relay may have told of a timeline that this conversation has not heard of."""
        names = tuple(epoch.name for epoch in remembered_epochs(self._folder))
        if names != self._remembered:
            self._exchange = replace(
                kept_exchange(self._folder, receipt_of(self._incoming, self._node)), phase=self._exchange.phase
            )
            self._remembered = names

    async def _said(self, body: bytes, nonce: str, hold_s: int) -> Answer:
        """A held question is not repeated by itself: if its line broke, the rhythm decides when to ask anew."""
        if hold_s:
            return await self._uplink.exchange(body, nonce, hold_s)
        return await tried_again(lambda: self._uplink.exchange(body, nonce))

    def _do(self, event: Answered | Silence, answer: Answer | None, asking: list[str]) -> Heard:
        self._exchange, consequences = advance(self._exchange, event)
        heard = Heard(ok=isinstance(event, Answered) and isinstance(event.verdict, Accepted))
        for consequence in consequences:
            heard = self._follow(consequence, heard, answer, asking)
        return heard

    def _follow(self, consequence: NodeConsequence, heard: Heard, answer: Answer | None, asking: list[str]) -> Heard:
        match consequence:
            case KeepReceipt(receipt, document):
                self._incoming.put_receipt(document)
                self._stored(receipt, document, asking)
                names = tuple(epoch.name for epoch in self._exchange.epochs)
                if names != self._remembered:
                    remember_epochs(self._folder, self._exchange.epochs)
                    self._remembered = names
            case DeliverFeed(first, envelopes):
                for seq, data in enumerate(envelopes, start=first):
                    self._incoming.put_feed(seq, data)
            case WaitFor(why, seconds):
                return replace(heard, ok=heard.ok and seconds is None, why=why, retry_after=seconds)
            case Tell(code) | Halt(code):
                self._keep_refusal(answer)
                return replace(heard, ok=False, why=code)
            case Doubt():
                self._sender.doubt_all()
            case GoBack():
                return replace(heard, more=True)
        return heard

    def _stored(self, receipt: Receipt, document: SignedDocument, asking: list[str]) -> None:
        """The signed receipt says which of the scans asked about the gateway holds whole; the others go again."""
        for scan_hash in asking:
            if scan_hash in receipt.scans_stored:
                self._incoming.mark_scan_stored(scan_hash, document)
                self._sender.stored(scan_hash)
            else:
                self._sender.send_again(scan_hash)

    def _keep_refusal(self, answer: Answer | None) -> None:
        if answer is None:
            return
        try:
            document = read_json(answer.body, "refusal")
        except WireError:
            return
        if isinstance(document, dict):
            self._incoming.put_refusal(document)

    def _report(self) -> NodeReport:
        return node_report(
            self._outgoing,
            self._folder,
            ops=sum(1 for _ in self._outgoing.envelopes(self._exchange.hwm)),
            scans=len(self._sender.waiting()),
            clock_offset_s=round(self._uplink.clock_offset.total_seconds()),
        )

    def _hash_at(self, seq: int) -> bytes | None:
        """Of what lies here under this number, if it is whole. How much was ever written only edge_node knows: it may
        be laying its mail out anew just now."""
        for number, path in self._outgoing.envelopes(seq - 1):
            try:
                data = path.read_bytes() if number == seq else b""
                return envelope_hash(data) if verify(data, self._node.identity_public).seq == seq else None
            except (OSError, WireError):
                return None
        return None
