"""The units that install.sh lays: hardened, each with exactly the keys and folders it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.node

UNITS = Path(__file__).parents[2] / "provisioning" / "units"
WORST_EXPOSURE = 2.0


def laid(tmp_path: Path, name: str, page: str = "") -> Path:
    text = (UNITS / f"{name}.service").read_text("utf-8")
    text = text.replace("@PROGRAM@", "/opt/guangan-node/current").replace("@STATE@", "/var/lib/guangan-node")
    path = tmp_path / f"{name}.service"
    path.write_text(text.replace("@PAGE@", page), "utf-8")
    return path


@pytest.mark.parametrize("name", ["edge-node", "sync-agent"])
def test_a_unit_scores_at_most_two(tmp_path: Path, name: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(laid(tmp_path, name))],
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    line = next(line for line in said.stdout.splitlines() if "Overall exposure level" in line)
    assert float(line.partition(f"{name}.service:")[2].split()[0]) <= WORST_EXPOSURE


@pytest.mark.parametrize("name", ["edge-node", "sync-agent"])
def test_systemd_knows_every_setting_of_a_unit(tmp_path: Path, name: str) -> None:
    said = subprocess.run(["systemd-analyze", "verify", str(laid(tmp_path, name))], capture_output=True, text=True)
    assert "Unknown" not in said.stderr
    assert "Failed to parse" not in said.stderr


def test_only_the_counter_service_is_given_the_key_of_the_desk() -> None:
    assert "LoadCredentialEncrypted=desk-key:" in (UNITS / "edge-node.service").read_text("utf-8")
    courier = (UNITS / "sync-agent.service").read_text("utf-8")
    assert "LoadCredential" not in courier
    assert "InaccessiblePaths=-@STATE@/desk" in courier


def test_a_staged_image_holds_program_environment_and_units(tmp_path: Path) -> None:
    """`--stage` needs no root and no systemd; the environment is replaced by a ready one to keep the test short."""
    script = (UNITS / "install-node").read_text("utf-8")
    assert "make_environment" in script
    stage = tmp_path / "image"
    quick = f"""
set -euo pipefail
. {UNITS.parents[1] / "install.sh"}
make_environment() {{ mkdir -p "$1/bin"; ln -s /bin/true "$1/bin/python"; }}
link_project() {{ :; }}
compile_wording() {{ :; }}
export -f make_environment link_project compile_wording
"""
    body = script.replace('. "$SOURCE/install.sh"', quick).replace(
        'SOURCE="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"', f'SOURCE="{UNITS.parents[1]}"'
    )
    said = subprocess.run(
        ["bash", "-c", body, "install-node", "install", "--stage", str(stage)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    program = stage / "opt" / "guangan-node" / "current"
    assert (program / "edge_node").is_dir()
    assert not (program / "city_gateway").exists()
    assert (program / "complete").exists()
    for name in ("edge-node", "sync-agent"):
        text = (stage / "etc" / "systemd" / "system" / f"{name}.service").read_text("utf-8")
        assert "@" not in text.replace("@system-service", "").replace("@privileged", "").replace("@resources", "")
