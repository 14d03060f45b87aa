"""The region table that the city ships: what it knows of a code, and what it cannot know.

Laws
- Only what the table can know to be wrong is wrong: a code of the city whose county or township is missing where the
  table lists others beside it. The statistics office lists those whole, and a new table is shipped when they change.
- Of villages nothing is known to be wrong: most townships list none, and where some are listed the source itself doubts
  that they are all. Such a code is taken, and shown to the township as one that is not in the table.
- Nothing is said of a code outside the cities of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from casework.field_rules import FieldProblem
from casework.forms import Form, visible
from casework.identifiers import CITY, COUNTY, TOWNSHIP, is_region_code, parent_region, region_at, region_level

NO_SUCH_REGION: Final = "form.no_such_region"


@dataclass(frozen=True, slots=True)
class RegionTable:
    """The codes of the table, and those of which it lists what lies directly below."""

    codes: frozenset[str] = frozenset()
    opened: frozenset[str] = frozenset()

    @classmethod
    def from_plain(cls, plain: object) -> RegionTable:
        """Read `regions.json`; a table that cannot be read knows nothing.

        >>> RegionTable.from_plain(None).knows_wrong("511603199205")
        False
        >>> plain = {"regions": [{"code": code} for code in ("511600000000", "511603000000", "511603106000")]}
        >>> table = RegionTable.from_plain(plain)
        >>> [table.knows_wrong(code) for code in ("511603199205", "511603106299", "510100000000")]
        [True, False, False]
        """
        listed = plain.get("regions") if isinstance(plain, Mapping) else None
        codes = {str(one.get("code")) for one in listed or () if isinstance(one, Mapping)}
        sound = frozenset(code for code in codes if is_region_code(code))
        return cls(sound, frozenset(above for code in sound if (above := parent_region(code)) is not None))

    def knows_wrong(self, code: str) -> bool:
        """Say whether the table knows that there is no such region."""
        if not is_region_code(code) or region_level(code) <= CITY or region_at(code, CITY) not in self.codes:
            return False
        for level in (COUNTY, TOWNSHIP)[: region_level(code) - CITY]:
            if region_at(code, level) not in self.codes:
                return region_at(code, level - 1) in self.opened
        return False


def region_problems(
    form: Form, values: Mapping[str, Any], table: RegionTable, filed: Mapping[str, Any] | None = None
) -> list[FieldProblem]:
    """Report the shown region fields that hold a code known to be wrong; what was `filed` already stays as it was."""
    shown, before = visible(form, values), filed or {}
    return [
        FieldProblem(one.id, NO_SUCH_REGION)
        for one in form.by_id.values()
        if one.type == "region"
        and one.id in shown
        and isinstance(value := values.get(one.id), str)
        and value != before.get(one.id)
        and table.knows_wrong(value)
    ]
