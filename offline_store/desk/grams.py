"""Text cut into overlapping grams, so that a full-text index answers "contains" for Chinese exactly.

Laws: text and query are folded the same way (width, case, no punctuation); a gram is written as fixed-width
hexadecimal code points, so no tokenizer can split it, drop it or not know its sign; a phrase of the grams of a query
occurs exactly where the query occurs.
"""

import unicodedata

PAIR = 2
TRIPLE = 3


def folded(text: str) -> str:
    """Letters, digits and signs only, in one width and case.

    >>> folded("（低保）ＡＢ-12")
    '低保ab12'
    """
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def grams(text: str, size: int) -> str:
    """The grams of already folded text, to be indexed; empty when the text is shorter than one gram."""
    codes = [f"{ord(sign):05x}" for sign in text]
    return " ".join("".join(codes[start : start + size]) for start in range(len(codes) - size + 1))


def phrase(text: str, size: int) -> str | None:
    """The full-text expression that matches where folded `text` occurs, None when it is too short for the index."""
    found = grams(text, size)
    return f'"{found}"' if found else None
