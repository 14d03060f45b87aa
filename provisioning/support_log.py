"""Log lines for a support bundle: when, which program, how grave, which message of ours, and the fields on the list.

Laws: the words of a line are never taken, only recognised; a line that is not one of ours is counted and left out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from provisioning import allowed

LINES_MOST: Final = 2000
LOGGERS: Final = frozenset({"edge_node", "sync_agent", "provisioning"})
LEVELS: Final = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
_LINE: Final = re.compile(r".*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[,.]\d+ (\w+) ([A-Z]+) ([a-z ]*)(.*)", re.DOTALL)
_FIELD: Final = re.compile(r"\b(code|class|at|role|status|seq)=(\S+)")
_PLACE: Final = re.compile(r"([a-z_]+\.py):(\d{1,5})")


def log_facts(lines: Iterable[str]) -> dict[str, Any]:
    """The last lines of ours, and how many were left out."""
    kept: deque[dict[str, Any]] = deque(maxlen=LINES_MOST)
    left_out = 0
    for line in lines:
        found = _facts(line.rstrip("\n"))
        if found is None:
            left_out += 1
        else:
            kept.append(found)
    return {"lines": list(kept), "left_out": left_out}


def _facts(line: str) -> dict[str, Any] | None:
    match = _LINE.fullmatch(line)
    if match is None or match[2] not in LOGGERS or match[3] not in LEVELS:
        return None
    words = match[4].strip().rpartition(" ")[0] if match[5].startswith("=") else match[4].strip()
    message = words if words in allowed.vocabulary().messages else allowed.OTHER
    found: dict[str, Any] = {
        "at": allowed.moment(match[1]),
        "program": match[2],
        "level": match[3],
        "message": message,
    }
    for name, value in _FIELD.findall(match[4] + match[5]):
        found[f"field_{name}"] = _value(name, value)
    return found


def _value(name: str, value: str) -> str | int:
    if name in {"code", "class", "role"}:
        return allowed.code(value)
    if name == "at":
        place = _PLACE.fullmatch(value)
        known = place is not None and place[1] in allowed.vocabulary().files
        return value if known else allowed.OTHER
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else allowed.OTHER
