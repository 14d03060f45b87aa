"""The state of the line as the courier last saw it; nothing in it is personal."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from offline_store.errors import DamagedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """Times are ISO 8601 in UTC by the machine's clock; `up` is None until the first try after a start.

    `held_because` says by code why scans wait although the line may be up: `quiet_hours`, `daily_cap`,
    `operations_only` or `bad_settings`; None while they may move. `scans_held_until` is when that ends by itself, None
    when only a person ends it. `listening` says that a question lies open at the city, so that news comes at once.
    `relay_at` is when the township's relay last did its part, which is no word of the city; `relay_problem` is the code
    of why it did not the last time; at a township it is the code of why the city did not take a village's bag.
    """

    up: bool | None = None
    since: str | None = None
    last_try: str | None = None
    next_try: str | None = None
    last_error: str | None = None
    backlog_ops: int = 0
    backlog_scans: int = 0
    backlog_bytes: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    listening: bool = False
    held_because: str | None = None
    scans_held_until: str | None = None
    scan_bytes_today: int = 0
    scan_bytes_a_day: int | None = None
    scans_damaged: int = 0
    relay_at: str | None = None
    relay_problem: str | None = None

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "LineState":
        """Fields that this release does not know are left out: courier and service are updated one after the other."""
        try:
            plain: dict[str, Any] = json.loads(data)
            known = {field.name for field in fields(cls)}
            return cls(**{name: value for name, value in plain.items() if name in known})
        except (ValueError, TypeError, AttributeError) as broken:
            raise DamagedFile("line.json") from broken
