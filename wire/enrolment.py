"""How a machine becomes a node: the one-time code, the request, the city's signed document.

Laws:
- The code names the gateway: besides the secret it holds a fingerprint of the gateway's signing key. A gateway whose
  key does not match is refused before the secret leaves the machine.
- The request travels sealed to the gateway's sealing key (`seal_request`), because the secret is short; who sits
  in the middle learns nothing to enrol with. The gateway keeps only `secret_digest` and burns the code at first use.
- The request is signed with the new identity key, so that nobody enrols a key that he does not hold.
- The enrolment document is public. It grants nothing by itself; its end of validity never stops local work.

The way of it: GET /v1/enrol gives the `GatewayCard` (a document signed under label "gateway" by the key it names);
POST /v1/enrol takes `seal_request(...)`, answers with an `EnrolmentDocument` signed under label "enrolment".
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from pydantic import Field

from wire.canonical import canonical_json, read_json, unb64
from wire.errors import MalformedCode, MalformedMessage, WrongGateway
from wire.fields import Bytes, Hex32, Key, Moment, NodeRole, Region, Signature, Told
from wire.keys import SealingKey, SigningKey, verify
from wire.sealed_note import open_note, seal_note
from wire.signed import SignedDocument, read_message, sign_message, validated

__all__ = [
    "CARD_LABEL",
    "ENROLMENT_LABEL",
    "Code",
    "EnrolmentDocument",
    "EnrolmentRequest",
    "GatewayCard",
    "make_code",
    "new_secret",
    "open_request",
    "read_card",
    "read_code",
    "read_enrolment",
    "seal_request",
    "secret_digest",
    "sign_card",
    "sign_enrolment",
]

CARD_LABEL = "gateway"
ENROLMENT_LABEL = "enrolment"
_REQUEST_LABEL = "enrolment-request"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
_READ_AS = str.maketrans("OIL", "011", " -")
_SECRET_CHARS, _FINGERPRINT_CHARS, _CHECK_CHARS = 10, 16, 4  # 50 + 80 + 20 bits


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code taken apart."""

    secret: str = field(repr=False)
    fingerprint: bytes

    def check_gateway(self, signing_public: bytes) -> None:
        """Raise WrongGateway unless the code was made for the gateway with this key."""
        if _fingerprint(signing_public) != self.fingerprint:
            raise WrongGateway


class GatewayIdentity(Told):
    """How a gateway is known: its id, the key that signs, the keys to seal to (newest first)."""

    id: Hex32
    signing_public: Key
    sealing_publics: list[Key] = Field(min_length=1)


class GatewayCard(GatewayIdentity):
    """What a gateway says of itself before enrolment; believed only through a code's fingerprint."""


class EnrolmentRequest(Told):
    """The keys of a machine that wants to become a node."""

    code: str = Field(min_length=_SECRET_CHARS, max_length=_SECRET_CHARS, repr=False)
    identity_public: Key
    sealing_public: Key
    transport_public: Key
    nonce: Hex32
    proof: Signature
    replaces: Hex32 | None = None

    @classmethod
    def make(
        cls,
        *,
        code: Code,
        identity: SigningKey,
        sealing: bytes,
        transport: bytes,
        nonce: str,
        replaces: str | None = None,
    ) -> Self:
        """Ask with the secret of `code` for the keys given, proving the identity key; `replaces` is the node id under
        which this machine spoke before."""
        signed = _proof_bytes(code.secret, identity.public, sealing, transport, nonce)
        return cls(
            code=code.secret,
            identity_public=identity.public,
            sealing_public=sealing,
            transport_public=transport,
            nonce=nonce,
            proof=identity.sign(_REQUEST_LABEL, signed),
            replaces=replaces,
        )

    def check_proof(self) -> None:
        """Raise WrongSignature unless the sender holds the identity key."""
        signed = _proof_bytes(self.code, self.identity_public, self.sealing_public, self.transport_public, self.nonce)
        verify(self.identity_public, _REQUEST_LABEL, signed, self.proof)


class EnrolmentDocument(Told):
    """What the city says a node is. Public; signed by the gateway."""

    node_id: Hex32
    site: Region
    site_name: str
    role: NodeRole = Field(strict=False)
    region: Region
    township: Region
    valid_from: Moment
    valid_to: Moment
    identity_public: Key
    sealing_public: Key
    transport_public: Key
    gateway: GatewayIdentity
    gateway_url: str
    tuf_root: Bytes | None = None
    nonce: Hex32 | None = None


def new_secret(randomness: Callable[[int], bytes] = os.urandom) -> str:
    """Fifty random bits, as ten characters."""
    return _encode(int.from_bytes(randomness(7), "big") >> 6, _SECRET_CHARS)


def make_code(secret: str, gateway_public: bytes) -> str:
    """The code as it is read out or printed.

    >>> make_code("0123456789", bytes(32))
    '01234-56789-AG4BE-5VXR0-J876C-WEA3C'
    """
    text = secret + _encode(int.from_bytes(_fingerprint(gateway_public), "big"), _FINGERPRINT_CHARS)
    text += _check(text)
    return "-".join(text[at : at + 5] for at in range(0, len(text), 5))


def read_code(text: str) -> Code:
    """Take a typed code apart; case, blanks and the usual misreadings do not matter, a typing mistake does.

    >>> read_code("o1234 56789 ag4be-5vxr0-j876c-wea3c").fingerprint.hex()
    '5408b7177dc02483999c'
    """
    plain = text.strip().upper().translate(_READ_AS)
    body, check = plain[:-_CHECK_CHARS], plain[-_CHECK_CHARS:]
    if len(body) != _SECRET_CHARS + _FINGERPRINT_CHARS or not set(plain) <= set(_ALPHABET) or _check(body) != check:
        raise MalformedCode
    number = 0
    for char in body[_SECRET_CHARS:]:
        number = number * 32 + _ALPHABET.index(char)
    return Code(body[:_SECRET_CHARS], number.to_bytes(10, "big"))


def secret_digest(secret: str) -> bytes:
    """What the gateway keeps of a code."""
    return hashlib.sha256(b"guangan-wire-1\0enrolment-secret\0" + secret.encode("ascii")).digest()


def sign_card(card: GatewayCard, key: SigningKey) -> SignedDocument:
    """The card the gateway hands out, signed with the key it names."""
    return sign_message(CARD_LABEL, card, key)


def read_card(document: object, code: Code) -> GatewayCard:
    """The card, proven to be of the gateway that issued `code`."""
    card = validated(GatewayCard, _unproven_payload(document), CARD_LABEL)
    code.check_gateway(card.signing_public)
    return read_message(CARD_LABEL, document, card.signing_public, GatewayCard)


def seal_request(request: EnrolmentRequest, gateway_sealing_public: bytes) -> bytes:
    """The request as it travels, readable by the gateway only."""
    return seal_note(_REQUEST_LABEL, canonical_json(request.model_dump(mode="json")), gateway_sealing_public)


def open_request(data: bytes, *sealing_keys: SealingKey) -> EnrolmentRequest:
    """The request, opened with one of the gateway's keys, and its proof checked."""
    request = validated(EnrolmentRequest, open_note(_REQUEST_LABEL, data, *sealing_keys), _REQUEST_LABEL)
    request.check_proof()
    return request


def sign_enrolment(document: EnrolmentDocument, key: SigningKey) -> SignedDocument:
    """The gateway makes a node."""
    return sign_message(ENROLMENT_LABEL, document, key)


def read_enrolment(document: object, gateway_public: bytes) -> EnrolmentDocument:
    """The enrolment document, proven to be the gateway's."""
    return read_message(ENROLMENT_LABEL, document, gateway_public, EnrolmentDocument)


def _proof_bytes(secret: str, identity: bytes, sealing: bytes, transport: bytes, nonce: str) -> bytes:
    return secret.encode("ascii") + identity + sealing + transport + bytes.fromhex(nonce)


def _fingerprint(public: bytes) -> bytes:
    return hashlib.sha256(b"guangan-wire-1\0gateway-fingerprint\0" + public).digest()[:10]


def _check(body: str) -> str:
    digest = hashlib.sha256(b"guangan-wire-1\0code-check\0" + body.encode("ascii")).digest()
    return _encode(int.from_bytes(digest[:4], "big") >> 12, _CHECK_CHARS)


def _encode(number: int, chars: int) -> str:
    return "".join(_ALPHABET[number >> (5 * place) & 31] for place in reversed(range(chars)))


def _unproven_payload(document: object) -> bytes:
    if not isinstance(document, dict) or not isinstance(document.get("payload"), str):
        raise MalformedMessage(CARD_LABEL)
    try:
        payload = unb64(document["payload"])
    except ValueError:
        raise MalformedMessage(CARD_LABEL) from None
    read_json(payload, CARD_LABEL)
    return payload
