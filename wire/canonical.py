"""The one way to turn a message into bytes, and bytes into a message.

Laws:
- Canonical JSON is UTF-8, keys sorted by code point, no white space, no escapes that are not needed, no NaN.
- What is signed are bytes; the reader checks the bytes it received and never writes them again to check them.
- Reading is strict: a doubled key, NaN or a bare surrogate is refused, so that two readers never see two messages.
- Binary values are standard base64 with padding, and every other spelling of the same bytes is refused.
"""

import base64
import binascii
import json
from typing import Any, NoReturn

from wire.errors import MalformedMessage, NotCanonical

__all__ = ["b64", "canonical_json", "read_json", "unb64"]


def canonical_json(value: object) -> bytes:
    """Write plain data canonically.

    >>> canonical_json({"b": 1, "a": ["代办", None, True]}).decode()
    '{"a":["代办",null,true],"b":1}'
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise NotCanonical from problem


def read_json(data: bytes, message: str = "json") -> Any:  # noqa: ANN401 - it is JSON
    """Read JSON strictly; `message` names it in the refusal."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedMessage(message) from None


def b64(data: bytes) -> str:
    """Write bytes as standard base64.

    >>> b64(bytes([0, 255])), unb64("AP8=")
    ('AP8=', b'\\x00\\xff')
    """
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Read standard base64 in its one spelling; anything else is a ValueError."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if b64(data) != text:
        raise ValueError("not the canonical base64")
    return data


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
