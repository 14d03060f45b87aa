"""The bundle: what a carrier who is not trusted (a stick, a relay) brings up to the city and down again.

Laws:
- A bundle is a signed inventory and parts. The inventory names every part by length and hash; it is signed by the
  node's transport key on the way up and by the gateway on the way down, under labels of their own.
- Nothing of a bundle is used before the whole of it was checked: signature, addressee, then every part. What is
  missing, short, long or changed refuses the bundle, and nothing has changed.
- Parts carry what travels by every road, as it is: sealed envelopes, pieces of sealed scans, catalog files. What is in
  them is believed for its own signature, never for having been carried.
- Parts have no names. Whoever lays them on a stick names them by their place in the inventory.
- A bundle that comes again is harmless: sequence numbers, op_ids and hashes recognise what is known. `number` serves
  to tell a person so.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from wire.canonical import canonical_json, read_json, unb64
from wire.errors import MalformedMessage, Tampered, TooLarge, TrailingBytes, Truncated, WronglyAddressed
from wire.fields import Hash, Hex32, Key, Moment, Told
from wire.frames import pack, unpack
from wire.keys import SigningKey
from wire.messages import NodeReport
from wire.signed import SignedDocument, read_message, sign_message

__all__ = [
    "BUNDLE_TYPE",
    "CATALOG",
    "DOWN_LABEL",
    "MAIL",
    "MAX_INVENTORY_BYTES",
    "MAX_MAIL_BYTES",
    "MAX_PARTS",
    "MAX_PART_BYTES",
    "RELAY_REFUSALS",
    "SCAN",
    "UP_LABEL",
    "DownInventory",
    "Left",
    "Part",
    "UpInventory",
    "bundle_id",
    "catalog_part",
    "check_body",
    "checked",
    "claimed_node",
    "mail_parts",
    "open_body",
    "part_of",
    "read_catalog_part",
    "read_down",
    "read_mail",
    "read_up",
    "sign_down",
    "sign_up",
    "write_body",
]

UP_LABEL, DOWN_LABEL = "bundle-up", "bundle-down"
BUNDLE_TYPE = "application/vnd.guangan.bundle"
MAIL, SCAN, CATALOG = "mail", "scan", "catalog"
RELAY_REFUSALS = frozenset({"relay.closed", "relay.full", "relay.refused", "relay.slow", "relay.too_large"})
"""Why a relay takes no bag; nothing else that it says of itself is repeated to a person."""

MAX_INVENTORY_BYTES = 8 * 1024 * 1024
MAX_PARTS = 20_000
MAX_PART_BYTES = 64 * 1024 * 1024
MAX_MAIL_BYTES = 64 * 1024 * 1024
MAIL_PART_BYTES = 8 * 1024 * 1024
MAX_SCANS_NAMED = 20_000


class Part(Told):
    """One part: what it carries, and the bytes it must be. A piece of a scan says where in the scan it belongs."""

    kind: str = Field(min_length=1, max_length=20)
    length: int = Field(ge=0, le=MAX_PART_BYTES)
    hash: Hash
    scan: Hash | None = None
    offset: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0, le=MAX_PART_BYTES)

    @model_validator(mode="after")
    def _lies_within(self) -> Self:
        if self.kind == SCAN and (self.scan is None or not 0 < self.offset + self.length <= self.total):
            raise ValueError("a piece lies within its scan")
        return self


class Left(Told):
    """What did not fit and still waits on the node, so that a person knows whether another journey is due."""

    ops: int = Field(default=0, ge=0)
    scans: int = Field(default=0, ge=0)
    bytes: int = Field(default=0, ge=0)


class UpInventory(Told):
    """What a node sends by carrier; it asks for what an exchange asks: receipt, feed, scans held, catalog."""

    v: Literal[1] = 1
    node: Hex32
    gateway: Hex32
    number: int = Field(ge=1)
    made_at: Moment
    first: int = Field(default=0, ge=0)
    last: int = Field(default=0, ge=0)
    head_hash: Hash | None = None
    feed_cursor: int = Field(ge=0)
    feed_hash: Hash | None = None
    scans_asking: list[Hash] = Field(default_factory=list, max_length=MAX_SCANS_NAMED)
    scans_wanted: list[Hash] = Field(default_factory=list, max_length=MAX_SCANS_NAMED)
    catalog_held: dict[str, int] = Field(default_factory=dict)
    enrolled_until: Moment | None = None
    report: NodeReport = Field(default_factory=NodeReport)
    left: Left = Field(default_factory=Left)
    parts: list[Part] = Field(default_factory=list, max_length=MAX_PARTS)


class DownInventory(Told):
    """What the city sends back: its receipt, and as parts the feed from `feed_first` on, the catalog, scans asked for.

    `answers` is the number of the newest bundle of this node that the city took in; `scans_held` says how far the
    city holds those scans that are not whole; `transport` is the node's transport key, by which a relay that carried
    this knows that node's bags. A node whose identity was stopped, or is over, gets a signed `refusal` instead of a
    receipt.
    """

    v: Literal[1] = 1
    gateway: Hex32
    node: Hex32
    answers: int = Field(default=0, ge=0)
    made_at: Moment
    receipt: dict[str, str] | None = None
    refusal: dict[str, str] | None = None
    transport: Key | None = None
    feed_first: int = Field(ge=1)
    scans_held: dict[Hash, int] = Field(default_factory=dict)
    catalog_version: int | None = None
    parts: list[Part] = Field(default_factory=list, max_length=MAX_PARTS)


def sign_up(inventory: UpInventory, transport_key: SigningKey) -> SignedDocument:
    """Sign as the node's courier."""
    return sign_message(UP_LABEL, inventory, transport_key)


def read_up(document: object, transport_public: bytes, *, gateway: str) -> UpInventory:
    """The inventory, proven to be that node's and meant for this gateway."""
    inventory = read_message(UP_LABEL, document, transport_public, UpInventory)
    if inventory.gateway != gateway:
        raise WronglyAddressed("bundle")
    return inventory


def sign_down(inventory: DownInventory, gateway_key: SigningKey) -> SignedDocument:
    """Sign as the gateway."""
    return sign_message(DOWN_LABEL, inventory, gateway_key)


def read_down(document: object, gateway_public: bytes, *, node: str) -> DownInventory:
    """The inventory, proven to be the gateway's and meant for this node."""
    inventory = read_message(DOWN_LABEL, document, gateway_public, DownInventory)
    if inventory.node != node:
        raise WronglyAddressed("bundle")
    return inventory


def claimed_node(document: object) -> str:
    """Whose bundle it says it is, unproven: to find the key that proves it, or to sort bags by addressee."""
    payload = read_json(_payload(document), "bundle")
    node = payload.get("node") if isinstance(payload, dict) else None
    if not isinstance(node, str) or len(node) != 32 or set(node) - set("0123456789abcdef"):
        raise MalformedMessage("bundle", "node")
    return node


def bundle_id(document: object) -> str:
    """The name of a bundle: the hash of what was signed."""
    return hashlib.sha256(_payload(document)).hexdigest()


def part_of(kind: str, data: bytes, **where: Any) -> Part:  # noqa: ANN401 - the fields of a piece
    """Name these bytes as a part."""
    return Part(kind=kind, length=len(data), hash=hashlib.sha256(data).hexdigest(), **where)


def checked(part: Part, chunks: Iterable[bytes], place: str = "part") -> Iterator[bytes]:
    """Hand the bytes of a part through; whoever reads to the end without an error has read what was signed."""
    digest, seen = hashlib.sha256(), 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > part.length:
            raise TrailingBytes(part.length, seen)
        digest.update(chunk)
        yield chunk
    if seen < part.length:
        raise Truncated(part.length, seen)
    if digest.hexdigest() != part.hash:
        raise Tampered(place)


def mail_parts(envelopes: Iterable[bytes]) -> list[bytes]:
    """Sealed envelopes in order, as the contents of as few mail parts as their size allows."""
    packed: list[bytes] = []
    waiting: list[bytes] = []
    size = 0
    for envelope in envelopes:
        if waiting and size + len(envelope) + 4 > MAIL_PART_BYTES:
            packed.append(pack(waiting))
            waiting, size = [], 0
        waiting.append(envelope)
        size += len(envelope) + 4
    return [*packed, pack(waiting)] if waiting else packed


def read_mail(parts: Iterable[bytes]) -> list[bytes]:
    """The envelopes of the mail parts, in order."""
    found: list[bytes] = []
    for data in parts:
        found += unpack(data, MAIL_PART_BYTES * 2)
    return found


def catalog_part(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files of the published catalog under the addresses by which a node asks for them."""
    listed = list(files)
    return pack([canonical_json([address for address, _ in listed]), *(data for _, data in listed)])


def read_catalog_part(data: bytes) -> dict[str, bytes]:
    """The catalog files by address. The addresses are looked up, and never become names on a disk."""
    first, *files = unpack(data, MAX_PART_BYTES) or [b""]
    addresses = read_json(first, "catalog")
    if not isinstance(addresses, list) or len(addresses) != len(files):
        raise MalformedMessage("catalog")
    return dict(zip(map(str, addresses), files, strict=True))


def write_body(document: SignedDocument, parts: Iterable[bytes]) -> bytes:
    """A small bundle in one piece, as a relay carries it."""
    return pack([canonical_json(document), *parts])


def open_body(body: bytes, limit: int) -> tuple[dict[str, Any], list[bytes]]:
    """Take a bundle in one piece apart; nothing of it is proven yet."""
    frames = unpack(body, limit)
    if not frames or len(frames) > MAX_PARTS + 1:
        raise MalformedMessage("bundle")
    if len(frames[0]) > MAX_INVENTORY_BYTES:
        raise TooLarge(MAX_INVENTORY_BYTES)
    document = read_json(frames[0], "bundle")
    if not isinstance(document, dict):
        raise MalformedMessage("bundle")
    return document, frames[1:]


def check_body(parts: Sequence[Part], bodies: Sequence[bytes]) -> None:
    """Every part of a bundle in one piece is the one that was signed, and there is no other."""
    if len(bodies) < len(parts):
        raise Truncated(len(parts), len(bodies))
    if len(bodies) > len(parts):
        raise TrailingBytes(len(parts), len(bodies))
    for part, body in zip(parts, bodies, strict=True):
        for _ in checked(part, [body]):
            pass


def _payload(document: object) -> bytes:
    try:
        return unb64(document["payload"])  # type: ignore[index]  # whatever it is instead is refused
    except (KeyError, TypeError, ValueError):
        raise MalformedMessage("bundle") from None
