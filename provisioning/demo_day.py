"""One day: a village without a line files twenty applications, loses its power in the middle, and loses nothing else.

Everything is done at the counters (`counter_door`), as clerks would; what is waited for is what a screen would show.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from casework.catalog import ServiceItem
from casework.forms import Form
from casework.materials import AUTHORIZATION, Need, needed
from provisioning.counter_door import CounterDoor, CounterRefused
from provisioning.demo_people import filled_form, invented_paper
from provisioning.demo_report import Effects, Figures, History, Saved, duplicated, lost
from provisioning.demo_screen import DemoScreen
from provisioning.demo_world import SEED_CATALOG, DemoNode, DemoWorld
from provisioning.wording import words
from wire.canonical import canonical_json

APPLICATIONS = 20
SCANS_EACH = 2
TO_RETURN, TO_DECLINE = 3, 2
DIFFERENT_ITEMS_MIN = 8
KILL_AT = 11  # while this application is being saved
DRAIN_S = 120.0
STEP_S = 90.0
DECLINED = {
    "reason": "演示：不符合办事指南载明的申请条件",
    "basis": "演示依据：办事指南",
    "remedy": "可向上级部门申请复核",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An item that is filed today, as its catalog entry says."""

    item_id: str
    mode: str


def choose_items(count: int) -> list[Choice]:
    """Items that may be collected in a village and ask for at least one paper: as many different ones as there are."""
    items = json.loads((SEED_CATALOG / "items.json").read_text("utf-8"))["items"]
    fit = [
        Choice(item["item_id"], item["agent_policy"]["mode"])
        for item in items
        if item["service_mode"] == "apply"
        and item["agent_policy"]["mode"] in {"full", "relatives_only", "assist_only"}
        and any(material["necessity"] == "required" for material in item["materials"])
    ]
    step = max(1, len(fit) // count)
    return (fit[::step] * count)[:count]


class Day:
    """The script and what it counts."""

    def __init__(self, world: DemoWorld, village: DemoNode, township: DemoNode, screen: DemoScreen, seed: int) -> None:
        self.world, self.village, self.township, self.screen = world, village, township, screen
        self.random = random.Random(seed)
        self.history = History(world.folder / "history.jsonl")
        self.figures = Figures()
        self._payload = 0

    # --- the village ----------------------------------------------------------------------------------------------

    def morning(self) -> None:
        """No line; twenty applications; the power fails during the eleventh."""
        self.village.line.cut()
        self.screen.say(words("demo.line_cut"))
        door = self.village.door()
        with self.screen.counting(words("demo.collecting"), APPLICATIONS) as step:
            for number, choice in enumerate(choose_items(APPLICATIONS), 1):
                draft_id, scans = self._prepare(door, choice)
                if number == KILL_AT:
                    door = self._save_while_the_power_fails(door, draft_id, scans)
                else:
                    slip = door.collect(draft_id)
                    self._saved(Saved(slip.application_id, slip.receipt_no, scans))
                step()
        door.close()
        self.figures.filed = len({one.receipt_no for one in self.history.saved})

    def _prepare(self, door: CounterDoor, choice: Choice) -> tuple[str, tuple[str, ...]]:
        """Type the form, lay two papers on the scanner, decide every material; returns the draft and its scans."""
        draft = door.begin(choice.item_id)
        item = ServiceItem.from_plain(door.guide(choice.item_id).item)
        form = Form.from_plain(door.form(draft.form_id))
        values = filled_form(form, self.village.site, choice.mode, self.village.person.name, self.random)
        holder = str(values.get("applicant_name", ""))
        door.change(draft.draft_id, values=values)
        needs = needed(item, values, form)
        scanned: list[str] = []
        for need, page in _papers(needs):
            picture = invented_paper(need.name, holder, self.random)
            view = door.scan(draft.draft_id, need.material_id, page, picture)
            scanned.append(view.scan_hash)
            self._payload += view.length
        with_scan = {need.material_id for need, _ in _papers(needs)}
        door.change(draft.draft_id, handed_in=[_handed_in(need, with_scan) for need in needs])
        self._payload += len(zlib.compress(canonical_json(values), 9))
        summary = door.summary(draft.draft_id)
        if not summary.ready:
            raise CounterRefused(
                0, "demo.not_ready", summary.model_dump(include={"problems", "missing", "proxy_refusal"})
            )
        return draft.draft_id, tuple(scanned)

    def _save_while_the_power_fails(self, door: CounterDoor, draft_id: str, scans: tuple[str, ...]) -> CounterDoor:
        """SIGKILL while *collect* is under way; afterwards the clerk finds either the draft or the application."""
        known = {brief.application_id for brief in door.applications()}
        answered: list[Saved] = []

        def press() -> None:
            with contextlib.suppress(Exception):  # the power fails: whatever the screen did not show was not said
                slip = door.collect(draft_id)
                answered.append(Saved(slip.application_id, slip.receipt_no, scans))

        pressing = threading.Thread(target=press)
        pressing.start()
        time.sleep(self.random.uniform(0.0, 0.03))
        self.village.edge.kill()
        pressing.join()
        door.close()
        self.screen.say(words("demo.killed"))
        self.village.edge.start()
        self.world.wait(words("demo.restarted"), lambda: self.world.node_answers(self.village), STEP_S)
        door = self.village.door()
        if answered:
            self._saved(answered[0])
            return door
        fresh = [brief for brief in door.applications() if brief.application_id not in known]
        if fresh:
            self._saved(Saved(fresh[0].application_id, fresh[0].receipt_no, scans))
        else:
            slip = door.collect(draft_id)
            self._saved(Saved(slip.application_id, slip.receipt_no, scans))
        return door

    def _saved(self, saved: Saved) -> None:
        self.history.note(saved)

    def noon(self) -> None:
        """The line comes back; the backlog drains."""
        line, door = self.village.line, self.village.door()
        waiting = max(door.status().backlog_bytes, self._payload)
        wire_before = line.total_bytes
        line.mend()
        self.village.agent.stop()  # what a network that comes up does to the courier's unit
        self.village.agent.start()
        self.screen.say(words("demo.line_back"))
        with self.screen.draining(words("demo.draining"), waiting) as at:

            def drained() -> bool:
                status = door.status()
                at(min(waiting, line.up_bytes_since_mended))
                return status.line == "up" and status.backlog_ops == 0 and status.backlog_scans == 0

            self.world.wait(words("demo.drained"), drained, DRAIN_S)
            at(waiting)
        self.figures.wire_bytes = line.total_bytes - wire_before
        self.figures.payload_bytes = self._payload
        door.close()

    # --- the township and the departments -------------------------------------------------------------------------

    def afternoon(self) -> None:
        """Three returned once with everything, two declined, the others accepted."""
        door = self.township.door()
        wanted = {one.application_id for one in self.history.saved}
        self._until(words("demo.all_there"), lambda: wanted <= {one.application_id for one in door.queue()})
        order = sorted(wanted)
        self.random.shuffle(order)
        returned, declined = order[:TO_RETURN], order[TO_RETURN : TO_RETURN + TO_DECLINE]
        with self.screen.counting(words("demo.reviewing"), len(order)) as step:
            for application_id in order:
                door.review(application_id, "begin")
                if application_id in returned:
                    door.review(application_id, "return", points=_full_notice(door, application_id))
                    self.figures.returned += 1
                elif application_id in declined:
                    door.review(application_id, "decline", **DECLINED)
                    self.figures.declined += 1
                else:
                    door.review(application_id, "accept")
                    self.figures.accepted += 1
                step()
        door.close()
        self._answer_returns(returned)
        self._wait_for_rulings(set(order) - set(returned) - set(declined))

    def _answer_returns(self, returned: list[str]) -> None:
        door = self.village.door()
        self._until(words("demo.returned"), lambda: _in_state(door, "returned") >= set(returned))
        with self.screen.counting(words("demo.answering"), len(returned)) as step:
            for application_id in returned:
                draft = door.answer_return(application_id)
                answers = {point.ref: "演示：已按告知补正" for point in draft.return_points}
                scans = []
                for point in draft.return_points:
                    if point.kind == "material":
                        picture = invented_paper(point.label or point.ref, "补正", self.random)
                        scans.append(door.scan(draft.draft_id, point.ref, 9, picture).scan_hash)
                address = f"{draft.values.get('applicant_address', '')}（补写：一组）"
                door.change(draft.draft_id, values={"applicant_address": address}, answers=answers)
                door.collect(draft.draft_id)
                self.history.add_scans(application_id, scans)
                step()
        self._until(words("demo.answered"), lambda: _settled(door, returned))
        door.close()

    def _wait_for_rulings(self, accepted: set[str]) -> None:
        door = self.village.door()
        with self.screen.counting(words("demo.ruling"), len(accepted)) as step:
            seen: set[str] = set()

            def all_down() -> bool:
                for application_id in (_in_state(door, "concluded") & accepted) - seen:
                    seen.add(application_id)
                    step()
                return seen >= accepted

            self.world.wait(words("demo.ruled"), all_down, STEP_S)
        self.figures.concluded = len(seen)
        door.close()

    # --- the city -------------------------------------------------------------------------------------------------

    def evening(self) -> None:
        """A changed catalog; a draft begun before it stays as it is; both nodes show the new one."""
        changed = choose_items(1)[0].item_id
        note = f"演示：{datetime.now(UTC):%Y-%m-%d} 起按新指南办理"
        source = self.world.folder / "catalog-source"
        shutil.copytree(SEED_CATALOG, source, dirs_exist_ok=True)
        items = json.loads((source / "items.json").read_text("utf-8"))
        next(item for item in items["items"] if item["item_id"] == changed)["conditions"].append(note)
        (source / "items.json").write_text(json.dumps(items, ensure_ascii=False), "utf-8")
        with contextlib.closing(self.village.door()) as door:
            before = door.status().catalog_version or 0
            draft = door.begin(changed)
        self.screen.say(words("demo.publishing"))
        self.world.publish_catalog(source)
        for node in (self.village, self.township):
            with contextlib.closing(node.door()) as door:
                self._until(
                    words("demo.catalog_in_use", site=node.site_name),
                    lambda: (door.status().catalog_version or 0) > before,
                )
                shown = note in door.guide(changed).item["conditions"]
                self.figures.catalog_version = door.status().catalog_version or 0
                self.figures.nodes_updated += int(shown)
        with contextlib.closing(self.village.door()) as door:
            if door.draft(draft.draft_id).catalog_version != before:
                raise CounterRefused(0, "demo.draft_moved", {"draft": draft.draft_id})

    def reckon(self, effects: Effects, seconds: float) -> Figures:
        """Compare what was called saved with what the city has."""
        self.history.close()
        missing = lost(self.history.saved, effects)
        self.figures.lost = len(missing)
        self.figures.duplicated = len(duplicated(effects))
        self.figures.delivered = self.figures.filed - self.figures.lost
        self.figures.scans_sent = len({scan for one in self.history.saved for scan in one.scans} & effects.scans)
        self.figures.seconds = round(seconds, 1)
        return self.figures

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        self.world.wait(what, condition, STEP_S)


def _papers(needs: list[Need]) -> Iterator[tuple[Need, int]]:
    """Which papers are scanned, and as which page: the mandate and the first required one, two pages in all."""
    first = sorted((need for need in needs if need.kind in {"authorization", "required"}), key=_mandate_first)
    chosen = first[:SCANS_EACH]
    for number in range(SCANS_EACH):
        yield chosen[number % len(chosen)], number // len(chosen) + 1


def _mandate_first(need: Need) -> bool:
    return need.material_id != AUTHORIZATION


def _handed_in(need: Need, scanned: set[str]) -> dict[str, Any]:
    if need.kind == "conditional":
        return {"material_id": need.material_id, "seen": "original_seen", "applies": False}
    if need.material_id in scanned:
        return {"material_id": need.material_id, "seen": "original_seen", "copies": 1}
    return {"material_id": need.material_id, "seen": "to_be_verified"}


def _full_notice(door: CounterDoor, application_id: str) -> list[dict[str, str]]:
    """Everything at once, and only what the guide names: a paper to bring again and a field to correct."""
    points = door.may_return(application_id).points
    paper = next(point for point in points if point.kind == "material")
    entry = next(point for point in points if point.kind == "field" and point.ref == "applicant_address")
    told = ((paper, "演示：影像不清", "请重新拍照"), (entry, "演示：地址不全", "请补写到组"))
    return [
        {"kind": point.kind, "ref": point.ref, "label": point.label, "problem": problem, "remedy": remedy}
        for point, problem, remedy in told
    ]


def _in_state(door: CounterDoor, state: str) -> set[str]:
    return {brief.application_id for brief in door.applications() if brief.state == state}


def _settled(door: CounterDoor, wanted: list[str]) -> bool:
    """No act of this node on these still waits for the city's answer."""
    return all(not brief.pending for brief in door.applications() if brief.application_id in wanted)
