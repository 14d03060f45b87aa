"""One practised application, from search to receipt, return and result, at a practice that real programs serve."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework.catalog import ServiceItem
from casework.forms import Form
from casework.materials import needed
from offline_store.paths import NodePaths
from provisioning import practising
from provisioning.__main__ import app
from provisioning.demo_people import filled_form
from tests.edge_node.village import Village, photo
from tests.journeys.at_the_counter import Hands
from tests.simulators.practice_beside import true_village
from wire.practice import CLERK, PASSPHRASE, SITE

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

ITEM = "GA-YB-004"
LIMIT_S = 30.0


@pytest.fixture
def true(tmp_path: Path) -> Iterator[Village]:
    village = true_village(tmp_path)
    yield village
    village.counter.desk.close()


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def until_state(hands: Hands, application_id: str, state: str) -> None:
    until = time.monotonic() + LIMIT_S
    while hands.detail(application_id).state != state:
        assert time.monotonic() < until
        time.sleep(0.05)


def filled(hands: Hands) -> str:
    """A draft with everything that is needed; its id."""
    draft = hands.begin(ITEM)
    item = ServiceItem.from_plain(hands.guide(ITEM).item)
    form = Form.from_plain(hands.form(draft.form_id))
    values = filled_form(form, "511603106205", item.agent_policy.mode, "练习员", random.Random(4))
    hands.change(draft.draft_id, values=values)
    handed = []
    for page, need in enumerate(needed(item, hands.draft(draft.draft_id).values, form), 1):
        hands.scan(draft.draft_id, need.material_id, 1, photo(page))
        handed.append({"material_id": need.material_id, "seen": "original_seen", "applies": True})
    hands.change(draft.draft_id, handed_in=handed)
    return draft.draft_id


def practise_one(hands: Hands) -> str:
    """What an agent does, from search to the result."""
    assert ITEM in hands.find("异地备案")
    draft_id = filled(hands)
    assert hands.summary(draft_id).ready
    slip = hands.collect(draft_id)
    assert slip.receipt_no.startswith(f"{SITE}-")
    assert [one.application_id for one in hands.applications()] == [slip.application_id]
    until_state(hands, slip.application_id, "returned")
    point = hands.detail(slip.application_id).return_points[0]
    answer = hands.answer_return(slip.application_id)
    hands.scan(answer.draft_id, point.ref, 1, photo(99))
    hands.collect(answer.draft_id)
    until_state(hands, slip.application_id, "concluded")
    hands.act(slip.application_id, "deliver", receiver="张测试", way="pickup_village")
    until_state(hands, slip.application_id, "delivered")
    return slip.receipt_no


def test_one_application_is_practised_and_nothing_is_left(
    tmp_path: Path, true: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, before = tmp_path / "own" / "practice", files(true.counter.paths.root)
    seen: dict[str, object] = {}

    def agent(_program: str, *arguments: str) -> int:
        """In the place of the screen: the same calls on the same socket."""
        assert arguments[0] == "--practice"
        socket = Path(arguments[arguments.index("--socket") + 1])
        with contextlib.closing(Hands.opened(socket, CLERK, PASSPHRASE)) as hands:
            seen["receipt"] = practise_one(hands)
            seen["bar"] = hands.status().practice
        mail = NodePaths(root)
        seen["mail"] = [path for path in (*mail.outgoing.rglob("*"), *mail.agent_folder.rglob("*")) if path.is_file()]
        return 0

    monkeypatch.setattr(practising, "_run", agent)
    done = CliRunner().invoke(app, ["practice", "--from", str(true.counter.paths.root), "--root", str(root)])
    assert done.exit_code == 0, done.output
    assert str(seen["receipt"]).startswith(SITE)
    assert (seen["bar"], seen["mail"]) == (True, [])
    assert list(root.iterdir()) == []
    assert files(true.counter.paths.root) == before


def test_the_service_of_a_practice_ends_with_whoever_began_it(tmp_path: Path, true: Village) -> None:
    root = tmp_path / "own" / "practice"
    begun = """
import sys, time
from pathlib import Path
from provisioning import practising
practising._run = lambda *a: (print("serving", flush=True), time.sleep(600))[0] or 0
practising._practise(Path(sys.argv[1]), Path(sys.argv[2]), [])
"""
    asked = [sys.executable, "-c", begun, str(true.counter.paths.root), str(root)]
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    assert process.stdout.readline() == b"serving\n"
    socket = NodePaths(root).counter_socket
    assert socket.exists()
    process.kill()  # no word, no clearing
    process.wait()
    process.stdout.close()
    until = time.monotonic() + LIMIT_S
    while socket.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    # The key is gone with it: what is left opens with none, and the next beginning clears it.
    with practising.only_one(NodePaths(root)):
        practising.practice_store.clear(NodePaths(root))
    assert list(root.iterdir()) == []
