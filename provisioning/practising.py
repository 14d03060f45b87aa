"""`provisioning practice` and `provisioning screen`: practice from its beginning to its clearing, as three programs.

Laws:
- One process holds the key of a practice, in memory; it starts the counter service and the screen and ends both.
- However it ends, the store is cleared: by this process, else at the next beginning; the key is gone either way.
- One practice at a time in one folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.paths import NodePaths
from provisioning import practice_store
from provisioning.counter_door import CounterDoor, listens
from provisioning.errors import PracticeGoesOn, PracticeNotServed, PracticeWithoutCatalog
from provisioning.plain_errors import plain_errors
from provisioning.wording import words
from wire.practice import WANTS_PRACTICE

PROJECT = Path(__file__).parents[1]
KEY_BYTES = 32
START_S = 40.0
STOP_S = 10.0
POLL_S = 0.05

app = typer.Typer()
console = Console(soft_wrap=True)

From = Annotated[Path, typer.Option("--from", help=words("help.practice.from"))]
FOR_THE_SCREEN = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Whatever else is said is said to the screen."""


@app.command(help=words("help.practice"), context_settings=FOR_THE_SCREEN)
def practice(
    context: typer.Context,
    *,
    true_root: From,
    root: Annotated[Path | None, typer.Option("--root", help=words("help.practice.root"))] = None,
) -> None:
    """Practise; nothing of it is kept."""
    raise typer.Exit(_practise(true_root, root, context.args))


@app.command(help=words("help.screen"), context_settings=FOR_THE_SCREEN)
def screen(context: typer.Context, *, root: Annotated[Path, typer.Option("--root", help=words("help.root"))]) -> None:
    """The agent's screen of a node, with practice a key away."""
    at_node = ["--socket", str(NodePaths(root).counter_socket), "--offer-practice", *context.args]
    while (status := _run("tui", *at_node)) == WANTS_PRACTICE:
        _practise(root, None, context.args)
    raise typer.Exit(status)


def _practise(true_root: Path, root: Path | None, options: Sequence[str]) -> int:
    with _ended_in_order(), plain_errors(), _folder(root) as paths, only_one(paths):
        practice_store.clear(paths)
        try:
            key = secrets.token_bytes(KEY_BYTES)
            practice_store.make(paths, NodePaths(true_root), machine=key, randomness=os.urandom, now=datetime.now(UTC))
            with served(paths, key):
                at_practice = ["--practice", "--socket", str(paths.counter_socket)]
                # After what was said: true papers lie in the folder that the true screen was told of.
                samples = ["--scan-folder", str(practice_store.samples(paths))]
                return _run("tui", *at_practice, *options, *samples)
        finally:
            practice_store.clear(paths)


@contextlib.contextmanager
def served(paths: NodePaths, key: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """The counter service on a practice store; its key reaches it through memory alone."""
    handed = os.memfd_create("practice-key")
    try:
        os.write(handed, key)
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_node", "--practice", "--root", str(paths.root)],
            cwd=PROJECT,
            env=_environment() | {MACHINE_KEY_FILE: f"/proc/self/fd/{handed}"},
            pass_fds=[handed],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        os.close(handed)
    try:
        _wait_for(paths.counter_socket, process)
        with contextlib.closing(CounterDoor(paths.counter_socket)) as door:
            if door.status().catalog_version is None:
                raise PracticeWithoutCatalog
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def only_one(paths: NodePaths) -> Iterator[None]:
    """Hold the folder for this practice; the lock lies beside it, for what is in it is cleared."""
    paths.root.parent.mkdir(parents=True, exist_ok=True)
    name = paths.root.with_name(f".{paths.root.name}.lock")
    with name.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise PracticeGoesOn from busy
        yield


@contextlib.contextmanager
def _folder(root: Path | None) -> Iterator[NodePaths]:
    if root is not None:
        yield NodePaths(root)
        return
    made = Path(tempfile.mkdtemp(prefix="guangan-practice-"))
    try:
        yield NodePaths(made / "node")
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """A closed terminal or a stop from outside clears, too."""
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while not listens(socket):
        if process.poll() is not None or time.monotonic() > until:
            raise PracticeNotServed
        time.sleep(POLL_S)


def _run(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=PROJECT, env=_environment(), check=False).returncode


def _environment() -> dict[str, str]:
    """Without the settings and the key of the true node."""
    hidden = ("GUANGAN_", "CREDENTIALS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
