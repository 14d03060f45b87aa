"""Every sentence of the city's door, by stable key; they live in `locale/*/LC_MESSAGES/city_gateway.po`.

Laws: pages and answers to nodes are Chinese, whatever the server's environment (`say`); the command line speaks the
language of the person at it, Chinese unless another one is asked for (`words`); a key without a sentence shows itself
and never fails an act; parameters are filled in by name; the `.po` is read where nobody compiled it yet.
"""

from __future__ import annotations

import gettext
import locale
import os
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

DOMAIN = "city_gateway"
LANGUAGE = "zh_CN"
LOCALE = Path(__file__).parent / "locale"


def say(key: str, /, **params: object) -> str:
    """The sentence of `key`, for whoever reads it far from this machine."""
    return _said(LANGUAGE, key, params)


def words(key: str, /, **params: object) -> str:
    """The sentence of `key`, for the person who runs a command here."""
    return _said(_spoken(), key, params)


@cache
def sentences(language: str) -> dict[str, str]:
    """All sentences of a language."""
    folder = LOCALE / language / "LC_MESSAGES"
    compiled, source = folder / f"{DOMAIN}.mo", folder / f"{DOMAIN}.po"
    if compiled.is_file() and compiled.stat().st_mtime >= source.stat().st_mtime:
        with compiled.open("rb") as file:
            catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # noqa: SLF001 - no public list
        return {key: text for key, text in catalog.items() if isinstance(key, str) and key}
    with source.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file, locale=language) if entry.id}


def _said(language: str, key: str, params: dict[str, object]) -> str:
    known = sentences(language)
    text = known.get(key, key)
    between = known.get("list.separator", " ")
    return text.format_map({name: _shown(value, between) for name, value in params.items()}) if params else text


@cache
def _spoken() -> str:
    wanted = (os.environ.get("LANGUAGE") or os.environ.get("LANG") or LANGUAGE).split(".")[0]
    return "en" if locale.normalize(wanted).startswith("en") else LANGUAGE


def _shown(value: object, between: str) -> str:
    return between.join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
