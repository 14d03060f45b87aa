"""`python -m tui --socket PATH`: the village agent's screen on a terminal.

The words are loaded before anything is drawn; a node that does not answer is shown as such, not waited for.
"""

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tui.wording import LANGUAGES, WordingMissing, language_for, speak, t

SCAN_FOLDER = Path("~/扫描")


def arguments(words: list[str]) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="tui", add_help=False, description=t("help_line.tui"))
    parser.add_argument("-h", "--help", action="help", help=t("help_line.help"))
    parser.add_argument("--socket", required=True, type=Path, help=t("help_line.socket"))
    parser.add_argument("--scan-folder", type=Path, default=SCAN_FOLDER, help=t("help_line.scan_folder"))
    parser.add_argument("--lang", choices=LANGUAGES, help=t("help_line.lang"))
    parser.add_argument("--idle-minutes", type=float, default=10.0, help=t("help_line.idle_minutes"))
    parser.add_argument("--practice", action="store_true", help=t("help_line.practice"))
    parser.add_argument("--offer-practice", action="store_true", help=t("help_line.offer_practice"))
    parser.add_argument("--print-command", default="", help=t("help_line.print_command"))
    return parser.parse_args(words)


def main() -> int:
    """Run the screen until the agent leaves it; 0 when left by its key, 1 when it broke, 2 when it cannot start
    or found a practice store instead of a true one, 4 when practice was asked for."""
    try:
        speak(language_for(None, os.environ))  # what --help says, before --lang is read
        asked = arguments(sys.argv[1:])
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
        print_command=asked.print_command,
    )
    app.run(mouse=False)
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
