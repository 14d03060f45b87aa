"""Whether an application may be collected here, by the item's proxy rule and who stands at the counter.

    full            anybody the applicant has mandated, the village agent included
    relatives_only  the applicant, a close relative or a guardian
    assist_only     the agent helps, the applicant attends in person
    not_allowed     the applicant has to go to the competent body; nothing is collected here
    guide           (service mode) only advice and appointments, no application at all

A rule of a later vocabulary is unknown, and unknown is not a permission. While nobody has said yet who applies, only
what can be refused for everybody is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from casework.catalog import ServiceItem

IN_PERSON: Final = "self"
RELATIVE_MODES: Final = frozenset({"relative", "other"})
CLOSE_RELATIONS: Final = frozenset({"spouse", "child", "parent", "guardian"})
"""Of the relations the forms offer; 居住证暂行条例 art. 9 and its like name guardians and close relatives."""

REFUSAL_CODES: Final = frozenset(
    {
        "proxy.guide_only",
        "proxy.not_allowed",
        "proxy.rule_unknown",
        "proxy.in_person",
        "proxy.relatives_only",
        "proxy.relation_missing",
        "proxy.not_a_close_relative",
    }
)
"""All refusals; every surface has a sentence for each."""


@dataclass(frozen=True, slots=True)
class ProxyRefusal:
    """Why the application may not be collected here."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def by_proxy(form_values: Mapping[str, Any]) -> bool:
    """Say whether somebody files for the applicant; nobody does while nobody has said so.

    >>> by_proxy({}), by_proxy({"agent_mode": "self"}), by_proxy({"agent_mode": "relative"})
    (False, False, True)
    """
    return (form_values.get("agent_mode") or IN_PERSON) != IN_PERSON


def may_collect(item: ServiceItem, form_values: Mapping[str, Any]) -> ProxyRefusal | None:
    """Refuse, or return None: collect."""
    if item.service_mode == "guide":
        return ProxyRefusal("proxy.guide_only")
    match item.agent_policy.mode:
        case "full":
            return None
        case "not_allowed":
            return ProxyRefusal("proxy.not_allowed")
        case "assist_only":
            return ProxyRefusal("proxy.in_person") if by_proxy(form_values) else None
        case "relatives_only":
            return _relatives_only(form_values)
        case _:
            return ProxyRefusal("proxy.rule_unknown")


def _relatives_only(form_values: Mapping[str, Any]) -> ProxyRefusal | None:
    if not by_proxy(form_values):
        return None
    # Drafts are judged as typed: a value may be anything JSON can hold, and only a text names a mode or a relation.
    if not _is_one_of(form_values["agent_mode"], RELATIVE_MODES):
        return ProxyRefusal("proxy.relatives_only")
    relation = form_values.get("relation")
    if not relation:
        return ProxyRefusal("proxy.relation_missing")
    return None if _is_one_of(relation, CLOSE_RELATIONS) else ProxyRefusal("proxy.not_a_close_relative")


def _is_one_of(value: object, choices: frozenset[str]) -> bool:
    return isinstance(value, str) and value in choices
