"""Every sentence this program says to a person, by stable key.

Laws
- A key is a code with its room before it (`error.`, `form.`, `material.`, `state.`, `event.`, `page.`); sentences
  live in `locale/*/LC_MESSAGES/edge_node.po` only.
- Parameters are filled by name; a key without a sentence shows itself and never fails an act.
- Without compiled catalogs the `.po` file itself is read, so a node can speak before its installer ran.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any, Final

DOMAIN: Final = "edge_node"
LANGUAGE: Final = "zh_CN"
LANGUAGES: Final = frozenset({LANGUAGE, "en"})
SPEAKING: Final[ContextVar[str]] = ContextVar("speaking", default=LANGUAGE)
"""The language of the request that is being answered; work beside requests is in Chinese."""
CODES_WITH_NAMES: Final = {"state": "state", "event": "event", "level": "region"}
"""Parameters that are codes themselves; a sentence may name them by `{state_name}` and the like."""

_LOCALE = Path(__file__).parent / "locale"


class _Keeping(dict[str, Any]):
    """A parameter that a sentence names and the caller did not hand in stays visible as its name."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def sentence(key: str, params: Mapping[str, Any] | None = None, *, language: str | None = None) -> str:
    """The sentence of `key`, with its parameters filled in; in the language of the request unless one is named."""
    language = language or SPEAKING.get()
    text = _sentences(language).get(key)
    if text is None:
        return key
    shown = {name: _shown(value) for name, value in (params or {}).items()}
    for name, room in CODES_WITH_NAMES.items():
        if name in shown:
            shown.setdefault(f"{name}_name", sentence(f"{room}.{shown[name]}", language=language))
    return text.format_map(_Keeping(shown))


def known(key: str, *, language: str = LANGUAGE) -> bool:
    """Whether there is a sentence for `key`."""
    return key in _sentences(language)


def keys(language: str = LANGUAGE) -> frozenset[str]:
    """All keys that have a sentence in `language`."""
    return frozenset(_sentences(language))


def _shown(value: object) -> object:
    return "、".join(str(part) for part in value) if isinstance(value, (list, tuple)) else value


@cache
def _sentences(language: str) -> Mapping[str, str]:
    folder = _LOCALE / language / "LC_MESSAGES"
    compiled, source = folder / f"{DOMAIN}.mo", folder / f"{DOMAIN}.po"
    if compiled.exists() and (not source.exists() or compiled.stat().st_mtime >= source.stat().st_mtime):
        with compiled.open("rb") as handle:
            catalog = GNUTranslations(handle)
        found: dict[str, str] = {k: v for k, v in _entries_of(catalog).items() if k}
        return found
    return _read_po(source.read_text("utf-8")) if source.exists() else {}


def _entries_of(catalog: GNUTranslations) -> dict[str, str]:
    raw: dict[Any, str] = getattr(catalog, "_catalog", {})
    return {key: text for key, text in raw.items() if isinstance(key, str)}


def _read_po(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    key, value, into = "", "", ""
    for line in [*text.splitlines(), 'msgid ""']:
        stripped = line.strip()
        if stripped.startswith("msgid "):
            if key and value:
                found[key] = value
            key, value, into = ast.literal_eval(stripped[6:]), "", "key"
        elif stripped.startswith("msgstr "):
            value, into = ast.literal_eval(stripped[7:]), "value"
        elif stripped.startswith('"'):
            part = ast.literal_eval(stripped)
            key, value = (key + part, value) if into == "key" else (key, value + part)
    return found
