"""What all parts of the simulated node share: the seed catalog, the names of its station, its refusals, its state."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request

from casework.application import Application
from wire import counter as said

SEED = Path(__file__).parents[2] / "seed_catalog"
SITE, SITE_NAME = "511603106205", "护安镇老坡村代办点"
CLERK, PASSPHRASE = "dbz01", "open1"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@cache
def seed(name: str) -> Any:
    return json.loads((SEED / f"{name}.json").read_text())


class Refusal(Exception):
    def __init__(self, code: str, message: str, status: int = 409) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class SimulatedState:
    """What one node holds in memory."""

    items: dict[str, Any]
    forms: dict[str, Any]
    regions: list[dict[str, Any]]
    drafts: dict[str, dict[str, Any]]
    applications: dict[str, Application]
    standing: dict[str, str]
    ratings: list[dict[str, Any]]
    _serial: int

    def _new_id(self) -> str:
        self._serial += 1
        return f"{self._serial:032x}"

    @staticmethod
    def _paged(model: Any, rows: list[Any], request: Request) -> Any:
        offset, limit = int(request.query_params.get("offset", 0)), int(request.query_params.get("limit", 20))
        return said.Page[model](rows=rows[offset : offset + limit], total=len(rows), offset=offset, limit=limit)
