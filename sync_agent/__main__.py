"""`python -m sync_agent run --root DIR` carries the mail of one node; the other commands are in `commands`.

Law: `run` stays resident for months, so nothing is imported for it that only a person at a command line needs.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from offline_store.errors import OnlyForPractice
from offline_store.paths import NodePaths
from sync_agent.wording import words

RUN = "run"
CANNOT_START = 2


def main(arguments: Sequence[str]) -> None:
    """Carry, or do what a person asked for."""
    if arguments[:1] == [RUN]:
        parser = argparse.ArgumentParser(prog=f"sync_agent {RUN}", description=words("help.run"))
        parser.add_argument("--root", type=Path, required=True, help=words("help.root"))
        paths = NodePaths(parser.parse_args(arguments[1:]).root)
        try:
            asyncio.run(_until_signalled(paths))
        except OnlyForPractice as practice:
            sys.stderr.write(words(f"error.{practice.code}") + "\n")
            sys.exit(CANNOT_START)
        return
    from sync_agent.commands import app

    app(args=list(arguments), prog_name="sync_agent")


async def _until_signalled(paths: NodePaths) -> None:
    from sync_agent.running import run

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await run(paths, stopped)


if __name__ == "__main__":
    main(sys.argv[1:])
