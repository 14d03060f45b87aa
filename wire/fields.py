"""The small shapes that messages are made of: ids, hashes, keys, times.

Laws:
- Messages are strict: no text for a number, no number for a truth value. Times are aware; days are plain dates.
- Binary fields are `bytes` in Python and canonical base64 in JSON; ids and hashes are lower-case hex in both.
- A program reads messages of newer programs: unknown fields are ignored (`Told`), except in what a program of the
  same machine asks of another (`Asked`), where an unknown field is a mistake.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from wire.canonical import b64, unb64

__all__ = [
    "Asked",
    "Bytes",
    "Day",
    "Hash",
    "Hex32",
    "Key",
    "Moment",
    "NodeRole",
    "Plain",
    "Region",
    "Signature",
    "Told",
]


class Told(BaseModel):
    """A message read with tolerance for what newer programs add."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class Asked(BaseModel):
    """A request in which an unknown field is a mistake."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class NodeRole(StrEnum):
    """What a node stands for at its site: it files for villagers, or it reviews what its villages file."""

    VILLAGE = "village"
    TOWNSHIP = "township"


def _to_bytes(value: object) -> object:
    return unb64(value) if isinstance(value, str) else value


Plain: TypeAlias = dict[str, Any]
Bytes = Annotated[bytes, BeforeValidator(_to_bytes), PlainSerializer(b64, return_type=str, when_used="json")]
Key = Annotated[Bytes, Field(min_length=32, max_length=32)]
Signature = Annotated[Bytes, Field(min_length=64, max_length=64)]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Region = Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{3}([0-9]{3})?)?$")]
Moment = Annotated[AwareDatetime, Field(strict=False)]
Day = Annotated[date, Field(strict=False)]
