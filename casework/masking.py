"""What may be shown of a person where the full value is not needed (lists, logs of views, slips, public notices).

Laws: a mask never shows more than the domain allows, and a value too short to mask safely is hidden altogether.
"""

from __future__ import annotations

import re
from typing import Final

STAR: Final = "*"
HIDDEN: Final = "***"
_RESIDENT_ID_DIGITS: Final = 18
_MOBILE_DIGITS: Final = 11
_SHORTEST_TO_SHOW: Final = 8


def mask_name(name: str) -> str:
    """Show the family name.

    >>> mask_name("张测试"), mask_name("李样"), mask_name("")
    ('张**', '李*', '')
    """
    return name[:1] + STAR * min(len(name) - 1, 2) if name else ""


def mask_resident_id(text: str) -> str:
    """Show the first six and the last four of a resident id, the ends of any other long number.

    >>> mask_resident_id("511602180001010014"), mask_resident_id("E00000001")
    ('511602********0014', 'E*******1')
    """
    if len(text) == _RESIDENT_ID_DIGITS:
        return text[:6] + STAR * 8 + text[-4:]
    return _ends(text, 1, 1)


def mask_for_notice(text: str) -> str:
    """Show the first and last character only, as public notices do where they must name a number at all.

    >>> mask_for_notice("511602180001010014")
    '5****************4'
    """
    return _ends(text, 1, 1)


def mask_phone(text: str) -> str:
    """Show the network and the last four.

    >>> mask_phone("13800000001"), mask_phone("0826-2222222")
    ('138****0001', '0826******22')
    """
    if len(text) == _MOBILE_DIGITS and text.isdigit():
        return text[:3] + STAR * 4 + text[-4:]
    return _ends(text, 4, 2)


def mask_bank(text: str) -> str:
    """Show the last four of an account.

    >>> mask_bank("6200000000000001234")
    '***************1234'
    """
    return _ends(text, 0, 4)


def mask_address(text: str) -> str:
    """Show the place down to the village or community, else down to the township.

    >>> mask_address("前锋区护安镇团柏村三组12号"), mask_address("护安镇正街1号"), mask_address("无名路1号")
    ('前锋区护安镇团柏村***', '护安镇***', '***')
    """
    if not text:
        return ""
    township = re.match(r".{1,12}?(?:镇|乡|街道)", text)
    start = township.end() if township else 0
    village = re.match(r".{1,8}?(?:社区|村)(?!民小组)", text[start:])
    shown = start + village.end() if village else start
    return text[:shown] + HIDDEN


def _ends(text: str, first: int, last: int) -> str:
    if len(text) < max(_SHORTEST_TO_SHOW, first + last + 2):
        return STAR * len(text)
    return text[:first] + STAR * (len(text) - first - last) + text[-last:]
