"""Every import contract is kept, and each bites when a violation of it is planted in a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).parents[2]
ROOMS = ["casework", "wire", "offline_store", "edge_node", "sync_agent", "tui", "provisioning", "city_gateway"]


@dataclass(frozen=True)
class Violation:
    """One line planted in one module, and the contract that must catch it."""

    module: str
    line: str
    contract: str


VIOLATIONS = [
    Violation("edge_node/app.py", "import sync_agent.loop", "Rooms import downward only"),
    Violation("tui/app.py", "import edge_node.app", "Rooms import downward only"),
    Violation("casework/lifecycle.py", "import wire.envelope", "Rooms import downward only"),
    Violation("wire/envelope.py", "import offline_store.paths", "Rooms import downward only"),
    Violation("city_gateway/app.py", "import offline_store.paths", "The city and the screen never touch"),
    Violation("tui/app.py", "import offline_store.paths", "The city and the screen never touch"),
    Violation("sync_agent/loop.py", "import offline_store.desk.database", "The courier carries sealed bytes"),
    Violation("offline_store/vault/scans.py", "import sqlcipher3", "The courier carries sealed bytes"),
    Violation("offline_store/mailbox/outgoing.py", "import offline_store.desk.database", "The parts of the store"),
    Violation("offline_store/relay/bags.py", "import offline_store.mailbox.outgoing", "The parts of the store"),
    Violation("offline_store/relay/bags.py", "import sqlcipher3", "The courier carries sealed bytes"),
    Violation("offline_store/paths.py", "import offline_store.node_file", "The parts of the store"),
    Violation("casework/lifecycle.py", "import pydantic", "casework is pure"),
    Violation("provisioning/doctor.py", "import textual", "Textual only in the TUI"),
    Violation("edge_node/acts/collecting.py", "import fastapi", "FastAPI only at the two doors"),
    Violation("wire/envelope.py", "import sqlalchemy", "SQL only where things are kept"),
    Violation("edge_node/acts/collecting.py", "import sqlmodel", "Node programs reach SQL only through the store"),
    Violation("edge_node/acts/collecting.py", "import edge_node.routes", "Inside a door"),
    Violation("edge_node/faults.py", "import edge_node.app", "Inside a door"),
    Violation("city_gateway/scan_store/store.py", "import city_gateway.acts.gateway", "Inside a door"),
    Violation("casework/lifecycle.py", "import httpx", "State machines do no I/O"),
    Violation("sync_agent/rhythm.py", "import tenacity", "State machines do no I/O"),
    Violation("wire/exchange/node.py", "import httpx", "State machines do no I/O"),
    Violation("edge_node/app.py", "import httpx", "HTTP clients only where one program calls another"),
    Violation("city_gateway/acts/uploads.py", "import obstore", "The client of the scan store only in its room"),
    Violation("casework/application.py", "import casework.lifecycle", "No cycles anywhere"),
]


def contracts_broken_in(tree: Path) -> str:
    """Run the linter in `tree` and give back the lines of its report that say BROKEN."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin"},
    )
    return "\n".join(line for line in result.stdout.splitlines() if "BROKEN" in line) or (
        "" if result.returncode == 0 else result.stdout + result.stderr
    )


@pytest.fixture(scope="module")
def copied_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(PROJECT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "static"))
    shutil.copy(PROJECT / "pyproject.toml", tree)
    return tree


def test_every_contract_is_kept(copied_tree: Path) -> None:
    assert contracts_broken_in(copied_tree) == ""


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda v: f"{v.module}: {v.line}")
def test_a_planted_violation_is_caught(copied_tree: Path, violation: Violation) -> None:
    module = copied_tree / violation.module
    sound = module.read_text()
    try:
        module.write_text(f"{sound}\n{violation.line}\n")
        assert violation.contract in contracts_broken_in(copied_tree)
    finally:
        module.write_text(sound)
