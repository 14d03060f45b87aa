"""How mail is sealed and signed in the world: cheaply for many histories, or with the real functions of `wire`.

Laws: both refuse the same things with the same errors; a seal is proven by name or by key, never by looking inside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from casework.events import Event
from wire.audit_chain import GENESIS, Head, Link, prove_link
from wire.canonical import canonical_json
from wire.envelope import Dictionary, Kind, envelope_hash, open_sealed, seal
from wire.errors import NotForThisKey, UnknownDictionary, WireError, WrongSignature
from wire.exchange import NodeExchange
from wire.judgement import Accepted, Expected, NotNow, Refused, judge
from wire.keys import SealingKey, SigningKey
from wire.messages import CONTENT_TYPE, Refusal, sign_refusal, write_reply
from wire.receipt import CARRIED, Receipt, page_hash, read_receipt, sign_receipt

CITY, RELAY = "city", "relay"
NO_PAGE = page_hash([])

RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Op:
    """One act as it was saved; another `salt` is another body under the same op_id. `poison` is "crash" when sorting it
    fails, "shut" when nobody can read it. A `note` is recorded by the city and has no effect."""

    op_id: str
    application_id: str
    events: tuple[Event, ...]
    basis: int
    scans: tuple[str, ...] = ()
    salt: int = 0
    poison: str = ""
    note: bool = False

    @property
    def body(self) -> bytes:
        """What is sealed: the act by its name, which the world can look up."""
        return f"{self.op_id}/{self.salt}".encode()

    @property
    def body_hash(self) -> bytes:
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class Letter:
    """A sealed act. Everything but `op` is clear; `op` is only for who opens it."""

    node: str
    seq: int
    prev: bytes
    hash: bytes
    key: int
    dictionary: int
    signer: str
    op: Op = field(repr=False)
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry of the feed says."""

    application_id: str
    case_seq: int
    op_id: str | None
    result: str
    letter: Letter | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedMail:
    """A sealed entry of the feed of `node`."""

    node: str
    seq: int
    prev: bytes
    hash: bytes
    told: Told = field(repr=False)
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A receipt with its page; `first` is the number of the first entry. Signed by `signer`, unless it is `data`."""

    receipt: Receipt
    page: tuple[FeedMail, ...]
    first: int
    signer: str = CITY
    data: bytes = field(default=b"", repr=False)
    document: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class No:
    """A refusal."""

    code: str
    node: str
    nonce: str
    final: bool
    signer: str = CITY
    data: bytes = field(default=b"", repr=False)


class Seals(Protocol):
    """The port between the world and its sealing."""

    def letter(self, node: str, head: Head, op: Op, key: int, dictionary: int) -> Letter: ...
    def prove(self, letter: Letter, node: str) -> Link: ...
    def open(self, letter: Letter, keys: frozenset[int], dictionaries: int) -> Op: ...
    def feed(self, node: str, head: Head, told: Told) -> FeedMail: ...
    def prove_feed(self, mail: FeedMail, node: str) -> Link: ...
    def reply(self, receipt: Receipt, page: tuple[FeedMail, ...], first: int, signer: str) -> Reply: ...
    def refuse(self, code: str, node: str, nonce: str, *, final: bool, at: datetime) -> No: ...
    def judge(self, answer: Reply | No, node: str, talk: NodeExchange) -> Accepted | NotNow | Refused: ...
    def carried(self, reply: Reply, node: str) -> Accepted | None: ...
    def receipt_of(self, reply: Reply, node: str) -> Receipt | None: ...


def _named(*parts: object) -> bytes:
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()


class CheapSeals:
    """Seals that are believed by the name of the signer."""

    def __init__(self) -> None:
        self._sealed = 0

    def letter(self, node: str, head: Head, op: Op, key: int, dictionary: int) -> Letter:
        seq = head.seq + 1
        name = _named(node, seq, head.hash.hex(), op.op_id, op.salt, key, dictionary)
        return Letter(node, seq, head.hash, name, key, dictionary, node, op)

    def prove(self, letter: Letter, node: str) -> Link:
        if letter.signer != node or letter.node != node:
            raise WrongSignature
        return Link(letter.seq, letter.prev, letter.hash)

    def open(self, letter: Letter, keys: frozenset[int], dictionaries: int) -> Op:
        if letter.key not in keys:
            raise NotForThisKey
        if letter.dictionary > dictionaries:
            raise UnknownDictionary(letter.dictionary)
        return letter.op

    def feed(self, node: str, head: Head, told: Told) -> FeedMail:
        self._sealed += 1  # as with real seals, the same words sealed twice are two envelopes
        name = _named("feed", node, head.seq + 1, head.hash.hex(), self._sealed)
        return FeedMail(node, head.seq + 1, head.hash, name, told)

    def prove_feed(self, mail: FeedMail, node: str) -> Link:
        if mail.node != node:
            raise WrongSignature
        return Link(mail.seq, mail.prev, mail.hash)

    def reply(self, receipt: Receipt, page: tuple[FeedMail, ...], first: int, signer: str) -> Reply:
        return Reply(receipt, page, first, signer, b"".join(mail.hash for mail in page))

    def refuse(self, code: str, node: str, nonce: str, *, final: bool, at: datetime) -> No:
        return No(code, node, nonce, final)

    def judge(self, answer: Reply | No, node: str, talk: NodeExchange) -> Accepted | NotNow | Refused:
        if isinstance(answer, No):
            if not answer.final or answer.signer != CITY or (answer.node, answer.nonce) != (node, talk.nonce):
                return NotNow(answer.code)
            return Refused(answer.code, Refusal.model_construct(code=answer.code, retry_after=None))
        receipt = self.receipt_of(answer, node)
        fits = receipt is not None and receipt.nonce == talk.nonce and answer.first == talk.asked_after + 1
        return Accepted(receipt, answer, answer.page) if fits else NotNow("wire.untrusted")  # type: ignore[arg-type]

    def carried(self, reply: Reply, node: str) -> Accepted | None:
        receipt = self.receipt_of(reply, node)
        if receipt is None or receipt.nonce != CARRIED:
            return None
        return Accepted(receipt, reply, reply.page)  # type: ignore[arg-type]

    def receipt_of(self, reply: Reply, node: str) -> Receipt | None:
        whole = reply.data == b"".join(mail.hash for mail in reply.page)
        return reply.receipt if whole and reply.signer == CITY and reply.receipt.node == node else None


class UnsignedBelieved(CheapSeals):
    """The protection switched off: whoever says it is believed."""

    def receipt_of(self, reply: Reply, node: str) -> Receipt | None:
        return reply.receipt if reply.receipt.node == node else None


class RealSeals:
    """Envelopes, receipts and refusals as production makes and judges them."""

    def __init__(self) -> None:
        self._gateway, self._stranger = SigningKey.generate(), SigningKey.generate()
        self._signing: dict[str, SigningKey] = {}
        self._sealing: dict[int, SealingKey] = {}
        self._reading: dict[str, SealingKey] = {}
        self._mail: dict[bytes, FeedMail] = {}

    def letter(self, node: str, head: Head, op: Op, key: int, dictionary: int) -> Letter:
        data = seal(
            kind=Kind.OPERATION,
            node_id=bytes.fromhex(node),
            seq=head.seq + 1,
            prev=head.hash,
            op_id=bytes.fromhex(op.op_id),
            body=op.body,
            recipients=[self._sealing.setdefault(key, SealingKey.generate()).public],
            signer=self._signing.setdefault(node, SigningKey.generate()),
            dictionary=_dictionary(dictionary),
        )
        return Letter(node, head.seq + 1, head.hash, envelope_hash(data), key, dictionary, node, op, data)

    def prove(self, letter: Letter, node: str) -> Link:
        data = letter.data if letter.signer == letter.node else letter.data[:-1] + bytes([letter.data[-1] ^ 1])
        return prove_link(data, self._signing[node].public, node_id=bytes.fromhex(node))

    def open(self, letter: Letter, keys: frozenset[int], dictionaries: int) -> Op:
        failure: WireError = NotForThisKey()
        for key in keys:
            try:
                opened = open_sealed(
                    letter.data,
                    recipient=self._sealing.setdefault(key, SealingKey.generate()),
                    signer_public=self._signing[letter.node].public,
                    dictionaries={number: _dictionary(number) for number in range(1, dictionaries + 1)},
                )
            except NotForThisKey as refused:
                failure = refused
                continue
            if opened.body != letter.op.body:
                raise WrongSignature
            return letter.op
        raise failure

    def feed(self, node: str, head: Head, told: Told) -> FeedMail:
        data = seal(
            kind=Kind.FEED,
            node_id=bytes.fromhex(node),
            seq=head.seq + 1,
            prev=head.hash,
            op_id=bytes(16),
            body=f"{told.application_id}/{told.case_seq}/{told.op_id}/{told.result}".encode(),
            recipients=[self._reading.setdefault(node, SealingKey.generate()).public],
            signer=self._gateway,
        )
        mail = FeedMail(node, head.seq + 1, head.hash, envelope_hash(data), told, data)
        self._mail[data] = mail
        return mail

    def prove_feed(self, mail: FeedMail, node: str) -> Link:
        return prove_link(mail.data, self._gateway.public, node_id=bytes.fromhex(node))

    def reply(self, receipt: Receipt, page: tuple[FeedMail, ...], first: int, signer: str) -> Reply:
        frames = [mail.data for mail in page]
        said = Receipt(**(dict(receipt) | {"page_hash": page_hash(frames)}))
        document = sign_receipt(said, self._gateway if signer == CITY else self._stranger)
        return Reply(said, page, first, signer, write_reply(document, frames), document)

    def refuse(self, code: str, node: str, nonce: str, *, final: bool, at: datetime) -> No:
        document = sign_refusal(Refusal(code=code, node=node, nonce=nonce, server_time=at), self._gateway)
        return No(code, node, nonce, final, CITY, canonical_json(document))

    def judge(self, answer: Reply | No, node: str, talk: NodeExchange) -> Accepted | NotNow | Refused:
        expected = Expected(self._gateway.public, node, talk.nonce or "", talk.asked_after)
        if isinstance(answer, No):
            return judge(409 if answer.final else 401, {}, answer.data, expected)
        verdict = judge(200, {"content-type": CONTENT_TYPE}, answer.data, expected)
        return self._with_mail(verdict, answer) if isinstance(verdict, Accepted) else verdict

    def carried(self, reply: Reply, node: str) -> Accepted | None:
        receipt = self.receipt_of(reply, node)
        if receipt is None or receipt.nonce != CARRIED:
            return None
        return Accepted(receipt, reply, reply.page)  # type: ignore[arg-type]

    def receipt_of(self, reply: Reply, node: str) -> Receipt | None:
        try:
            frames = [mail.data for mail in reply.page]
            return read_receipt(reply.document, self._gateway.public, node=node, feed=frames)
        except WireError:
            return None

    def _with_mail(self, verdict: Accepted, answer: Reply) -> Accepted:
        page: Iterable[FeedMail] = (self._mail[data] for data in verdict.feed)
        return Accepted(verdict.receipt, answer, tuple(page))  # type: ignore[arg-type]


def _dictionary(number: int) -> Dictionary:
    return Dictionary(number, f"dictionary {number} of the world".encode() if number else b"")


def beginning() -> Head:
    """Where every chain begins."""
    return GENESIS


def altered(letter: Letter) -> Letter:
    """Somebody on the way changed it: its signature does not fit any more."""
    return replace(letter, signer=RELAY)
