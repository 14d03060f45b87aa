"""Emergency notices for the tests of a node, put into use as a catalog that carries them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edge_node.acts import activate_catalog
from edge_node.counter.counter import Counter
from tests.edge_node.town import seed
from tests.edge_node.village import seed_edition

COUNTY, OTHER_COUNTY = "511603000000", "511602000000"
TITLE = "演练期间调整便民服务窗口"
SHIFT = {"effect": "shift", "clocks": ["notice", "handling"], "units": ["working_day", "calendar_day"]}


def notice(policy: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An invented notice that shuts the windows of the county for two weeks of November; by default limits move."""
    return {
        "notice_id": "N-2026-01",
        "title": TITLE,
        "issuer": "虚构的政务服务管理局",
        "effective_from": "2026-11-23",
        "effective_to": "2026-12-04",
        "status": "active",
        "scope": {"regions": [COUNTY], "places": [], "items": "all"},
        "measures": [
            {"code": "WINDOW_SUSPENDED", "summary": "暂停现场窗口受理办理"},
            {"code": "APPOINTMENT_ONLY", "summary": "确需到场的先预约"},
            {"code": "DRONE_DELIVERY", "summary": "无人机送达"},
            {"code": "DEADLINE_POLICY", "params": SHIFT if policy is None else policy, "summary": "停办期间不计入时限"},
        ],
        "channels": [{"id": "phone", "name": "电话", "number": None}],
        "contacts": [],
        **more,
    }


def declare(counter: Counter, version: int, *notices: dict[str, Any]) -> None:
    """Put a catalog into use that differs from the one before in its notices alone."""
    plain = {**seed("notices"), "notices": [*seed("notices")["notices"], *notices]}
    edition = seed_edition(version)
    activate_catalog.activate(counter, replace(edition, documents={**edition.documents, "notices": plain}))
