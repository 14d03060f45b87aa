"""A village's machine dies with applications that no line ever took and with a draft; its disk goes to the city.

Only files are left of the node. Nothing that its screen had called saved may be missing afterwards, nothing may count
twice, and the disk itself is not touched.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.demo_world import PROJECT
from tests.journeys.at_the_counter import Town, type_application

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ITEM = "GA-YB-004"
PASSPHRASE = "an invented passphrase"
APPLICANT = "张测试"


def tree(folder: Path) -> dict[str, str]:
    """Every file and what is in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def dead(place: Town) -> Path:
    """The power fails under both programs; what is left is the disk, taken out, without the last posted envelope."""
    place.power_fails(place.village)
    place.village.agent.kill()
    disk = place.world.folder / "disk"
    shutil.copytree(place.village.paths.root, disk, ignore=shutil.ignore_patterns("*.sock"))
    shutil.rmtree(place.village.paths.root)
    envelopes = sorted((disk / "mailbox" / "outgoing" / "envelopes").glob("*.env"))
    envelopes[-1].unlink()  # the power failed between the commit and the laying out
    return disk


def run(*words: str | Path, said: str = PASSPHRASE, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=PROJECT,
        input=f"{said}\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_all_that_was_saved_comes_home_once_and_the_drafts_can_be_typed_again(place: Town) -> None:
    hands, rng = place.at(place.village), random.Random(31)
    place.village.line.cut()
    typed = [type_application(hands, place.village, ITEM, rng) for _ in range(2)]
    saved = [hands.collect(one.draft_id).application_id for one in typed]
    draft = type_application(hands, place.village, ITEM, rng, typed={"applicant_name": APPLICANT})
    disk = dead(place)
    before = tree(disk)
    at, key, out = place.world.gateway_folder, place.world.folder / "disk.recovery", place.world.folder / "rescued"
    opened = place.world.folder / "drafts"

    without_key = run("provisioning", "rescue", "--disk", disk, "--to", out)
    assert "没有救援密钥" in without_key
    shutil.rmtree(out)
    by = ("--by", "值班员", "--reason", "主板损坏")
    run("city_gateway", "keys", "rescue", "--folder", at, "--disk", disk, "--to", key, *by)
    assert "值班员 主板损坏" in run("city_gateway", "keys", "rescues", "--folder", at)
    wrong = ("provisioning", "rescue", "--disk", disk, "--to", out, "--recovery-key", key, "--passphrase-stdin")
    assert "口令不对" in run(*wrong, said="another passphrase", status=1)
    report = run(*wrong, "--drafts", opened)
    assert "登记链从头到尾核对无误" in report
    assert "其中 1 条断电前还没放进发件箱" in report
    assert "草稿 1 份" in report
    assert APPLICANT not in report

    ledger = place.world.ledger_arguments
    run("city_gateway", "courier", "in", *ledger, "--from", out)
    run("city_gateway", "courier", "in", *ledger, "--from", out)
    assert sorted(one["application_id"] for one in place.cases()) == sorted(saved)
    assert {scan for one in typed for scan in one.scans} <= place.stored_scans()
    for application_id in saved:
        place.until_shown(place.township, application_id, "submitted")

    (text,) = opened.glob("*/draft.txt")
    told = text.read_text("utf-8")
    assert APPLICANT in told
    assert draft.values["applicant_id_no"] in told
    assert "证件类型：居民身份证" in told, "a choice is told by its label"
    assert "original_seen" not in told
    pictures = [path for path in text.parent.iterdir() if path.suffix == ".webp"]
    assert len(pictures) == len(draft.scans)
    assert all(path.read_bytes().startswith(b"RIFF") for path in pictures)
    assert (opened.stat().st_mode & 0o077, text.stat().st_mode & 0o077) == (0, 0)
    assert tree(disk) == before
    assert [path.name for path in out.iterdir()] == ["guangan-mail"]


def test_the_disk_in_another_machine_goes_on_as_the_same_node(place: Town) -> None:
    """The machine key died with the machine: the city's recovery key puts a new one, and nothing is typed again."""
    hands, rng = place.at(place.village), random.Random(32)
    place.village.line.cut()
    saved = hands.collect(type_application(hands, place.village, ITEM, rng).draft_id).application_id
    draft = type_application(hands, place.village, ITEM, rng)
    disk = dead(place)
    shutil.move(disk, place.village.paths.root)
    named = place.world.folder / "machine-keys" / "village.key"
    named.write_bytes(bytes(32))  # what the other machine had: it opens nothing here
    root, key = place.village.paths.root, place.world.folder / "disk.recovery"
    by = ("--by", "值班员", "--reason", "换机")
    folder = place.world.gateway_folder
    run("city_gateway", "keys", "rescue", "--folder", folder, "--disk", root, "--to", key, *by)
    renewed = place.world.command(
        "provisioning", "machine-key", "renew", "--root", str(root), "--recovery-key", str(key), "--passphrase-stdin",
        said=PASSPHRASE, more={"GUANGAN_MACHINE_KEY_FILE": str(named)},
    )  # fmt: skip
    assert "已换上新的本机密钥" in renewed
    place.power_is_back(place.village)
    place.line_is_back(place.village)
    assert place.at(place.village).drafts() == [draft.draft_id]
    place.until_drained(place.village)
    assert [one["application_id"] for one in place.cases()] == [saved]
