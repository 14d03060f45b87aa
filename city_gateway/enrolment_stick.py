"""The city's end of enrolment by stick: the card is laid on it, every request on it is answered there.

Laws: the same act answers as over a line, so a code makes one node whatever road its request takes, and a stick read
twice changes nothing; no link on the stick is followed; an answer is durable before it is told.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from city_gateway.acts.enrol import card, enrol
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import GatewayError
from city_gateway.folder import flush_folder
from city_gateway.wording import say
from wire.canonical import canonical_json
from wire.enrolment import read_enrolment
from wire.enrolment_stick import CARD, FILE_BYTES_MOST, FOLDER, answer_to, requests
from wire.errors import MalformedMessage, WireError
from wire.messages import Refusal, sign_refusal
from wire.signed import SignedDocument

READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request: the site of the node it made, or the code of the error. What cannot be read as a
    request to this gateway is not answered at all."""

    request: str
    site_name: str = ""
    error: str = ""
    unreadable: bool = False


def lay_card(gateway: Gateway, stick: Path) -> None:
    """Let machines without a line know this gateway."""
    _write(_place(stick), CARD, canonical_json(dict(card(gateway))))


def answer_all(gateway: Gateway, stick: Path) -> Iterator[Answered]:
    """Answer every request on the stick, one after the other."""
    place = _place(stick)
    names = [path.name for path in place.iterdir()] if place.is_dir() else []
    for name in requests(names):
        yield _answered(gateway, place, name)


def _answered(gateway: Gateway, place: Path, name: str) -> Answered:
    try:
        signed = enrol(gateway, _read(place / name))
        done = Answered(name, read_enrolment(signed, gateway.keys.signing.public).site_name)
    except WireError as broken:
        return Answered(name, error=broken.code, unreadable=True)
    except GatewayError as refused:
        signed, done = _refusal(gateway, refused), Answered(name, error=refused.code)
    _write(place, answer_to(name), canonical_json(dict(signed)))
    return done


def _refusal(gateway: Gateway, refused: GatewayError) -> SignedDocument:
    told = Refusal(code=refused.code, message=say(f"error.{refused.code}"), server_time=gateway.clock())
    return sign_refusal(told, gateway.keys.signing)


def _place(stick: Path) -> Path:
    return stick if stick.name == FOLDER else stick / FOLDER


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, READ_FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size <= FILE_BYTES_MOST:
                return file.read(FILE_BYTES_MOST)
    except OSError:
        raise MalformedMessage("enrolment-request") from None
    raise MalformedMessage("enrolment-request")


def _write(place: Path, name: str, data: bytes) -> None:
    place.mkdir(exist_ok=True)
    unfinished = place / f"{name[:8]}.TMP"
    with os.fdopen(os.open(unfinished, WRITE_FLAGS, 0o644), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(place / name)
    with suppress(OSError):  # some drivers of foreign file systems cannot flush a folder
        flush_folder(place)
