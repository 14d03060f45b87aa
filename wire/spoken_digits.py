"""Twenty digits that are read out over a telephone: four groups of four, each with a check digit of its own.

Laws:
- Digits only: spoken letters are misheard (B, D, P, T), and an input method of Chinese changes them.
- Each group is checked by Damm's quasigroup (H. M. Damm, 2004): any one wrong digit and any two neighbours that
  changed places are told, with the number of the group, so that one group is read again and not all.
- A group's check begins at its own place, and a challenge's elsewhere than an answer's: groups that changed places,
  or the one code typed for the other, are told as well.
- What separates groups is the writer's business: blanks, dashes, full-width digits are all read alike.
"""

import unicodedata
from enum import IntEnum

from wire.errors import DigitsMissing, DigitsMistyped, OtherDigits

__all__ = ["DATA_DIGITS", "GROUPS", "SpokenKind", "read_digits", "say_digits"]

GROUPS, IN_GROUP = 4, 5
DATA_DIGITS = GROUPS * (IN_GROUP - 1)
_ALL = GROUPS * IN_GROUP
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


class SpokenKind(IntEnum):
    """What the digits are; the number is where the check of the first group begins."""

    CHALLENGE = 0
    ANSWER = GROUPS


def say_digits(data: str, kind: SpokenKind) -> str:
    """Sixteen digits as they are shown and read out.

    >>> say_digits("1234567890123456", SpokenKind.CHALLENGE)
    '12340 56781 90120 34568'
    """
    if len(data) != DATA_DIGITS or not _plain(data):
        raise ValueError(f"{DATA_DIGITS} digits are said at once")
    parts = [data[at : at + IN_GROUP - 1] for at in range(0, DATA_DIGITS, IN_GROUP - 1)]
    return " ".join(part + _check_digit(part, kind + place) for place, part in enumerate(parts))


def read_digits(text: str, kind: SpokenKind) -> str:
    """The sixteen digits that were said, or which groups to say again.

    >>> read_digits("12340-56781 ９０１２０ 34568", SpokenKind.CHALLENGE)
    '1234567890123456'
    """
    parts = "".join(sign if sign.isalnum() else " " for sign in unicodedata.normalize("NFKC", text)).split()
    together = "".join(parts)
    if len(parts) == GROUPS and len(together) != _ALL:
        raise DigitsMistyped(tuple(at for at, part in enumerate(parts, 1) if len(part) != IN_GROUP))
    if len(together) != _ALL:
        raise DigitsMissing(_ALL, len(together))
    groups = [together[at : at + IN_GROUP] for at in range(0, _ALL, IN_GROUP)]
    wrong = _wrong(groups, kind)
    other = SpokenKind.ANSWER if kind is SpokenKind.CHALLENGE else SpokenKind.CHALLENGE
    if wrong and not _wrong(groups, other):
        raise OtherDigits(other.name.lower())
    if wrong:
        raise DigitsMistyped(wrong)
    return "".join(group[:-1] for group in groups)


def _wrong(groups: list[str], kind: SpokenKind) -> tuple[int, ...]:
    return tuple(
        place + 1
        for place, group in enumerate(groups)
        if not _plain(group) or _check_digit(group[:-1], kind + place) != group[-1]
    )


def _check_digit(digits: str, start: int) -> str:
    """The digit that brings the check to 0; in Damm's table that is where it stands."""
    reached = start
    for digit in digits:
        reached = int(_DAMM[reached][int(digit)])
    return str(reached)


def _plain(text: str) -> bool:
    return text.isascii() and text.isdecimal()
