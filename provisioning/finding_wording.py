"""What doctor found, in the words of whoever looks after the machine; why a thing waits by codes of `wire.waiting`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from casework.working_days import CITY_TIME
from provisioning.wording import of, words

WAITING: Final = "waiting.explained"
COUNTED: Final = ("ops", "scans", "oldest_hours")


def finding_sentence(code: str, params: Mapping[str, Any]) -> str:
    """The sentence for one finding of doctor: what it found, or why it could not look."""
    if code == WAITING:
        return waiting_sentence(params)
    return of("finding", code, **params) or of("error", code, **params) or words("otherwise", code=code)


def waiting_sentence(params: Mapping[str, Any]) -> str:
    """One finding about what waits: what it is about, why, who must act, what comes next and when."""
    parts = [_of("why", params["why"]) + (f"({params['code']})" if params["code"] else "")]
    parts += [_of("who", params["who"]), _of("then", params["then"]) + _when(params["when"])]
    if params["stick"]:
        parts.append(words("waiting.by_stick"))
    counted = [of("counted", name, count=params[name]) or "" for name in COUNTED if params.get(name)]
    why = words("waiting.parted").join(parts)
    return words("waiting.of", what=words("waiting.joined").join(counted), why=why) if counted else why


def _of(family: str, code: str) -> str:
    return of(family, code) or words("otherwise", code=code)


def _when(moment: str | None) -> str:
    return f"({datetime.fromisoformat(moment).astimezone(CITY_TIME):%m-%d %H:%M})" if moment else ""
