"""What a fault test counted, for the fault report: one JSON line a call, in the file that `GUANGAN_FAULT_TALLY` names.

Without that variable nothing is written: an everyday run keeps no figures.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

VARIABLE = "GUANGAN_FAULT_TALLY"
CONTROL = "control"


def record(
    case: str, variant: str, trials: int, lost: int, duplicated: int, false_sent: int = 0, phantom: int = 0
) -> None:
    """Note what one test of `case` (R01, S14, ...) found; a negative control says so in `variant`, and found something
    in one of the four columns, or it controls nothing."""
    if variant.startswith(CONTROL) and not (lost or duplicated or false_sent or phantom):
        raise AssertionError(f"{case}: {variant} found nothing")
    path = os.environ.get(VARIABLE)
    if not path:
        return
    line = {
        "case": case,
        "variant": variant,
        "trials": trials,
        "lost": lost,
        "duplicated": duplicated,
        "false_sent": false_sent,
        "phantom": phantom,
    }
    with Path(path).open("a", encoding="utf-8") as tally:  # appended in one write: several workers share the file
        tally.write(json.dumps(line) + "\n")
