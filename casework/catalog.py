"""Service items as the catalog describes them, read from its JSON and otherwise left as they are.

- `null` is unknown: an unknown limit is None, an unknown `deferrable` is not a permission, an unknown fee is not free.
- `raw` keeps the whole entry, so that a guide can show what this module has no name for.
- References to other regions' limits are for display only and are not read into `Limit`s that count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from casework.errors import MalformedCatalog

LimitUnit = Literal["working_day", "calendar_day", "immediate"]
ProxyMode = Literal["full", "relatives_only", "assist_only", "not_allowed", "unknown"]
ServiceMode = Literal["apply", "guide"]
Necessity = Literal["required", "conditional", "optional"]

LIMIT_UNITS: tuple[LimitUnit, ...] = ("working_day", "calendar_day", "immediate")
PROXY_MODES: tuple[ProxyMode, ...] = ("full", "relatives_only", "assist_only", "not_allowed")
SERVICE_MODES: tuple[ServiceMode, ...] = ("apply", "guide")
NECESSITIES: tuple[Necessity, ...] = ("required", "conditional", "optional")

LONGEST_LIMIT = 3650
"""Days; a longer limit is a typing error."""

PERMIT = "01"
"""GB/T 39046 type of a 行政许可; the five days of the notice bind by law only here."""

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit and the unit it is counted in; zero days means on the spot."""

    value: int
    unit: LimitUnit
    basis: str = ""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> Limit | None:
        """Read a limit; None stays None, which is unknown.

        >>> Limit.from_plain({"value": 20, "unit": "working_day"})
        Limit(value=20, unit='working_day', basis='')
        """
        if plain is None or plain.get("value") is None:
            return None
        value = plain["value"]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST_LIMIT:
            raise MalformedCatalog("time_limits.value")
        return cls(value, _choice(plain.get("unit"), LIMIT_UNITS, "time_limits.unit"), plain.get("basis") or "")


@dataclass(frozen=True, slots=True)
class Material:
    """One thing to hand in; `deferrable` None means nobody has allowed deferring it."""

    material_id: str
    name: str
    form: str
    necessity: Necessity
    condition: str | None = None
    originals: int | None = None
    copies: int | None = None
    deferrable: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Material:
        """Read one material of an item."""
        return cls(
            material_id=_text(plain, "material_id"),
            name=_text(plain, "name"),
            form=plain.get("form") or "",
            necessity=_choice(plain.get("necessity"), NECESSITIES, "materials.necessity"),
            condition=plain.get("condition"),
            originals=plain.get("originals"),
            copies=plain.get("copies"),
            deferrable=plain.get("deferrable"),
            raw=plain,
        )

    @property
    def may_be_deferred(self) -> bool:
        """Whether it may follow later; unknown is not a permission."""
        return self.deferrable is True


@dataclass(frozen=True, slots=True)
class SpecialProcedure:
    """A hearing, survey or public notice; it stops the clock only where `pauses_clock` is True."""

    name: str
    pauses_clock: bool | None
    basis: str = ""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SpecialProcedure:
        """Read one special procedure of an item."""
        return cls(_text(plain, "name"), plain.get("pauses_clock"), plain.get("basis") or "")


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """Who may file for somebody else; `verified` is False where no rule was found."""

    mode: ProxyMode
    note: str = ""
    verified: bool = False

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any] | None) -> AgentPolicy:
        """Read the proxy rule; one that is missing or of a later vocabulary is unknown."""
        plain = plain or {}
        mode = plain.get("mode")
        known: ProxyMode = next((one for one in PROXY_MODES if one == mode), "unknown")
        return cls(known, plain.get("note") or "", plain.get("verified") is True)


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """A service item (事项): what it is, who may apply, what to bring, how long it takes."""

    item_id: str
    name: str
    form_id: str
    domain: str
    service_mode: ServiceMode
    agent_policy: AgentPolicy
    aliases: tuple[str, ...] = ()
    type_code: str | None = None
    conditions: tuple[str, ...] = ()
    materials: tuple[Material, ...] = ()
    statutory_limit: Limit | None = None
    promised_limit: Limit | None = None
    special_procedures: tuple[SpecialProcedure, ...] = ()
    delivery_ways: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ServiceItem:
        """Read one entry of `items.json`."""
        limits = plain.get("time_limits") or {}
        materials = tuple(Material.from_plain(one) for one in plain.get("materials") or ())
        if len({material.material_id for material in materials}) != len(materials):
            raise MalformedCatalog("materials.material_id")
        return cls(
            item_id=_text(plain, "item_id"),
            name=_text(plain, "name"),
            form_id=_text(plain, "form_id"),
            domain=plain.get("domain") or "",
            service_mode=_choice(plain.get("service_mode"), SERVICE_MODES, "service_mode"),
            agent_policy=AgentPolicy.from_plain(plain.get("agent_policy")),
            aliases=tuple(plain.get("aliases") or ()),
            type_code=(plain.get("type") or {}).get("code"),
            conditions=tuple(plain.get("conditions") or ()),
            materials=materials,
            statutory_limit=Limit.from_plain(limits.get("statutory")),
            promised_limit=Limit.from_plain(limits.get("promised")),
            special_procedures=tuple(map(SpecialProcedure.from_plain, plain.get("special_procedures") or ())),
            delivery_ways=tuple(plain.get("delivery_ways") or ()),
            raw=plain,
        )

    @property
    def is_permit(self) -> bool:
        """Whether this is a 行政许可; an unknown type is not taken for one."""
        return self.type_code == PERMIT

    @property
    def handling_limit(self) -> Limit | None:
        """The limit that counts: the promised one, else the statutory one, else unknown."""
        return self.promised_limit or self.statutory_limit

    @property
    def deferrable_materials(self) -> tuple[Material, ...]:
        """What may follow after a provisional acceptance (容缺受理): what the guide says so of, and nothing unknown."""
        return tuple(one for one in self.materials if one.may_be_deferred)

    def material(self, material_id: str) -> Material | None:
        """Find a material of this item."""
        return next((one for one in self.materials if one.material_id == material_id), None)


def _text(plain: Mapping[str, Any], key: str) -> str:
    value = plain.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedCatalog(key)
    return value


def _choice(value: object, choices: tuple[_Choice, ...], where: str) -> _Choice:
    for choice in choices:
        if choice == value:
            return choice
    raise MalformedCatalog(where)
