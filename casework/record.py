"""Applications and events as plain JSON data, and back.

- What is read back equals what was written (property-tested).
- A field that holds its default is not written: an absent field means its default.
- Top-level fields of a later version are kept in `extra` and written again; inside a part they are ignored.
- Moments are written in UTC with a trailing `Z`, days as `YYYY-MM-DD`.
- Data that does not fit raises `MalformedRecord` with the place, never with the value.
- An event comes from outside: names by which programs find something (ids, numbers, scan hashes) have to be short and
  printable, since whoever reads it uses them as keys and file names.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, Union

from casework.application import Application
from casework.errors import CaseworkError, MalformedRecord, UnknownEvent
from casework.events import EVENTS, Event

Unread = Any
"""JSON data before it is known what it is."""

Plain = dict[str, Unread]
Decoder = Callable[[Any, str], Any]

CODE_KEY = "event"
EXTRA = "extra"

LONGEST_NAME: Final = 200
_NAMES: Final = frozenset(
    {
        "receipt_no",
        "item_id",
        "form_id",
        "site",
        "township",
        "node_id",
        "clerk_id",
        "region",
        "material_id",
        "media_type",
    }
)
_SCAN_HASH: Final = re.compile(r"[0-9a-f]{64}")
_LARGEST_INT: Final = 2**53
"""Beyond it JSON readers disagree; no length, count or version comes near."""


def event_to_plain(event: Event) -> Plain:
    """Write an event as JSON-able data, its code under `event`.

    >>> from casework.application import Actor, Role
    >>> from casework.events import Submitted
    >>> city = Actor(Role.CITY, "", "c" * 32, "511600000000")
    >>> event_to_plain(Submitted(at=datetime(2026, 11, 23, 1, tzinfo=UTC), by=city))["at"]
    '2026-11-23T01:00:00Z'
    """
    return {CODE_KEY: event.code, **_fields_to_plain(event)}


def event_from_plain(plain: Mapping[str, Any]) -> Event:
    """Read an event; a code this version does not know raises `UnknownEvent`."""
    code = plain.get(CODE_KEY) if isinstance(plain, Mapping) else None
    if not isinstance(code, str):
        raise MalformedRecord(CODE_KEY)
    kind = EVENTS.get(code)
    if kind is None:
        raise UnknownEvent(code)
    event = typing.cast("Event", _from_fields(kind, {key: value for key, value in plain.items() if key != CODE_KEY}))
    _check_names(event)
    return event


def application_to_plain(application: Application) -> Plain:
    """Write an application as JSON-able data."""
    return _fields_to_plain(application)


def application_from_plain(plain: Mapping[str, Any]) -> Application:
    """Read an application back.

    >>> from casework.lifecycle import draft
    >>> application_from_plain(application_to_plain(draft("0" * 32))) == draft("0" * 32)
    True
    """
    if not isinstance(plain, Mapping):
        raise MalformedRecord("application")
    return typing.cast("Application", _from_fields(Application, plain))


def moment_to_text(moment: datetime) -> str:
    """Write a moment in UTC.

    >>> moment_to_text(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC))
    '2026-11-23T01:02:03Z'
    """
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_from_text(text: str) -> datetime:
    """Read a moment; one without a zone is refused.

    >>> moment_from_text("2026-11-23T01:02:03Z").tzinfo is UTC
    True
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _fields_to_plain(value: Unread) -> Plain:
    plain: Plain = {}
    for name, default in _defaults(typing.cast("type", type(value))).items():
        content = getattr(value, name)
        if name == EXTRA:
            plain |= {key: extra for key, extra in content.items() if key not in plain}
        elif default is _REQUIRED or content != default:
            plain[name] = _to_plain(content)
    return plain


def _to_plain(value: Unread) -> Unread:
    match value:
        case Enum():
            return value.value
        case datetime():
            return moment_to_text(value)
        case date():
            return value.isoformat()
        case tuple() | list():
            return [_to_plain(one) for one in value]
        case Mapping():
            return {key: _to_plain(one) for key, one in value.items()}
        case _ if dataclasses.is_dataclass(value):
            return _fields_to_plain(value)
        case _:
            return value


_REQUIRED = object()


@cache
def _defaults(kind: type) -> dict[str, Any]:
    """Each field and its default, `extra` last so that known names win over it."""
    found = {}
    for one in dataclasses.fields(kind):
        if one.default is not dataclasses.MISSING:
            found[one.name] = one.default
        elif one.default_factory is not dataclasses.MISSING:
            found[one.name] = one.default_factory()
        else:
            found[one.name] = _REQUIRED
    return dict(sorted(found.items(), key=lambda item: item[0] == EXTRA))


@cache
def _decoders(kind: type) -> dict[str, Decoder]:
    hints = typing.get_type_hints(kind)
    return {one.name: _decoder(hints[one.name]) for one in dataclasses.fields(kind)}


def _from_fields(kind: type, plain: Mapping[str, Any], where: str = "") -> Unread:
    decoders, defaults = _decoders(kind), _defaults(kind)
    known = {
        name: decoders[name](plain[name], f"{where}{name}") for name in decoders if name in plain and name != EXTRA
    }
    missing = [name for name, default in defaults.items() if default is _REQUIRED and name not in known]
    if missing:
        raise MalformedRecord(f"{where}{missing[0]}")
    if EXTRA in defaults:
        known[EXTRA] = {key: value for key, value in plain.items() if key not in decoders}
    try:
        return kind(**known)
    except CaseworkError as refusal:
        raise MalformedRecord(f"{where}{refusal.params.get('field', '')}") from refusal


def _check_names(value: Unread, where: str = "") -> None:
    """Go through an event and its parts; what people type (texts, forms) is not looked at."""
    if isinstance(value, tuple):
        for one in value:
            _check_names(one, where)
    elif dataclasses.is_dataclass(value):
        for name in _defaults(typing.cast("type", type(value))):
            content = getattr(value, name)
            if not _is_usable(name, content):
                raise MalformedRecord(f"{where}{name}")
            _check_names(content, f"{where}{name}.")


def _is_usable(name: str, value: Unread) -> bool:
    if name == "scan_hash":
        return _SCAN_HASH.fullmatch(value) is not None
    if name in _NAMES:
        return len(value) <= LONGEST_NAME and value.isprintable()
    return not isinstance(value, int) or abs(value) <= _LARGEST_INT


def _decoder(hint: Unread) -> Decoder:
    """Build the reader of one field from its type."""
    origin: Unread = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _decoder(next(one for one in arguments if one is not type(None)))
        return lambda value, where: None if value is None else inner(value, where)
    if origin is tuple:
        item = _decoder(arguments[0])
        return lambda value, where: tuple(item(one, f"{where}[]") for one in _expect(value, list, where))
    if origin is Literal:
        return lambda value, where: _expect_one_of(value, arguments, where)
    if origin is not None and issubclass(origin, Mapping):
        content = _decoder(arguments[1])
        return lambda value, where: {
            key: content(one, f"{where}{{}}") for key, one in _expect(value, Mapping, where).items()
        }
    return _simple_decoder(hint)


def _simple_decoder(hint: Unread) -> Decoder:
    if hint is Any:
        return lambda value, _where: value
    if hint is datetime:
        return lambda value, where: _parsed(moment_from_text, value, where)
    if hint is date:
        return lambda value, where: _parsed(date.fromisoformat, value, where)
    if issubclass(hint, Enum):
        return lambda value, where: _parsed(hint, value, where)
    if dataclasses.is_dataclass(hint):
        part = typing.cast("type", hint)
        return lambda value, where: _from_fields(part, _expect(value, Mapping, where), f"{where}.")
    return lambda value, where: _expect(value, hint, where)


def _expect(value: Unread, kind: type, where: str) -> Unread:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise MalformedRecord(where)
    return value


def _expect_one_of(value: Unread, choices: tuple[Any, ...], where: str) -> Unread:
    if not isinstance(value, str) or value not in choices:
        raise MalformedRecord(where)
    return value


def _parsed(parse: Callable[[str], Any], value: Unread, where: str) -> Unread:
    try:
        return parse(_expect(value, str, where))
    except (ValueError, OverflowError) as problem:
        raise MalformedRecord(where) from problem
