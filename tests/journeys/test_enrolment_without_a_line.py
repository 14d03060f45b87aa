"""A machine that never sees a line becomes a node and gets its catalog, by the commands that people type."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from provisioning.demo_world import PROJECT
from provisioning.errors import ProgramDied
from tests.journeys.at_the_counter import Town

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

SITE, NAME = "511603106206", "没有网络的村"


def installs(root: Path, stick: Path, code: str) -> tuple[int, str]:
    """What `install.sh node --stick` runs on the bare machine; it is told no gateway's address."""
    command = [sys.executable, "-m", "provisioning", "enrol", "--root", str(root), "--role", "village"]
    machine_key = root.parent / "machine.key"
    if not machine_key.exists():
        machine_key.write_bytes(os.urandom(32))
    done = subprocess.run(
        [*command, "--code-stdin", "--stick", str(stick)],
        cwd=PROJECT,
        env={**os.environ, MACHINE_KEY_FILE: str(machine_key)},
        input=f"{code}\n".encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_request_answer_and_catalog_travel_by_stick(place: Town, tmp_path: Path) -> None:
    stick, root = tmp_path / "stick", tmp_path / "machine" / "node"
    stick.mkdir()
    root.parent.mkdir()
    city, ledger = place.world.command, place.world.ledger_arguments
    with pytest.raises(ProgramDied):
        city("city_gateway", "node-answer", *ledger, "--public-url", place.world.gateway_url, "--stick", str(stick))
    code = city(
        "city_gateway", "node-code", *ledger, "--site", SITE, "--role", "village", "--name", NAME, "--stick", str(stick)
    ).strip()
    status, said = installs(root, stick, code)
    assert (status, "送到市级" in said) == (3, True), said
    assert not NodePaths(root).enrolment.exists()
    told = city("city_gateway", "node-answer", *ledger, "--public-url", place.world.gateway_url, "--stick", str(stick))
    assert NAME in told
    status, said = installs(root, stick, code)
    assert (status, NAME in said) == (0, True), said
    node = read_node_file(NodePaths(root).enrolment)
    assert (node.site, node.gateway_url) == (SITE, place.world.gateway_url)
    place.world.command("sync_agent", "courier", "out", "--root", str(root), "--to", str(stick))
    city("city_gateway", "courier", "in", *ledger, "--from", str(stick))
    city("city_gateway", "courier", "out", *ledger, "--to", str(stick), "--node", node.node_id)
    place.world.command("sync_agent", "courier", "in", "--root", str(root), "--from", str(stick))
    assert (NodePaths(root).incoming / "catalog" / "arrived.json").exists()
