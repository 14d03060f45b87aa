"""The guide of a service item as headings and lines: who may apply, what to bring, how long, what it costs.

Laws: null is shown as unknown, never as nothing or free; a limit of another region is named as such; what nobody
has verified is marked where it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui.wording import of, t

GENERAL_KNOWLEDGE = "GK"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One heading of the guide with its lines."""

    heading: str
    lines: tuple[str, ...]


def chapters(item: Mapping[str, Any]) -> list[Chapter]:
    """The chapters of a guide, in the order in which an agent needs them."""
    return [
        Chapter(t("guide.who"), tuple(item.get("conditions") or ()) or (t("value.unknown"),)),
        Chapter(t("guide.proxy"), _proxy(item)),
        Chapter(t("guide.materials"), _materials(item)),
        Chapter(t("guide.time"), _time(item)),
        Chapter(t("guide.fee"), (_fee(item.get("fee")),)),
        Chapter(t("guide.result"), _result(item)),
        Chapter(t("guide.where"), _where(item)),
        Chapter(t("guide.basis"), _basis(item)),
        *([Chapter(t("guide.questions"), _questions(item))] if item.get("faq") else []),
        Chapter(t("guide.reliability"), _reliability(item)),
    ]


def limit_words(limit: Mapping[str, Any] | None) -> str:
    """A time limit in words; None is unknown."""
    if not limit or limit.get("value") is None:
        return t("value.unknown")
    if limit.get("unit") == "immediate":
        return of("unit", "immediate")
    return of("unit", str(limit.get("unit")), value=limit["value"])


def _proxy(item: Mapping[str, Any]) -> tuple[str, ...]:
    policy = item.get("agent_policy") or {}
    lines = [of("agent_policy", str(policy.get("mode")))]
    if policy.get("note"):
        lines.append(str(policy["note"]))
    if not policy.get("verified"):
        lines.append(t("guide.proxy_unverified"))
    if item.get("service_mode") == "guide":
        lines.insert(0, t("guide.guide_only"))
    return tuple(lines)


def _materials(item: Mapping[str, Any]) -> tuple[str, ...]:
    lines = []
    for number, material in enumerate(item.get("materials") or (), 1):
        need = of("necessity", str(material.get("necessity")))
        if material.get("condition"):
            need = t("guide.on_condition", condition=material["condition"])
        wanted = copies_words(str(material.get("form")), material.get("originals"), material.get("copies"))
        lines.append(t("guide.material", number=number, name=material["name"], need=need, wanted=wanted))
    return tuple(lines) or (t("guide.no_materials"),)


def copies_words(form: str, originals: int | None, copies: int | None) -> str:
    """In which form and how many copies a material is wanted; a count that is not known is left out."""
    words = of("material_form", form)
    count = copies if form == "copy" else originals
    return words + t("guide.copies", count=count) if count else words


def _time(item: Mapping[str, Any]) -> tuple[str, ...]:
    limits = item.get("time_limits") or {}
    lines = [
        t("guide.statutory", limit=limit_words(limits.get("statutory"))),
        t("guide.promised", limit=limit_words(limits.get("promised"))),
    ]
    lines += [
        t("guide.other_region", limit=limit_words(other), basis=other.get("basis") or "")
        for other in limits.get("reference_other_region") or ()
    ]
    return tuple(lines)


def _fee(fee: Mapping[str, Any] | None) -> str:
    if not fee or fee.get("charged") is None:
        return t("value.unknown")
    words = t("guide.charged") if fee["charged"] else t("guide.free")
    return t("guide.fee_note", words=words, note=fee["note"]) if fee.get("note") else words


def _result(item: Mapping[str, Any]) -> tuple[str, ...]:
    result = item.get("result") or {}
    ways = [of("delivery_way", str(way)) for way in item.get("delivery_ways") or ()]
    return (
        str(result.get("name") or t("value.unknown")),
        t("guide.ways", ways=t("list.comma").join(ways) or t("value.unknown")),
    )


def _where(item: Mapping[str, Any]) -> tuple[str, ...]:
    bodies = [str(item[key]) for key in ("acceptance_body", "implementing_body") if item.get(key)]
    return tuple(bodies) or (t("value.unknown"),)


def _basis(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_basis_line(basis) for basis in item.get("legal_basis") or ()) or (t("value.unknown"),)


def _basis_line(basis: Mapping[str, Any]) -> str:
    line = f"《{basis.get('title')}》{basis.get('article') or ''}"
    return t("guide.unverified", words=line) if basis.get("source") == GENERAL_KNOWLEDGE else line


def _questions(item: Mapping[str, Any]) -> tuple[str, ...]:
    lines: list[str] = []
    for pair in item.get("faq") or ():
        lines += [t("guide.question", words=pair.get("q")), t("guide.answer", words=pair.get("a"))]
    return tuple(lines)


def _reliability(item: Mapping[str, Any]) -> tuple[str, ...]:
    unverified: Sequence[str] = item.get("unverified") or ()
    lines = [of("confidence", str(item.get("confidence")))]
    if unverified:
        lines.append(t("guide.parts_unverified", count=len(unverified)))
    return tuple(lines)
