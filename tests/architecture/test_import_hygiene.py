"""What a program really loads when it starts, seen in a process of its own: the run-time proof behind the contracts.

A contract reads source; a plugin, a lazy import or a library may still bring something in. Whoever takes over the
network-facing process must find in it no code that opens the desk.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).parents[2]
DESK = ["offline_store.desk", "sqlmodel", "sqlalchemy", "sqlcipher3"]
PROGRAMS = ["edge_node", "sync_agent", "tui", "provisioning", "city_gateway"]
LOOK = (
    "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint('\\n'.join(sys.modules))\n"
)

FORBIDDEN = {
    "sync_agent": [*DESK, "fastapi", "starlette", "textual"],
    "tui": ["offline_store", "sqlmodel", "sqlalchemy", "sqlcipher3", "fastapi", "starlette"],
    "edge_node": ["httpx", "tenacity", "textual"],
    "city_gateway": ["offline_store", "httpx", "tenacity", "textual"],
    "provisioning": ["textual", "fastapi", "starlette"],
}


def loaded_by(*names: str) -> set[str]:
    """What a fresh interpreter holds after importing these modules."""
    done = subprocess.run([sys.executable, "-c", LOOK, *names], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def intruders(loaded: set[str], forbidden: list[str]) -> list[str]:
    """Loaded modules that are one of `forbidden` or lie below one."""
    return sorted(name for name in loaded if any(name == room or name.startswith(f"{room}.") for room in forbidden))


def every_module_of(program: str) -> list[str]:
    """All modules of a program, so that no lazy import hides; importing one must have no effect."""
    found = importlib.util.find_spec(program)
    assert found is not None
    assert found.submodule_search_locations is not None
    below = pkgutil.walk_packages(found.submodule_search_locations, f"{program}.")
    return [program, *(one.name for one in below if ".migrations" not in one.name)]


def test_the_couriers_loop_loads_no_code_that_opens_the_desk() -> None:
    loaded = loaded_by("sync_agent.loop")
    assert "offline_store.mailbox.outgoing" in loaded
    assert intruders(loaded, DESK) == []


@pytest.mark.parametrize("program", FORBIDDEN)
def test_no_module_of_a_program_brings_in_what_it_must_not_have(program: str) -> None:
    loaded = loaded_by(*every_module_of(program))
    others = [name for name in PROGRAMS if name != program]
    assert intruders(loaded, FORBIDDEN[program]) == []
    assert intruders(loaded, others) == []


def test_a_courier_that_did_load_the_desk_would_be_seen() -> None:
    loaded = loaded_by("sync_agent.loop", "offline_store.desk.database")
    assert {"offline_store.desk", "sqlmodel", "sqlalchemy", "sqlcipher3"} <= set(intruders(loaded, DESK))


def test_a_node_loads_the_library_of_workbooks_only_when_one_is_made() -> None:
    assert intruders(loaded_by("edge_node.app"), ["openpyxl", "et_xmlfile"]) == []
    assert "openpyxl" in loaded_by("edge_node.printing.workbook")
