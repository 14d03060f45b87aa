"""The number on a receipt (收件单): `site-day-serial-check`, unique within a site, typed and read over the phone.

No national format is known; this one is the node's own until the platform gives its number. The last character is
ISO 7064 MOD 37,36 over everything before it, so that one wrong or two swapped characters are noticed. The serial grows
within a day but counts nothing: it is not less than the ten seconds in which it is given out, so that a machine that
forgot some (its disk was set back) gives out others.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

from casework.working_days import CITY_TIME

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHAPE: Final = re.compile(r"[0-9]{12}-[0-9]{8}-[0-9]{4,6}-[0-9A-Z]")
MAX_SERIAL: Final = 999_999
DAY_SECONDS: Final = 86_400
SLOT_SECONDS: Final = 10
LANE_SIZE: Final = 10_000
LANES: Final = 98
"""Ten thousand numbers a day each, for machines that were enrolled anew: one that was cloned may go on beside them."""


def lane_of(node_id: str) -> int:
    """The lane in which a machine of this identity (hex) counts once it was enrolled anew; 0 is that of a first one.

    >>> lane_of("00"), lane_of("61"), lane_of("62")
    (1, 98, 1)
    """
    return 1 + int(node_id, 16) % LANES


def slot_of_day(moment: datetime) -> int:
    """Which ten seconds of the city's day it is, from 1 to 8640: the least serial that is given out then.

    >>> from datetime import UTC
    >>> [slot_of_day(datetime(2026, 11, 23, *at, tzinfo=UTC)) for at in [(16, 0), (16, 0, 10), (15, 59, 59)]]
    [1, 2, 8640]
    """
    at = moment.astimezone(UTC)
    seconds = at.hour * 3600 + at.minute * 60 + at.second + int(CITY_TIME.utcoffset(None).total_seconds())
    return 1 + seconds % DAY_SECONDS // SLOT_SECONDS


def receipt_number(site_region: str, day: date, serial: int) -> str:
    """Make the receipt number of the `serial`-th application of that day at that site.

    >>> receipt_number("511603106205", date(2026, 11, 23), 7)
    '511603106205-20261123-0007-F'
    """
    if not 0 < serial <= MAX_SERIAL:
        raise ValueError("serial out of range")
    body = f"{site_region}-{day:%Y%m%d}-{serial:04d}"
    return f"{body}-{mod_37_36(body.replace('-', ''))}"


def receipt_number_problem(text: str) -> str | None:
    """Check a receipt number. Codes: `format`, `check_digit`.

    >>> receipt_number_problem("511603106205-20261123-0007-F")
    >>> receipt_number_problem("511603106205-20261123-0070-F")
    'check_digit'
    """
    if not _SHAPE.fullmatch(text):
        return "format"
    body, check = text.replace("-", "")[:-1], text[-1]
    return None if mod_37_36(body) == check else "check_digit"


def mod_37_36(text: str) -> str:
    """Compute the ISO 7064 MOD 37,36 check character.

    >>> mod_37_36("A12425GABC1234002")
    'M'
    """
    remainder = 36
    for character in text:
        remainder = (remainder + _ALPHABET.index(character)) % 36 or 36
        remainder = remainder * 2 % 37
    return _ALPHABET[(37 - remainder) % 36]
