"""A busy day at a village and a township while programs are killed; and the reckoning afterwards.

Laws:
- The diary is append-only and lies outside every node; *asked* is written before a call, *saved* when the API said so.
- People behave as people: when the screen is gone they come back, look, and press again.
- Which program dies when is drawn from a seed; programs are ended by their own id and started again.
- lost = saved without effect; duplicated = an effect twice; phantom = an effect nobody asked for; misshown = a node
  shows something otherwise than the city has it, or as waiting when nothing waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from provisioning.counter_door import CounterRefused
from provisioning.demo import effects
from provisioning.demo_report import Saved, duplicated, lost
from provisioning.demo_world import DemoNode, Program
from tests.journeys.at_the_counter import Hands, Town, type_application
from wire.counter import ApplicationDetail

ITEMS = ("GA-YB-001", "GA-YB-002", "GA-RS-006", "GA-YB-004")
PATIENCE_S = 90.0
LOOK_AGAIN_S = 0.1
SETTLE_S = 90.0
ALREADY = "lifecycle.illegal_event"

Told = TypeVar("Told")


class Diary:
    """What was asked and what the API called saved, line by line, on a disk that nobody kills."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def note(self, kind: str, **fields: object) -> None:
        """Write one line for good."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **fields}, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """What was noted, in order."""
        if not self._path.exists():
            return []
        noted = [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]
        return [one for one in noted if one["kind"] == kind]


class Person:
    """A clerk who comes back when the screen is gone."""

    def __init__(self, node: DemoNode) -> None:
        self._node = node
        self._hands: Hands | None = None

    def do(self, act: Callable[[Hands], Told]) -> Told:
        """Do it, again and again, until the counter has answered."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self._hands is None:
                    self._hands = Hands.at(self._node)
                return act(self._hands)
            except httpx.HTTPError:
                self.leave()
            except CounterRefused as refused:
                if refused.status < 500 and not refused.code.startswith("session."):
                    raise
                self.leave()
            if time.monotonic() > until:
                raise TimeoutError(self._node.name)
            time.sleep(LOOK_AGAIN_S)

    def leave(self) -> None:
        """Go home."""
        if self._hands is not None:
            self._hands.close()
        self._hands = None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What a day came to; every list is empty when nothing went wrong."""

    lost: list[str]
    duplicated: list[str]
    phantom: list[str]
    misshown: list[str]

    @property
    def is_good(self) -> bool:
        """Nothing went wrong."""
        return not (self.lost or self.duplicated or self.phantom or self.misshown)


@dataclass(slots=True)
class BusyDay:
    """One town, its diary, and the seed of this day."""

    town: Town
    diary: Diary
    rng: random.Random
    applications: int = 10
    patience_s: float = PATIENCE_S
    filed: list[str] = field(default_factory=list)

    def pass_with(self, kills: Sequence[Program], *, right_after_saved: bool = False) -> None:
        """File and accept while these programs are killed one after the other; then heal everything."""
        done = threading.Event()
        with ThreadPoolExecutor(2) as people:
            village = people.submit(self._village, random.Random(self.rng.random()))
            township = people.submit(self._township, done)
            village.add_done_callback(lambda _filed: done.set())
            try:
                for number, program in enumerate(kills):
                    self._pause(number if right_after_saved else None)
                    program.kill()
                    time.sleep(self.rng.uniform(0.0, 0.4))
                    program.start()
            finally:
                for one in (village, township):
                    _raise_if_failed(one)
        self._heal()

    def _pause(self, number: int | None) -> None:
        """For any time at all; or until one more application than `number` was called saved."""
        if number is None:
            time.sleep(self.rng.uniform(0.1, 1.2))
            return
        until = time.monotonic() + PATIENCE_S
        while len(self.diary.lines("saved")) <= number and time.monotonic() < until:
            time.sleep(0.01)

    def _village(self, rng: random.Random) -> None:
        agent = Person(self.town.village)
        try:
            for number in range(self.applications):
                self._file(agent, ITEMS[number % len(ITEMS)], rng, proxy_stops=number % 4 == 0)
        finally:
            agent.leave()

    def _file(self, agent: Person, item_id: str, rng: random.Random, *, proxy_stops: bool) -> None:
        typed = agent.do(lambda hands: type_application(hands, self.town.village, item_id, rng))
        application_id = typed.draft_id
        self.diary.note("asked", application=application_id)
        try:
            slip = agent.do(lambda hands: hands.collect(application_id))
        except CounterRefused:
            # The counter knows neither draft nor operation: whatever is on its list now is what it showed as saved.
            slip = agent.do(lambda hands: hands.slip(application_id))
        self.diary.note("saved", application=slip.application_id, receipt=slip.receipt_no, scans=list(typed.scans))
        self.filed.append(slip.application_id)
        if proxy_stops:
            self._stop_or_go_on(agent, application_id, act="suspend", reason="样例:外出")
            self._stop_or_go_on(agent, application_id, act="resume", reason="样例:归来")

    def _stop_or_go_on(self, who: Person, application_id: str, **said: object) -> None:
        path = f"/counter/applications/{application_id}/proxy"
        with contextlib.suppress(_AlreadyDone):
            who.do(_once(lambda hands: hands._told(ApplicationDetail, "POST", path, json=said)))

    def _township(self, village_done: threading.Event) -> None:
        clerk = Person(self.town.township)
        try:
            until = time.monotonic() + self.patience_s
            while not (village_done.is_set() and self._accepted() >= set(self.filed)):
                for brief in clerk.do(lambda hands: hands.queue()):
                    if brief.application_id not in self._accepted():
                        self._accept(clerk, brief.application_id)
                        until = time.monotonic() + self.patience_s
                if not village_done.is_set():
                    until = time.monotonic() + self.patience_s
                if time.monotonic() > until:
                    return  # what did not come here is found by the reckoning
                time.sleep(LOOK_AGAIN_S)
        finally:
            clerk.leave()

    def _accept(self, clerk: Person, application_id: str) -> None:
        with contextlib.suppress(_AlreadyDone):
            clerk.do(_once(lambda hands: hands.review(application_id, "accept")))
        self.diary.note("accepted", application=application_id)

    def _accepted(self) -> set[str]:
        return {line["application"] for line in self.diary.lines("accepted")}

    def _heal(self) -> None:
        for node in (self.town.village, self.town.township):
            self.town.leave(node)
            self.town.until(f"{node.name} is up", lambda node=node: self.town.world.node_answers(node))  # type: ignore[misc]
            self.town.line_is_back(node)
        for node in (self.town.village, self.town.township):
            self.town.until_drained(node, SETTLE_S)

    # --- the reckoning --------------------------------------------------------------------------------------------

    def reckon(self, settle_s: float = SETTLE_S) -> Reckoning:
        """Compare, once everything was heard everywhere or the time for it is over."""
        until = time.monotonic() + settle_s
        while not (found := self._compare()).is_good and time.monotonic() < until:
            time.sleep(1.0)
        return found

    def _compare(self) -> Reckoning:
        made = effects(self.town.world)
        city = {case["application_id"]: case for case in made.applications}
        saved = [Saved(one["application"], one["receipt"], tuple(one["scans"])) for one in self.diary.lines("saved")]
        accepts = [one for one in self._accepted() if "accepted" not in city.get(one, {"history": []})["history"]]
        asked = {one["application"] for one in self.diary.lines("asked")}
        return Reckoning(
            lost=sorted({*lost(saved, made), *accepts}),
            duplicated=duplicated(made),
            phantom=sorted(set(city) - asked),
            misshown=sorted(
                one for node in (self.town.village, self.town.township) for one in self._misshown(node, city)
            ),
        )

    def _misshown(self, node: DemoNode, city: dict[str, Any]) -> list[str]:
        """Applications that this node shows otherwise than the city has them, or still as waiting."""
        shown = {one.application_id: one for one in self.town.at(node).applications()}
        wrong = [key for key, one in shown.items() if key not in city or city[key]["state"] != one.state]
        waiting = [key for key, one in shown.items() if one.standing != "confirmed" or one.pending]
        return [*wrong, *waiting, *(set(city) - set(shown))]


class _AlreadyDone(Exception):
    """The first try had taken effect before the screen was gone."""


def _once(act: Callable[[Hands], object]) -> Callable[[Hands], object]:
    """An act that is pressed again when nobody knows whether it happened."""

    def pressed(hands: Hands) -> object:
        try:
            return act(hands)
        except CounterRefused as refused:
            if refused.code == ALREADY:
                raise _AlreadyDone from None
            raise

    return pressed


def _raise_if_failed(one: Future[None]) -> None:
    one.result()
