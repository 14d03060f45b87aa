"""`python -m provisioning demo`: the composition root of the demonstration."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console

from casework.application import Role
from provisioning.counter_door import CounterRefused
from provisioning.demo_day import Day
from provisioning.demo_report import Effects, Figures
from provisioning.demo_screen import DemoScreen
from provisioning.demo_world import (
    ADMINISTRATOR,
    AGENT_PASSPHRASE,
    CLERK_PASSPHRASE,
    OFFICE_PASSPHRASE,
    DemoNode,
    DemoWorld,
    Person,
    Program,
)
from provisioning.errors import ProgramDied, ProvisioningError
from provisioning.wording import sentence, words
from wire.fields import NodeRole

VILLAGE = ("511603106205", "前锋区护安镇团柏村便民服务室")
TOWNSHIP = ("511603106000", "前锋区护安镇便民服务中心")
AGENT = Person("wangdaiban", "王代办", Role.AGENT, AGENT_PASSPHRASE)
CLERK = Person("lishouli", "李受理", Role.CLERK, CLERK_PASSPHRASE)
SEED = 20261123
STARTS_MOST = 20

app = typer.Typer()
console = Console(soft_wrap=True)


@app.command(help=words("help.demo"))
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help=words("help.demo.once"))] = False,
    report: Annotated[Path | None, typer.Option("--report", help=words("help.demo.report"))] = None,
    postgres: Annotated[bool, typer.Option("--postgres", help=words("help.demo.postgres"))] = False,
    seed: Annotated[int, typer.Option("--seed", help=words("help.demo.seed"))] = SEED,
    folder: Annotated[Path | None, typer.Option("--folder", help=words("help.demo.folder"))] = None,
) -> None:
    """Play one day of the whole system on this machine."""
    where = folder or Path(tempfile.mkdtemp(prefix="guangan-demo-"))
    kept = folder is not None
    try:
        with DemoWorld(where, postgres=postgres) as world:
            figures = play(world, seed)
            console.print(figures.table())
            if report is not None:
                figures.write(report)
            if not once:
                _stay(world)
    except (ProvisioningError, CounterRefused) as error:
        kept = True  # the sentence names a log in there
        console.print(sentence(error) if isinstance(error, ProvisioningError) else str(error), markup=False)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        if not kept:
            shutil.rmtree(where, ignore_errors=True)
    raise typer.Exit(0 if figures.is_good else 1)


def play(world: DemoWorld, seed: int) -> Figures:
    """Set the world up and play the day."""
    screen = DemoScreen(console)
    begun = time.monotonic()
    with screen.waiting(words("demo.city")):
        world.found_city()
    with screen.waiting(words("demo.village")):
        village = world.found_node("village", NodeRole.VILLAGE, *VILLAGE, AGENT)
    with screen.waiting(words("demo.township")):
        township = world.found_node("township", NodeRole.TOWNSHIP, *TOWNSHIP, CLERK)
    day = Day(world, village, township, screen, seed)
    day.morning()
    day.noon()
    day.afternoon()
    day.evening()
    return day.reckon(effects(world), time.monotonic() - begun)


def effects(world: DemoWorld) -> Effects:
    """What the city has, by its own ledger and its own store of scans."""
    dump = world.command("city_gateway", "ledger", "dump", *world.ledger_arguments)
    applications = [json.loads(line) for line in dump.splitlines() if line.startswith("{")]
    stored = world.gateway_folder / "scans"
    return Effects(applications, frozenset(path.name for path in stored.rglob("*") if path.is_file()))


def _stay(world: DemoWorld) -> None:
    """Stay up until Ctrl-C (or SIGTERM), telling how to look around."""
    village, township = world.nodes["village"], world.nodes["township"]
    console.rule(words("demo.look"))
    for line in _how_to_look(world, village, township):
        console.print(line, highlight=False, markup=False)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    tended = [Tended(program) for program in world.programs]
    while not ended.wait(1.0):
        for one in tended:
            if told := one.look():
                console.print(told, markup=False)


@dataclass(slots=True)
class Tended:
    """A program that is started again when it ended by itself, as systemd does on a real node: somebody tries what a
    kill does. One that ends again and again is left lying."""

    program: Program
    starts_left: int = STARTS_MOST

    def look(self) -> str | None:
        """Start it again if it died; the sentence to say, or None."""
        try:
            self.program.must_live()
        except ProgramDied as died:
            if self.starts_left == 0:
                self.program.process = None
                return words("demo.not_again", why=sentence(died), times=STARTS_MOST)
            self.starts_left -= 1
            self.program.start()
            return words("demo.tended", program=self.program.name)
        return None


def _how_to_look(world: DemoWorld, village: DemoNode, township: DemoNode) -> list[str]:
    def sign_in(clerk_id: str, passphrase: str) -> str:
        return words("demo.sign_in", clerk_id=clerk_id, passphrase=passphrase)

    places = (
        (words("demo.screen"), f".venv/bin/python -m provisioning screen --root {village.paths.root}"),
        ("", sign_in(village.person.clerk_id, AGENT_PASSPHRASE)),
        (words("demo.page"), f"http://{township.page}/"),
        ("", sign_in(township.person.clerk_id, CLERK_PASSPHRASE) + words("demo.three_wait")),
        (words("demo.office"), f"{world.gateway_url}/office/"),
        ("", sign_in("office", OFFICE_PASSPHRASE)),
        ("", sign_in(ADMINISTRATOR, OFFICE_PASSPHRASE) + words("demo.administrator")),
        (words("demo.logs"), str(world.logs)),
    )
    width = max(cell_len(what) for what, _ in places) + 2
    return [*(what + " " * (width - cell_len(what)) + where for what, where in places), words("demo.end")]
