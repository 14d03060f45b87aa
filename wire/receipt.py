"""The gateway's signed receipt: what the city has of this node, and what it just answered.

Laws:
- The node takes `hwm` as truth, even when it is lower than before: the gateway was restored and gets everything
  after it again. Nothing is erased on the node above `stable_hwm`.
- A receipt answers one question: node, nonce and the page of feed that came with it are covered by the signature.
- `epochs_left` are the timelines that this one has left by being restored: their receipts count no more.
- Stored is not decided: the outcome of an operation comes down the feed.
- `renewal` is a new enrolment document for the same keys, signed under its own label; it comes with the receipt on
  whatever road that travels, and again until the node says that it has it.
"""

import hashlib
from collections.abc import Iterable

from pydantic import Field

from wire.audit_chain import Head
from wire.errors import Replayed, Tampered, WronglyAddressed
from wire.fields import Hash, Hex32, Moment, Told
from wire.frames import pack
from wire.keys import SigningKey
from wire.signed import SignedDocument, read_message, sign_message

__all__ = ["CARRIED", "RECEIPT_LABEL", "Receipt", "page_hash", "read_receipt", "sign_receipt"]

RECEIPT_LABEL = "receipt"
CARRIED = "0" * 32
"""The nonce of a receipt that was carried in a bundle: it answers no question that is open now."""


class Receipt(Told):
    """What every successful exchange is answered with."""

    gateway: Hex32
    epoch: Hex32
    node: Hex32
    hwm: int = Field(ge=0)
    head_hash: Hash
    stable_hwm: int = Field(ge=0)
    server_time: Moment
    nonce: Hex32
    feed_head: int = Field(ge=0)
    feed_more: bool
    page_hash: Hash
    scans_stored: list[Hash] = Field(default_factory=list)
    scans_again: list[Hash] = Field(default_factory=list)
    """Scans of the node's site that the city held and lost: whoever has them sends them again."""
    epochs_left: list[Hex32] = Field(default_factory=list)
    retry_after: int | None = Field(default=None, ge=0)
    catalog_mark: str | None = Field(default=None, max_length=64)
    """Changes whenever the published catalog does, so that a node need not look in vain; it proves nothing."""
    renewal: SignedDocument | None = None

    @property
    def carried(self) -> bool:
        """It was signed for a carrier, so nobody can say how old its time is when it is read."""
        return self.nonce == CARRIED

    @property
    def head(self) -> Head:
        """Where the city's copy of this node's chain ends."""
        return Head(self.hwm, bytes.fromhex(self.head_hash))


def page_hash(feed: Iterable[bytes]) -> str:
    """The hash by which a receipt covers the feed frames that travel with it."""
    return hashlib.sha256(pack(feed)).hexdigest()


def sign_receipt(receipt: Receipt, key: SigningKey) -> SignedDocument:
    """Sign as the gateway."""
    return sign_message(RECEIPT_LABEL, receipt, key)


def read_receipt(
    document: object,
    gateway_public: bytes,
    *,
    node: str,
    nonce: str | None = None,
    feed: Iterable[bytes] | None = None,
) -> Receipt:
    """The receipt, proven to be the gateway's, for this node and (when given) for this question and page."""
    receipt = read_message(RECEIPT_LABEL, document, gateway_public, Receipt)
    if receipt.node != node:
        raise WronglyAddressed("receipt")
    if nonce is not None and receipt.nonce != nonce:
        raise Replayed
    if feed is not None and receipt.page_hash != page_hash(feed):
        raise Tampered("page")
    return receipt
