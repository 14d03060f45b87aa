"""Pinyin initials and names, computed once in the city so that no node needs the 57 MiB of tables.

The only module of the project that may import pypinyin.
"""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin


def _latin(text: str) -> str:
    return "".join(character for character in text.lower() if character.isascii() and character.isalnum())


def initials(text: str) -> str:
    """The first letters an agent types: 医保 gives yb; letters and digits stay, punctuation goes."""
    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER, errors=_latin)).lower()


def spelled(text: str) -> str:
    """The whole pinyin in one word, for file names: 医保 gives yibao."""
    return "".join(lazy_pinyin(text, errors=_latin)).lower()
