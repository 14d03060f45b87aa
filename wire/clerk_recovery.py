"""A forgotten passphrase: the challenge that a node shows and the answer that the city reads back by telephone.

Laws:
- A signature is too long to be read out, so the answer is a MAC under a secret that node and city share and nobody
  else: X25519 of the node's sealing key and a sealing key of the city, HKDF over the node's id and both public keys.
  Nothing is exchanged for it; each holds the other's public key since the enrolment.
- The answer is over this challenge's number and this clerk at this node: no other challenge, clerk or node takes it.
- The challenge carries which of the city's keys it was made for, and a short MAC under the same secret: the city says
  no to a challenge that this node did not make for this clerk, before an answer is read out in vain.
- The city asks nothing of its own memory: the same challenge gets the same answer. Used once is the node's word.
- A clerk is known by the spoken form of his id: who listens hears neither case nor width.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wire.errors import ChallengeOfOthers
from wire.keys import SealingKey, key_id
from wire.spoken_digits import DATA_DIGITS, SpokenKind, read_digits, say_digits

__all__ = ["Shared", "answer_for", "fits", "make_challenge", "shared_at_city", "shared_at_node"]

_DOMAIN = b"guangan-wire-1\0clerk-recovery\0"
_NONCE_DIGITS, _KEY_DIGITS, _TAG_DIGITS = 10, 2, 4
_NONCE_BYTES = 16
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Shared:
    """What one node and the city have in common under one of the city's keys."""

    secret: bytes = field(repr=False)
    key_digits: str


def shared_at_node(node_id: str, own: SealingKey, city_public: bytes) -> Shared:
    """The node's half of the agreement."""
    return _shared(node_id, own, city_public, node=own.public, city=city_public)


def shared_at_city(node_id: str, own: SealingKey, node_public: bytes) -> Shared:
    """The city's half of it."""
    return _shared(node_id, own, node_public, node=node_public, city=own.public)


def make_challenge(shared: Shared, clerk: str, randomness: Callable[[int], bytes]) -> str:
    """A new challenge, as it is shown and read out."""
    nonce = _digits(randomness(_NONCE_BYTES), _NONCE_DIGITS)
    return say_digits(nonce + shared.key_digits + _tag(shared, clerk, nonce), SpokenKind.CHALLENGE)


def answer_for(challenge: str, clerk: str, secrets: Iterable[Shared]) -> str:
    """What is read back; ChallengeOfOthers when none of `secrets` made this challenge for this clerk."""
    data = read_digits(challenge, SpokenKind.CHALLENGE)
    nonce, key, tag = data[:_NONCE_DIGITS], data[_NONCE_DIGITS:-_TAG_DIGITS], data[-_TAG_DIGITS:]
    for shared in secrets:
        if shared.key_digits == key and hmac.compare_digest(_tag(shared, clerk, nonce), tag):
            return say_digits(_answer(shared, clerk, nonce), SpokenKind.ANSWER)
    raise ChallengeOfOthers


def fits(answer: str, challenge: str, clerk: str, shared: Shared) -> bool:
    """Whether this is the city's answer to the challenge; typing mistakes are raised, for they are no attempt."""
    said = read_digits(answer, SpokenKind.ANSWER)
    nonce = read_digits(challenge, SpokenKind.CHALLENGE)[:_NONCE_DIGITS]
    return hmac.compare_digest(said, _answer(shared, clerk, nonce))


def _shared(node_id: str, own: SealingKey, other: bytes, *, node: bytes, city: bytes) -> Shared:
    agreed = own.private.exchange(X25519PublicKey.from_public_bytes(other))
    bound = _DOMAIN + bytes.fromhex(node_id) + node + city
    secret = HKDF(algorithm=hashes.SHA256(), length=_SECRET_BYTES, salt=None, info=bound).derive(agreed)
    return Shared(secret, _digits(key_id(city), _KEY_DIGITS))


def _tag(shared: Shared, clerk: str, nonce: str) -> str:
    return _digits(_mac(shared, b"challenge", clerk, nonce), _TAG_DIGITS)


def _answer(shared: Shared, clerk: str, nonce: str) -> str:
    return _digits(_mac(shared, b"answer", clerk, nonce), DATA_DIGITS)


def _mac(shared: Shared, purpose: bytes, clerk: str, nonce: str) -> bytes:
    spoken = unicodedata.normalize("NFKC", clerk).strip().casefold().encode()
    return hmac.digest(shared.secret, b"\0".join((purpose, nonce.encode("ascii"), spoken)), hashlib.sha256)


def _digits(data: bytes, count: int) -> str:
    """A number below 10^count; from 16 bytes and more it is even to within 1e-22."""
    return str(int.from_bytes(data, "big") % 10**count).zfill(count)
