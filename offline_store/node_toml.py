"""`node.toml`, the settings of a node: what an installer wrote, taken by rules that name what cannot be meant.

Laws: a value that cannot be meant is refused by name, never rounded into something else; what the environment says goes
before the file. Each program has its own table of rules and its own dataclass; a plain one: pydantic-settings cost
eight MiB of resident memory in each of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class BadSetting(Exception):
    """A setting has a value that cannot be meant; the fields name it and say what is allowed."""

    code = "settings.bad"

    def __init__(self, name: str, allowed: str) -> None:
        self.name = name
        self.allowed = allowed
        super().__init__(self.code, name, allowed)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one setting is read (ValueError or TypeError when it cannot be meant), and what to say then."""

    read: Callable[[object], object]
    allowed: str


Rules = Mapping[str, Rule]


def number(kind: type[int | float], low: float, high: float) -> Rule:
    """A number from `low` to `high`; half a whole number is none."""

    def read(said: object) -> object:
        if isinstance(said, bool) or not isinstance(said, int | float | str):
            raise TypeError(said)
        found = kind(said)
        if (isinstance(said, float) and found != said) or not low <= found <= high:
            raise ValueError(said)
        return found

    return Rule(read, f"{low:g}–{high:g}")


def flag(said: object) -> bool:
    """Yes or no, as TOML or as the environment writes it.

    >>> flag(True), flag("off")
    (True, False)
    """
    if isinstance(said, bool):
        return said
    if isinstance(said, str) and said.lower() in TRUE | FALSE:
        return said.lower() in TRUE
    raise ValueError(said)


FLAG = Rule(flag, "true / false")


def folder(said: object) -> object:
    """A folder by its name."""
    if isinstance(said, str) and said:
        return Path(said)
    raise ValueError(said)


MEDIA_ROOT = Path("/media")
"""Below it sticks are mounted, one folder each: edge_node lists them, the courier writes on them."""
MEDIA_ROOT_RULE = Rule(folder, str(MEDIA_ROOT))

DISK_RESERVE_MIB = 256
"""What edge_node keeps free where nothing else is said, and doctor warns by."""


def written_in(toml_file: Path) -> dict[str, Any]:
    """What the file says, tables and all; nothing when there is none; BadSetting when it is no TOML."""
    try:
        return tomllib.loads(toml_file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise BadSetting(toml_file.name, "TOML") from None


def settled(said: Mapping[str, object], rules: Rules, environment: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """The values of a program's settings, or BadSetting; every key of `said` has a rule."""
    asked = {name: environment.get(prefix + name.upper(), "").strip() for name in rules}
    chosen = {**said, **{name: text for name, text in asked.items() if text}}
    values: dict[str, Any] = {}
    for name, value in chosen.items():
        try:
            values[name] = rules[name].read(value)
        except (ValueError, TypeError, OverflowError):
            raise BadSetting(name, rules[name].allowed) from None
    return values
