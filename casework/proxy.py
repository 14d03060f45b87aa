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


def may_collect(item: ServiceItem, form_values: Mapping[str, Any]) -> ProxyRefusal | None:
    """Refuse, or return None: collect."""
    if item.service_mode == "guide":
        return ProxyRefusal("proxy.guide_only")
    agent_mode = form_values.get("agent_mode") or None
    match item.agent_policy.mode:
        case "full":
            return None
        case "not_allowed":
            return ProxyRefusal("proxy.not_allowed")
        case "assist_only":
            return None if agent_mode in (None, IN_PERSON) else ProxyRefusal("proxy.in_person")
        case "relatives_only":
            return _relatives_only(agent_mode, form_values.get("relation") or None)
        case _:
            return ProxyRefusal("proxy.rule_unknown")


def _relatives_only(agent_mode: str | None, relation: str | None) -> ProxyRefusal | None:
    if agent_mode in (None, IN_PERSON):
        return None
    if agent_mode not in RELATIVE_MODES:
        return ProxyRefusal("proxy.relatives_only")
    if relation is None:
        return ProxyRefusal("proxy.relation_missing")
    return None if relation in CLOSE_RELATIONS else ProxyRefusal("proxy.not_a_close_relative")
