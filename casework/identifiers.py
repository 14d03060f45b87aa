"""Numbers that name people, bodies and places, and their check digits.

- A `…_problem` function returns None or a short code of what is wrong; it never returns or raises the value.
- Resident id: GB 11643. Unified social credit code: GB 32100. Region: 12 digits, GB/T 2260 plus township and village.
- Masking and receipt numbers have their own modules and are offered here as well.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from casework.masking import mask_address, mask_bank, mask_for_notice, mask_name, mask_phone, mask_resident_id
from casework.receipt_numbers import receipt_number, receipt_number_problem

__all__ = [
    "COUNTY",
    "LEVELS",
    "TOWNSHIP",
    "VILLAGE",
    "is_region_code",
    "mask_address",
    "mask_bank",
    "mask_for_notice",
    "mask_name",
    "mask_phone",
    "mask_resident_id",
    "parent_region",
    "phone_problem",
    "receipt_number",
    "receipt_number_problem",
    "region_at",
    "region_covers",
    "region_level",
    "resident_id_check",
    "resident_id_problem",
    "uscc_check",
    "uscc_problem",
]

_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS: Final = "10X98765432"
_EARLIEST_BIRTH_YEAR: Final = 1800

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

PROVINCE, CITY, COUNTY, TOWNSHIP, VILLAGE = 1, 2, 3, 4, 5
LEVELS: Final = {"province": PROVINCE, "city": CITY, "county": COUNTY, "township": TOWNSHIP, "village": VILLAGE}
_LEVEL_ENDS: Final = (0, 2, 4, 6, 9, 12)
_REGION_DIGITS: Final = 12


def resident_id_problem(text: str) -> str | None:
    """Check a resident id number by GB 11643; a small `x` at the end is taken for `X`.

    Codes: `length`, `characters`, `region`, `birth_date`, `check_digit`.

    >>> resident_id_problem("511602180001010014")
    >>> resident_id_problem("511602180001010011")
    'check_digit'
    >>> resident_id_problem("511602180013010012")
    'birth_date'
    """
    if len(text) != len(_RESIDENT_WEIGHTS) + 1:
        return "length"
    if not re.fullmatch(r"[0-9]{17}[0-9Xx]", text):
        return "characters"
    if not "11" <= text[:2] <= "91":
        return "region"
    if not _is_birth_date(text[6:14]):
        return "birth_date"
    if resident_id_check(text[:17]) != text[17].upper():
        return "check_digit"
    return None


def resident_id_check(first_17: str) -> str:
    """Compute the check character over the first 17 digits.

    >>> resident_id_check("51160218000101001")
    '4'
    """
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _RESIDENT_WEIGHTS, strict=True))
    return _RESIDENT_CHECKS[total % 11]


def _is_birth_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born.year >= _EARLIEST_BIRTH_YEAR


def uscc_problem(text: str) -> str | None:
    """Check a unified social credit code by GB 32100.

    Codes: `length`, `characters`, `check_digit`.

    >>> uscc_problem("11513701777935454D")
    >>> uscc_problem("11513701777935454A")
    'check_digit'
    """
    if len(text) != len(_USCC_WEIGHTS) + 1:
        return "length"
    if any(character not in _USCC_ALPHABET for character in text):
        return "characters"
    if uscc_check(text[:17]) != text[17]:
        return "check_digit"
    return None


def uscc_check(first_17: str) -> str:
    """Compute the check character over the first 17 characters.

    >>> uscc_check("11513701777935454")
    'D'
    """
    values = (_USCC_ALPHABET.index(character) for character in first_17)
    total = sum(value * weight for value, weight in zip(values, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def is_region_code(text: str) -> bool:
    """Tell whether this is written like a region code: 12 digits, zero-filled below its level.

    >>> is_region_code("511603106205"), is_region_code("511603"), is_region_code("000000000000")
    (True, False, False)
    """
    return bool(re.fullmatch(r"[0-9]{12}", text)) and text[:2] != "00"


def region_level(code: str) -> int:
    """Say which level a code names: 1 province, 2 city, 3 county, 4 township or street, 5 village or community.

    >>> [region_level(code) for code in ("510000000000", "511603000000", "511603106000", "511603106205")]
    [1, 3, 4, 5]
    """
    if not is_region_code(code):
        raise ValueError("not a region code")
    digits = len(code.rstrip("0"))
    return next(level for level, end in enumerate(_LEVEL_ENDS) if digits <= end)


def region_at(code: str, level: int) -> str:
    """Return the region of that level in which `code` lies; `code` itself where it is not deeper.

    >>> region_at("511603106205", COUNTY)
    '511603000000'
    """
    return code[: _LEVEL_ENDS[min(level, region_level(code))]].ljust(_REGION_DIGITS, "0")


def parent_region(code: str) -> str | None:
    """Return the region one level up, or None for a province.

    >>> parent_region("511603106205"), parent_region("510000000000")
    ('511603106000', None)
    """
    level = region_level(code)
    return region_at(code, level - 1) if level > PROVINCE else None


def region_covers(outer: str, inner: str) -> bool:
    """Tell whether `inner` is `outer` or lies in it; False where either is no region code.

    >>> region_covers("511603106000", "511603106205"), region_covers("511603106205", "511603106000")
    (True, False)
    """
    if not (is_region_code(outer) and is_region_code(inner)):
        return False
    return inner.startswith(region_stem(outer))


def region_stem(code: str) -> str:
    """Return the digits with which every code of this region begins.

    >>> region_stem("511603106000"), region_stem("511600000000")
    ('511603106', '5116')
    """
    return code[: _LEVEL_ENDS[region_level(code)]]


def phone_problem(text: str) -> str | None:
    """Check a mobile number, or a landline with its area code. Code: `format`.

    >>> phone_problem("13800000001"), phone_problem("0826-2222222"), phone_problem("2222222")
    (None, None, 'format')
    """
    return None if re.fullmatch(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}", text) else "format"
