"""What keeps the resident courier small, each way side by side: the real program at rest, and the same program carrying
again what was taken out of it, or run otherwise.

    python -m benchmarks.courier_memory [--json FILE]
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figures import Report, command_line
from benchmarks.processes import _heard, _memory, _until
from offline_store.paths import NodePaths
from provisioning.demo import AGENT as DEMO_AGENT
from provisioning.demo import VILLAGE as DEMO_VILLAGE
from provisioning.demo_world import DemoWorld, Program

SETTLING_S: Final = 4.0
CARRYING: Final[Mapping[str, tuple[str, str]]] = {
    "as shipped": ("-", "-"),
    "with httpx's command line (click, rich, pygments)": ("httpx._main", "-"),
    "with pydantic-settings": ("pydantic_settings", "-"),
    "with typer": ("typer", "-"),
    "with python-tuf in the resident process": ("tuf.ngclient,tuf.api.metadata,sync_agent.catalog_fetch", "-"),
    "with certifi's bundle in memory": ("benchmarks.certifi_in_memory", "-"),
    "with all of these": (
        "httpx._main,pydantic_settings,typer,tuf.ngclient,sync_agent.catalog_fetch,benchmarks.certifi_in_memory",
        "-",
    ),
    "with gc.freeze after the imports": ("sync_agent.running", "freeze"),
}
RUN_OTHERWISE: Final[Mapping[str, Mapping[str, str]]] = {
    "without PYTHONNODEBUGRANGES": {"PYTHONNODEBUGRANGES": ""},
    "with MALLOC_ARENA_MAX=1": {"MALLOC_ARENA_MAX": "1"},
    "with MALLOC_TRIM_THRESHOLD_=65536": {"MALLOC_TRIM_THRESHOLD_": "65536"},
    "with python -OO": {"PYTHONOPTIMIZE": "2"},
}


def main() -> None:
    """Measure, print, write."""
    asked = command_line(__doc__).parse_args()
    report = Report("courier_memory")
    with (
        tempfile.TemporaryDirectory(prefix="guangan-courier-") as folder,
        DemoWorld(Path(folder), postgres=False, automatic_rulings=False) as world,
    ):
        world.found_city()
        node = world.found_node("village", "village", *DEMO_VILLAGE, DEMO_AGENT)
        node.agent.stop()
        shipped = dict(node.agent.environment)
        for name, carried in CARRYING.items():
            agent = Program(
                "courier", ("benchmarks.courier_carrying", *carried, *_root(node.paths)), shipped, _log(folder)
            )
            report.add(f"courier {name}", _resident(agent, node.paths), "MiB")
        for name, more in RUN_OTHERWISE.items():
            environment = {key: value for key, value in (shipped | more).items() if value}
            agent = Program("courier", ("sync_agent", "run", *_root(node.paths)), environment, _log(folder))
            report.add(f"courier {name}", _resident(agent, node.paths), "MiB")
    report.write(asked.json)


def _resident(agent: Program, paths: NodePaths) -> float:
    _until(agent, partial(_heard, paths, datetime.now(UTC)))
    time.sleep(SETTLING_S)
    try:
        return _memory(agent.process.pid)[0] if agent.process is not None else 0.0
    finally:
        agent.stop()


def _root(paths: NodePaths) -> tuple[str, str]:
    return "--root", str(paths.root)


def _log(folder: str) -> Path:
    return Path(folder) / "courier.log"


if __name__ == "__main__":
    main()
