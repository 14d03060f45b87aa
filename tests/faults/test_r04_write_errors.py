"""R04: a disk that refuses a flush or a write is never answered with "saved", and the program ends to look again.

The n-th fsync, fdatasync or pwrite of a flow fails with EIO: every day at a spread of them, in the full run at each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge_node.test_the_program import ended, folder, start, wait_for
from tests.faults.apart import LIMIT_S, ROOT, outcome_of
from tests.faults.tally import record

__all__ = ["folder"]

pytestmark = pytest.mark.fault

REFUSING = ("--error", "EIO", "--calls", "fsync,fdatasync,pwrite64")
FLUSHES = "fsync,fdatasync"
FLOWS = ["save", "scans", "collect", "receipt", "purge", "rekey"]
EVERYDAY = {"save": 2, "scans": 9, "collect": 13, "receipt": 13, "purge": 11, "rekey": 31}


def judge(flow: str, scratch: Path, step: int) -> None:
    outcome = outcome_of("strike", f"{flow}, refused", scratch / "s", *REFUSING, "--step", step)
    record("R04", f"EIO in {flow}", outcome["struck"], len(outcome["broken"]), 0)
    assert outcome["broken"] == []
    assert outcome["exhausted"]
    assert outcome["struck"] >= 2


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flow", EVERYDAY)
def test_an_error_of_the_disk_is_never_told_as_saved(flow: str, tmp_path: Path) -> None:
    judge(flow, tmp_path, EVERYDAY[flow])


@pytest.mark.full
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("flow", FLOWS)
def test_an_error_at_each_flush_and_write_is_never_told_as_saved(flow: str, tmp_path: Path) -> None:
    judge(flow, tmp_path, 1)


@pytest.mark.timeout(600)
def test_a_flow_that_tells_saved_before_the_flush_is_found_out(tmp_path: Path) -> None:
    outcome = outcome_of("strike", "collect told early, refused", tmp_path / "s", *REFUSING, "--step", 13)
    record("R04", "control: told before it is saved", outcome["struck"], len(outcome["broken"]), 0)
    assert any("saved, not there" in one for one in outcome["broken"])


@pytest.mark.timeout(180)
# The client library leaves a socket that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_the_program_ends_when_the_disk_refuses_and_a_new_start_looks_at_the_desk_again(folder: Path) -> None:
    """The real program: from now on no flush succeeds; it says so and ends, and started again it is sound."""
    process = start(folder)
    wait_for(folder / "n" / "run" / "counter.sock")
    inject = ["-e", f"trace={FLUSHES}", "-e", f"inject={FLUSHES}:error=EIO"]
    strace = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", os.devnull, *inject, "-p", str(process.pid)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    code, said = _asked_until_it_ends(folder, process)
    strace.communicate(timeout=30)
    record("R04", "the program ends", 1, 0, 0)
    assert code == 3
    assert "write_failed" in said
    assert "Traceback" not in said
    again = subprocess.run(
        [sys.executable, "-c", SOUND.format(folder=str(folder / "n"))], cwd=ROOT, capture_output=True, text=True
    )
    assert json.loads(again.stdout.splitlines()[-1]) == [], again.stderr


SOUND = """
import json
from pathlib import Path
from tests.edge_node.village import Village
from tests.faults.village_flows import unsound, turned
print(json.dumps(unsound(turned(Village.at(Path({folder!r}))))))
"""


def _asked_until_it_ends(folder: Path, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Sign in again and again: each try has to be written down."""
    import httpx

    transport = httpx.HTTPTransport(uds=str(folder / "n" / "run" / "counter.sock"))
    with httpx.Client(transport=transport, base_url="http://counter", timeout=60) as client:
        for _ in range(50):
            if process.poll() is not None:
                break
            try:
                answer = client.post(
                    "/counter/sign-in", json={"clerk": "dby01", "passphrase": "an invented passphrase"}
                )
            except httpx.HTTPError:
                break
            if answer.status_code == 500:
                break
    return ended(process)
