"""Desks for tests: new ones, encrypted like the real ones, and a catalog and clerks to put into them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from offline_store.desk.catalog import Edition
from offline_store.desk.database import Desk, open_desk
from offline_store.paths import NodePaths

KEY = bytes(range(32))
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def new_desk(folder: Path, *, key: bytes = KEY) -> Desk:
    """An empty desk in its place below `folder`; the caller closes it (`with new_desk(tmp_path) as desk:`)."""
    paths = NodePaths(folder)
    paths.create()
    return open_desk(paths.desk_db, key, create=True)


def counted_randomness(start: int = 1) -> Callable[[int], bytes]:
    """Bytes that differ from call to call and are the same in every run."""
    numbers: Iterator[int] = count(start)
    return lambda length: (next(numbers).to_bytes(4, "big") * length)[:length]


def service_item(item_id: str, name: str, **more: Any) -> dict[str, Any]:
    """The least an item has to have."""
    plain = {
        "item_id": item_id,
        "name": name,
        "form_id": f"F-{item_id}",
        "domain": "试验",
        "service_mode": "apply",
        "agent_policy": {"mode": "full", "note": "", "verified": False},
    }
    return plain | more


def service_form(item_id: str) -> dict[str, Any]:
    field = {"id": "applicant_name", "label": "申请人姓名", "type": "text", "required": True}
    section = {"id": "applicant", "title": "申请人信息", "fields": [field]}
    return {"form_id": f"F-{item_id}", "item_id": item_id, "title": item_id, "version": 1, "sections": [section]}


def edition(version: int, *items: Mapping[str, Any], **more: Any) -> Edition:
    """A verified edition with a form for each item."""
    forms = [service_form(one["item_id"]) for one in items]
    return Edition(version=version, released_at=NOON, items=list(items), forms=forms, **more)
