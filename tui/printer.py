"""Paper: a text is handed to the command that the installer named, on its standard input and nowhere else.

Laws: nothing of it lies in a file or an argument of ours; a printer that does not answer is given up and said so; what
the command itself writes is not looked at, it may hold anything.
"""

import asyncio
import shlex
from asyncio.subprocess import DEVNULL, PIPE

PATIENCE_SECONDS = 30.0


class PrinterRefused(Exception):
    """The command is not there, ended badly, or did not end."""


async def print_text(command: str, text: str) -> None:
    """Hand over a text as UTF-8; PrinterRefused when it was not taken."""
    try:
        program = await asyncio.create_subprocess_exec(
            *shlex.split(command), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL
        )
    except (OSError, ValueError):
        raise PrinterRefused from None
    try:
        await asyncio.wait_for(program.communicate(text.encode()), PATIENCE_SECONDS)
    except TimeoutError:
        program.kill()
        await program.wait()
        raise PrinterRefused from None
    if program.returncode != 0:
        raise PrinterRefused
