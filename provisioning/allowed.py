"""What may leave a node in a support bundle: numbers, moments, and codes that the installed programs themselves define.

Laws
- Nothing passes because it looks harmless; it passes because it is on a list, and the list is read from the programs'
  own source: their error codes, alarms, event names, log messages, class and file names.
- Anything else becomes `other`; a text is never shortened or masked, it is left out.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import httpx

from casework.application import Role
from casework.events import EVENTS
from casework.states import State
from provisioning.doctor import CHECKS, Standing
from provisioning.finding_wording import WAITING
from wire.envelope import Kind
from wire.waiting import ALARMS, Hold, Reason, Road, Then, Who

OTHER: Final = "other"
ROOMS: Final = ("casework", "wire", "offline_store", "edge_node", "sync_agent", "provisioning", "tui")
NUMBER_MOST: Final = 10**15
VERSION: Final = re.compile(r"\d{1,4}(\.\d{1,5}){1,3}")
_HTTP: Final = re.compile(r"http_[1-5]\d\d")
_CODE: Final = re.compile(r'\bcode(?:: (?:ClassVar\[str\]|str))? = "([a-z][a-z_]+(?:\.[a-z_]+)*)"')
_CONSTANT: Final = re.compile(r'^\s*[A-Z_]+(?:: Final)? = "([a-z][a-z_]+(?:\.[a-z_]+)*)"', re.MULTILINE)
_FINDING: Final = re.compile(r'"([a-z]+\.[a-z_]+)"')
_CLASS: Final = re.compile(r"^class ([A-Z]\w+)", re.MULTILINE)
_MESSAGE: Final = re.compile(r'\blog\.\w+\(\s*"([a-z ]+?) \w+=')


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of the installed programs."""

    codes: frozenset[str]
    classes: frozenset[str]
    files: frozenset[str]
    messages: frozenset[str] = field(default=frozenset())


@cache
def vocabulary() -> Vocabulary:
    """Read from the source that lies beside this room, once."""
    codes = {*EVENTS, *(state.value for state in State), *ALARMS, *CHECKS, WAITING}
    codes |= {kind.name.lower() for kind in Kind} | {"up", "down", "unknown", "role"}
    for family in (Standing, Reason, Who, Then, Hold, Road, Role):
        codes |= {member.value for member in family}
    classes = {name for name, thing in vars(httpx).items() if isinstance(thing, type)}
    classes |= {name for name in dir(builtins) if name.endswith(("Error", "Exception"))}
    files: set[str] = set()
    messages: set[str] = set()
    for path in _sources():
        text = path.read_text("utf-8")
        files.add(path.name)
        codes |= set(_CODE.findall(text)) | set(_CONSTANT.findall(text))
        if path.name == "doctor.py":  # whose findings carry their codes as they are found
            codes |= set(_FINDING.findall(text))
        classes |= set(_CLASS.findall(text))
        messages |= set(_MESSAGE.findall(text))
    return Vocabulary(frozenset(codes), frozenset(classes), frozenset(files), frozenset(messages))


def _sources() -> list[Path]:
    above = Path(__file__).parents[1]
    return [path for room in ROOMS for path in sorted((above / room).rglob("*.py"))]


def code(value: object) -> str:
    """A code that a program defines; a refusal of a catalog names its check behind the code.

    >>> code("chain.fork"), code("http_503"), code("ConnectError"), code("zhangsan"), code(None)
    ('chain.fork', 'http_503', 'ConnectError', 'other', '')
    """
    if value is None or value == "":
        return ""
    text = str(value)
    known = vocabulary()
    if text in known.codes or text in known.classes or _HTTP.fullmatch(text):
        return text
    family, _, member = text.rpartition(".")
    return f"{family}.{member}" if family in known.codes and member in known.codes else OTHER


def number(value: object) -> int | float | None:
    """A number that is a number.

    >>> number(3), number(2.5), number(True), number("3"), number(None)
    (3, 2.5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > NUMBER_MOST:
        return None
    return value


def moment(value: object) -> str | None:
    """A moment, written anew to the second; None for whatever is none.

    >>> moment("2026-11-23T04:00:00.123456+00:00"), moment("yesterday")
    ('2026-11-23T04:00:00+00:00', None)
    """
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read.isoformat(timespec="seconds")


def version(value: object) -> str:
    """A version of digits and dots."""
    return str(value) if VERSION.fullmatch(str(value)) else OTHER


def counts(plain: Mapping[str, int]) -> dict[str, int]:
    """Counts by code; what is not known is counted together."""
    found: dict[str, int] = {}
    for name, count in plain.items():
        found[code(name)] = found.get(code(name), 0) + count
    return found
