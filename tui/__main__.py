"""`python -m tui --socket PATH`: the village agent's screen on a terminal.

The words are loaded before anything is drawn; a node that does not answer is shown as such, not waited for.
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tui.wording import LANGUAGES, WordingMissing, language_for, speak

SCAN_FOLDER = Path("~/扫描")


def arguments(words: list[str]) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="tui", description="Screen of the village agent; talks to the node's socket.")
    parser.add_argument("--socket", required=True, type=Path, help="the node's counter socket, <root>/run/counter.sock")
    parser.add_argument("--scan-folder", type=Path, default=SCAN_FOLDER, help="where scanner and phone leave files")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the screen; else LANG decides")
    parser.add_argument("--idle-minutes", type=float, default=10.0, help="idle minutes before the screen locks")
    parser.add_argument("--practice", action="store_true", help="the socket is that of a practice store")
    parser.add_argument("--offer-practice", action="store_true", help="end with status 4 when practice is asked for")
    return parser.parse_args(words)


def main() -> int:
    """Run the screen until the agent leaves it; 0 when left by its key, 1 when it broke, 2 when it cannot start
    or found a practice store instead of a true one, 4 when practice was asked for."""
    asked = arguments(sys.argv[1:])
    try:
        speak(language_for(asked.lang, os.environ))
    except WordingMissing as missing:
        sys.stderr.write(f"The wording '{missing}' is not compiled; run ./install.sh once.\n")
        return 2
    sys.modules.setdefault("click", None)  # type: ignore[arg-type]  # httpx's own command line: 3 MiB, never used here
    from tui.app import CounterApp  # after --help, which must not pay for Textual
    from tui.counter_client import over_socket

    app = CounterApp(
        over_socket(str(asked.socket)),
        now=lambda: datetime.now(UTC),
        uptime=lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        scan_folder=asked.scan_folder.expanduser(),
        idle_seconds=asked.idle_minutes * 60,
        practice=asked.practice,
        offers_practice=asked.offer_practice,
    )
    app.run(mouse=False)
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
