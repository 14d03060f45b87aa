"""Pinyin initials and names, computed once in the city so that no node needs the 57 MiB of tables.

The only module of the project that may import pypinyin, and only while a catalog is made: the tables take half a second
and those 57 MiB, which neither the running gateway nor any other command needs.
"""

from __future__ import annotations


def _latin(text: str) -> str:
    return "".join(character for character in text.lower() if character.isascii() and character.isalnum())


def initials(text: str) -> str:
    """The first letters an agent types: 医保 gives yb; letters and digits stay, punctuation goes."""
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER, errors=_latin)).lower()


def spelled(text: str) -> str:
    """The whole pinyin in one word, for file names: 医保 gives yibao."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(text, errors=_latin)).lower()
