"""What the people of a journey do: an agent and a township clerk at their nodes' counters, a department at the office.

Everything goes over the HTTP that screens and browsers use, to processes of `provisioning.demo_world`; nothing here
knows how a program keeps anything.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from casework.catalog import ServiceItem
from casework.forms import Form
from casework.materials import needed
from provisioning.counter_door import CounterDoor
from provisioning.demo import AGENT, CLERK, TOWNSHIP, VILLAGE, effects
from provisioning.demo_people import filled_form
from provisioning.demo_world import OFFICE_PASSPHRASE, DemoNode, DemoWorld
from wire.counter import DraftBrief, DraftSaved, DraftView, ItemBrief, Page, Slip
from wire.fields import NodeRole

SECRET = re.compile(r'name="form_secret"\s+value="([^"]+)"')
STEP_S = 60.0


class Hands(CounterDoor):
    """A clerk at a counter, with everything a screen can do."""

    @classmethod
    def at(cls, node: DemoNode) -> Hands:
        """Sign in at a node."""
        return cls.opened(node.paths.counter_socket, node.person.clerk_id, node.person.passphrase)

    def find(self, text: str) -> list[str]:
        """Ids of the items that these words or initials find."""
        rows = self._told(Page[ItemBrief], "GET", "/counter/items", params={"q": text, "limit": 50}).rows
        return [row.item_id for row in rows]

    def type(self, draft_id: str, **values: object) -> DraftSaved:
        """Type into fields; what the node finds wrong with them comes back."""
        return self._told(DraftSaved, "PATCH", f"/counter/drafts/{draft_id}", json={"values": values})

    def drafts(self) -> list[str]:
        """Ids of this clerk's open drafts."""
        return [row.draft_id for row in self._told(Page[DraftBrief], "GET", "/counter/drafts").rows]

    def throw_away(self, draft_id: str) -> None:
        """Throw a draft away."""
        self._answer("DELETE", f"/counter/drafts/{draft_id}")

    def picture(self, scan_hash: str) -> bytes:
        """A scan, opened."""
        return self._answer("GET", f"/counter/scans/{scan_hash}").content

    def slip(self, application_id: str) -> Slip:
        """The slip again."""
        return self._told(Slip, "GET", f"/counter/applications/{application_id}/slip")


class Office:
    """A department's clerk at the city's back office, in a browser without script."""

    def __init__(self, gateway_url: str) -> None:
        self._browser = httpx.Client(base_url=gateway_url, trust_env=False, follow_redirects=True)
        answer = self._browser.post("/office/sign-in", data={"clerk_id": "office", "passphrase": OFFICE_PASSPHRASE})
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._browser.close()

    def rule(self, application_id: str, ruling: str, **fields: str) -> None:
        """Make one ruling on the page of the application."""
        path = f"/office/applications/{application_id}"
        secret = SECRET.search(self._browser.get(path).text)
        assert secret is not None
        answer = self._browser.post(f"{path}/rulings/{ruling}", data={"form_secret": secret[1], **fields})
        assert answer.status_code == 200, answer.text


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft that is ready to be collected."""

    draft_id: str
    values: dict[str, Any]
    scans: tuple[str, ...]


@dataclass(slots=True)
class Town:
    """A city, a village and a township, all running, with one clerk signed in at each node."""

    world: DemoWorld
    village: DemoNode
    township: DemoNode
    _counters: dict[str, Hands] = field(default_factory=dict)

    def at(self, node: DemoNode) -> Hands:
        """The clerk at a node; signs in once, because every sign-in is an entry of the journal."""
        if node.name not in self._counters:
            self._counters[node.name] = Hands.at(node)
        return self._counters[node.name]

    def leave(self, node: DemoNode) -> None:
        """The clerk goes; whoever comes next signs in again."""
        if node.name in self._counters:
            self._counters.pop(node.name).close()

    def close(self) -> None:
        """Everybody goes home."""
        for node in (self.village, self.township):
            self.leave(node)

    # --- what happens to machines and lines -----------------------------------------------------------------------

    def power_fails(self, node: DemoNode) -> None:
        """SIGKILL the node's counter."""
        self.leave(node)
        node.edge.kill()

    def power_is_back(self, node: DemoNode) -> None:
        """Start the counter again and wait until it answers."""
        node.edge.start()
        self.until(f"{node.name} again", lambda: self.world.node_answers(node))

    def line_is_back(self, node: DemoNode) -> None:
        """Mend the line, and start the courier anew as a network that comes up does: else it rests as it failed."""
        node.line.mend()
        node.agent.stop()
        node.agent.start()

    # --- what is seen ---------------------------------------------------------------------------------------------

    def until(self, what: str, condition: Callable[[], bool], seconds: float = STEP_S) -> None:
        """Wait until a screen would show it."""
        self.world.wait(what, condition, seconds)

    def state(self, node: DemoNode, application_id: str) -> str | None:
        """The state that a node shows, or None when it does not know the application."""
        found = [one.state for one in self.at(node).applications() if one.application_id == application_id]
        return found[0] if found else None

    def until_shown(self, node: DemoNode, application_id: str, state: str) -> None:
        """Wait until a node shows this state."""
        self.until(f"{state} at {node.name}", lambda: self.state(node, application_id) == state)

    def drained(self, node: DemoNode) -> bool:
        """Nothing of this node waits any more, and it knows that."""
        status = self.at(node).status()
        return status.line == "up" and status.backlog_ops == 0 and status.backlog_scans == 0

    def until_drained(self, node: DemoNode, seconds: float = STEP_S) -> None:
        """Wait until nothing of this node waits any more."""
        self.until(f"{node.name} drained", lambda: self.drained(node), seconds)

    def until_catalog(self, node: DemoNode, version: int) -> None:
        """Wait until a node works with this catalog."""
        self.until(f"catalog {version} at {node.name}", lambda: self.at(node).status().catalog_version == version)

    def cases(self) -> list[dict[str, Any]]:
        """The city's ledger in outline."""
        return [dict(case) for case in effects(self.world).applications]

    def stored_scans(self) -> frozenset[str]:
        """Scans that lie whole in the city's store."""
        return frozenset(path.name for path in (self.world.gateway_folder / "scans").iterdir() if path.is_file())


@contextlib.contextmanager
def town(ledger_url: str | None) -> Iterator[Town]:
    """Found everything in a folder of its own, on this ledger, and end and remove all of it."""
    with _folder() as folder, DemoWorld(folder, postgres=False, automatic_rulings=False) as world:
        world.database = ledger_url or world.database
        world.found_city()
        village = world.found_node("village", NodeRole.VILLAGE, *VILLAGE, AGENT)
        township = world.found_node("township", NodeRole.TOWNSHIP, *TOWNSHIP, CLERK)
        with contextlib.closing(Town(world, village, township)) as made:
            yield made


@contextlib.contextmanager
def copied_town(founded: Path, *, automatic_rulings: bool = False, scans: str | None = None) -> Iterator[Town]:
    """A town that was founded before (`founded_town`), in a folder of its own: its programs start, no more. Another
    store of `scans` is taken over by the city first."""
    with _folder() as folder:
        shutil.copytree(founded, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock", "logs"))
        with DemoWorld(folder, postgres=False, automatic_rulings=automatic_rulings) as world:
            if scans is not None:
                world.scans = scans
                world.command("city_gateway", "scans", "init", "--folder", str(world.gateway_folder), "--scans", scans)
            world.open_city()
            village = world.open_node("village", "village", *VILLAGE, AGENT)
            township = world.open_node("township", "township", *TOWNSHIP, CLERK)
            with contextlib.closing(Town(world, village, township)) as made:
                yield made


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="guangan-journey-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def type_application(
    hands: Hands, node: DemoNode, item_id: str, rng: random.Random, *, typed: dict[str, Any] | None = None
) -> Typed:
    """Begin a draft and do everything but collect: the form, one scan of each paper that is due, every material."""
    draft = hands.begin(item_id)
    return finish(hands, node, draft, rng, typed=typed)


def finish(
    hands: Hands, node: DemoNode, draft: DraftView, rng: random.Random, *, typed: dict[str, Any] | None = None
) -> Typed:
    """Do everything but collect on a draft that was begun."""
    item = ServiceItem.from_plain(hands.guide(draft.item_id).item)
    form = Form.from_plain(hands.form(draft.form_id))
    values = filled_form(form, node.site, item.agent_policy.mode, node.person.name, rng) | (typed or {})
    hands.change(draft.draft_id, values=values)
    needs = needed(item, values, form)
    due = [need for need in needs if need.kind in {"required", "authorization"}]
    scans = [hands.scan(draft.draft_id, need.material_id, 1, picture(rng)).scan_hash for need in due]
    hands.change(
        draft.draft_id,
        handed_in=[
            {"material_id": need.material_id, "seen": "original_seen", "applies": False}
            if need.kind == "conditional"
            else {"material_id": need.material_id, "seen": "original_seen", "copies": 1}
            for need in needs
            if need.kind in {"required", "authorization", "conditional"}
        ],
    )
    summary = hands.summary(draft.draft_id)
    assert summary.ready, (draft.item_id, [one.code for one in summary.problems], summary.missing)
    return Typed(draft.draft_id, values, tuple(scans))


def picture(rng: random.Random, side: int = 160) -> bytes:
    """A small photograph of nothing; noise, so that it does not compress away."""
    noise = Image.frombytes("L", (side, side), rng.randbytes(side * side))
    encoded = io.BytesIO()
    noise.convert("RGB").save(encoded, "JPEG", quality=80)
    return encoded.getvalue()


def changed_catalog(folder: Path, item_id: str, note: str) -> Path:
    """A source of the catalog that differs from the shipped one in one condition of one item."""
    shutil.copytree(Path(__file__).parents[2] / "seed_catalog", folder, dirs_exist_ok=True)
    items = json.loads((folder / "items.json").read_text("utf-8"))
    next(item for item in items["items"] if item["item_id"] == item_id)["conditions"].append(note)
    (folder / "items.json").write_text(json.dumps(items, ensure_ascii=False), "utf-8")
    return folder
