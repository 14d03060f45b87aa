"""R10: screen, page, courier, doctor and the city's programs work on the same node for as long as they like; nobody is
shown that something is locked, and no program stops doing its rounds.

A locked desk (another process holds it open for writing, against every rule) must be seen by the same eyes.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from offline_store.desk.database import open_desk
from offline_store.desk.keyring import MACHINE_KEY_FILE, unlock
from offline_store.mailbox.incoming import Incoming
from provisioning.counter_door import CounterRefused
from provisioning.demo_world import DemoNode
from tests.faults.apart import ROOT
from tests.faults.busy_day import BusyDay, Diary
from tests.faults.tally import record
from tests.journeys.at_the_counter import Hands, Town, copied_town

pytestmark = [
    pytest.mark.fault,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # httpcore leaves a refused socket open
]
LOCKED = ("desk.busy", "database is locked")
STALE = timedelta(seconds=120)
HELD_S = 12.0  # longer than the desk waits for a lock


class Onlookers:
    """People and programs that only look, again and again, until told to stop; they remember what refused them."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.stop = threading.Event()
        self.looks = 0
        self.refused: list[str] = []

    def look_about(self, node: DemoNode) -> None:
        """A second screen: search, lists, status."""
        hands = Hands.at(node)
        try:
            while not self.stop.is_set():
                self._note(lambda: (hands.find("ylbx"), hands.applications(), hands.status()))
        finally:
            hands.close()

    def open_the_page(self, node: DemoNode) -> None:
        """The township's page, asked for without signing in: it reads the desk for the door alone."""
        with httpx.Client(base_url=f"http://{node.page}", trust_env=False, timeout=60) as browser:
            while not self.stop.is_set():
                answer = browser.get("/", follow_redirects=True)
                self.looks += 1
                if answer.status_code >= 500:
                    self.refused.append(f"page: {answer.status_code}")

    def ask_the_doctor(self, node: DemoNode) -> None:
        """The installer's doctor and the courier's status, both beside the running programs."""
        key = {MACHINE_KEY_FILE: node.edge.environment[MACHINE_KEY_FILE]}
        while not self.stop.is_set():
            for program in ("provisioning", "sync_agent"):
                command = "doctor" if program == "provisioning" else "status"
                words = [sys.executable, "-m", program, command, "--root", str(node.paths.root)]
                done = subprocess.run(words, cwd=ROOT, env=node.edge.environment | key, capture_output=True, text=True)
                self.looks += 1
                self.refused += [f"{program}: {word}" for word in LOCKED if word in done.stdout + done.stderr]
            self.stop.wait(2.0)

    def _note(self, look: Callable[[], object]) -> None:
        try:
            look()
            self.looks += 1
        except CounterRefused as refused:
            self.refused.append(refused.code)


def logs_of(town: Town) -> str:
    return "".join(path.read_text("utf-8", errors="replace") for path in Path(town.world.folder).rglob("*.log"))


def rounds_go_on(town: Town) -> bool:
    """Every program lives, and each courier wrote its line's state not long ago."""
    for node in (town.village, town.township):
        node.edge.must_live()
        node.agent.must_live()
        line = Incoming(node.paths.incoming).line()
        if line is None or line.last_try is None:
            return False
        if datetime.now(UTC) - datetime.fromisoformat(line.last_try) > STALE:
            return False
    return True


def share(town: Town, diary: Diary, seconds: float) -> Onlookers:
    """Agent and clerk file and accept for so long while everybody else looks on."""
    onlookers = Onlookers(town)
    with ThreadPoolExecutor(4) as crowd:
        looking = [
            crowd.submit(onlookers.look_about, town.village),
            crowd.submit(onlookers.open_the_page, town.township),
            crowd.submit(onlookers.ask_the_doctor, town.village),
        ]
        try:
            ends, seed = time.monotonic() + seconds, 0
            while time.monotonic() < ends or seed == 0:
                day = BusyDay(town, diary, random.Random(seed), applications=4)
                day.pass_with([])
                seed += 1
        finally:
            onlookers.stop.set()
            for one in looking:
                one.result()
    found = day.reckon()
    assert found.is_good, found
    return onlookers


def judge(founded: Path, folder: Path, seconds: float) -> None:
    with copied_town(founded) as town:
        onlookers = share(town, Diary(folder / "diary.jsonl"), seconds)
        assert rounds_go_on(town)
        logged = [word for word in LOCKED if word in logs_of(town)]
    record("R10", f"{seconds:.0f} s", onlookers.looks, 0, 0, len(onlookers.refused))
    assert onlookers.looks > 5
    assert onlookers.refused == []
    assert logged == []


@pytest.mark.timeout(400)
def test_all_programs_share_a_node_and_nobody_is_locked_out(founded_town: Path, tmp_path: Path) -> None:
    judge(founded_town, tmp_path, 10.0)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_all_programs_share_a_node_for_ten_minutes(founded_town: Path, tmp_path: Path) -> None:
    judge(founded_town, tmp_path, 600.0)


@pytest.mark.timeout(400)
def test_a_stranger_who_holds_the_desk_is_seen(founded_town: Path) -> None:
    with copied_town(founded_town) as town:
        node = town.village
        hands = town.at(node)
        key = unlock(node.paths.keyring, Path(node.edge.environment[MACHINE_KEY_FILE]).read_bytes())
        seen: list[str] = []
        with open_desk(node.paths.desk_db, key) as stranger, stranger.transaction():
            ends = time.monotonic() + HELD_S
            while time.monotonic() < ends and not seen:
                try:
                    hands.begin("GA-YB-001")
                except CounterRefused as refused:
                    seen.append(refused.code)
                except httpx.HTTPError as failure:
                    seen.append(type(failure).__name__)
        logged = [word for word in LOCKED if word in logs_of(town)]
    record("R10", "control: a stranger holds the desk", 1, 0, 0, 1)
    assert seen or logged
