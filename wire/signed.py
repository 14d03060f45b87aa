"""Signed documents: receipts, refusals, enrolment documents and other plain facts somebody vouches for.

Laws:
- A document is {"payload": base64 of the canonical JSON, "key": base64 key id, "sig": base64 signature}. The signature
  covers the payload bytes as they travel; the reader never writes them again.
- The label under which it was signed is not in the document: the reader must know what it expects.
- Nothing of the payload is looked at before the signature is checked.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from wire.canonical import b64, canonical_json, read_json, unb64
from wire.errors import MalformedMessage, WrongSignature
from wire.keys import SigningKey, key_id, verify

__all__ = [
    "SignedDocument",
    "read_document",
    "read_message",
    "sign_document",
    "sign_message",
    "validated",
]

SignedDocument = dict[str, str]

M = TypeVar("M", bound=BaseModel)


def sign_document(label: str, payload: Mapping[str, object], key: SigningKey) -> SignedDocument:
    """Sign plain data for the purpose named by `label`."""
    data = canonical_json(dict(payload))
    return {"payload": b64(data), "key": b64(key_id(key.public)), "sig": b64(key.sign(label, data))}


def read_document(label: str, document: object, public: bytes) -> dict[str, Any]:
    """The payload, once it is proven that `public` signed it under `label`."""
    payload = read_json(_proven(label, document, public), label)
    if not isinstance(payload, dict):
        raise MalformedMessage(label)
    return payload


def sign_message(label: str, message: BaseModel, key: SigningKey) -> SignedDocument:
    """Sign a message of the protocol."""
    return sign_document(label, message.model_dump(mode="json"), key)


def read_message(label: str, document: object, public: bytes, model: type[M]) -> M:
    """The message, once it is proven that `public` signed it under `label`."""
    return validated(model, _proven(label, document, public), label)


def validated(model: type[M], data: bytes, message: str) -> M:
    """Read JSON bytes as `model`; a refusal names the place and never the content."""
    read_json(data, message)
    try:
        return model.model_validate_json(data)
    except ValidationError as problem:
        where = ".".join(str(part) for part in problem.errors(include_input=False, include_url=False)[0]["loc"])
        raise MalformedMessage(message, where) from None


def _proven(label: str, document: object, public: bytes) -> bytes:
    payload, key, signature = _parts(document, label)
    if key != key_id(public):
        raise WrongSignature
    verify(public, label, payload, signature)
    return payload


def _parts(document: object, message: str) -> tuple[bytes, bytes, bytes]:
    if not isinstance(document, Mapping):
        raise MalformedMessage(message)
    try:
        return unb64(document["payload"]), unb64(document["key"]), unb64(document["sig"])
    except (KeyError, TypeError, ValueError):
        raise MalformedMessage(message) from None
