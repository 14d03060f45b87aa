"""What an installer may set for this node: `node.toml` in the node's folder, every key with a safe default; what the
environment says (`GUANGAN_NODE_…`) goes before the file.

Laws: a value that cannot be meant is refused by name, never rounded into something else; tables of the file belong to
other programs. A plain dataclass: pydantic-settings cost nine MiB of resident memory here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

ENVIRONMENT: Final = "GUANGAN_NODE_"
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class BadSetting(Exception):
    """A setting of the node has a value that cannot be meant; the fields name it and say what is allowed."""

    code = "settings.bad"

    def __init__(self, name: str, allowed: str) -> None:
        self.name = name
        self.allowed = allowed
        super().__init__(self.code, name, allowed)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The settings of one node."""

    disk_reserve_mib: int = 256
    """Free space below which new scans are refused; typing, sending and erasing go on."""
    mail_poll_seconds: float = 0.3
    """How often the mailbox is looked at."""
    retention_days: int = 30
    """How long the papers of a concluded application stay on this node once the city has them safely."""
    rekey_days: int = 7
    """How long after an erasing the desk gets a new key at the latest, so that the old one opens nothing any more."""
    media_root: Path = Path("/media")
    """Below it sticks are mounted, one folder each; the courier reads the same setting."""
    media_folders: bool = False
    """For trials: plain folders below it count as sticks, too."""
    relay_mib: int = 512
    """How much mail of its villages a township carries at most; 0 carries none."""


@dataclass(frozen=True, slots=True)
class _Rule:
    read: Callable[[object], object]
    allowed: str


def _number(kind: type[int | float], low: float, high: float) -> _Rule:
    def read(said: object) -> object:
        if isinstance(said, bool) or not isinstance(said, int | float | str):
            raise TypeError(said)
        number = kind(said)
        if (isinstance(said, float) and number != said) or not low <= number <= high:
            raise ValueError(said)
        return number

    return _Rule(read, f"{low:g}–{high:g}")


def _flag(said: object) -> object:
    if isinstance(said, bool):
        return said
    if isinstance(said, str) and said.lower() in TRUE | FALSE:
        return said.lower() in TRUE
    raise ValueError(said)


def _folder(said: object) -> object:
    if isinstance(said, str) and said:
        return Path(said)
    raise ValueError(said)


RULES: Final[Mapping[str, _Rule]] = {
    "disk_reserve_mib": _number(int, 16, 1_000_000),
    "mail_poll_seconds": _number(float, 0.05, 60),
    "retention_days": _number(int, 1, 36_500),
    "rekey_days": _number(int, 1, 3_650),
    "media_root": _Rule(_folder, "/media"),
    "media_folders": _Rule(_flag, "true / false"),
    "relay_mib": _number(int, 0, 1_000_000),
}
assert set(RULES) == {field.name for field in fields(NodeSettings)}  # noqa: S101 - one rule for each setting


def read_settings(toml_file: Path, environment: Mapping[str, str] = os.environ) -> NodeSettings:
    """The settings of the node whose settings file is `toml_file`; a missing file means the defaults."""
    said = {name: value for name, value in _from_file(toml_file).items() if name in RULES}
    for name in RULES:
        text = environment.get(ENVIRONMENT + name.upper(), "").strip()
        if text:
            said[name] = text
    values: dict[str, Any] = {}
    for name, value in said.items():
        try:
            values[name] = RULES[name].read(value)
        except (ValueError, TypeError, OverflowError):
            raise BadSetting(name, RULES[name].allowed) from None
    return NodeSettings(**values)


def _from_file(toml_file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(toml_file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise BadSetting(toml_file.name, "TOML") from None
