"""A notice that shuts windows goes to the nodes only with a decision about limits; the manual's example goes out."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casework.notices import Effect, Notices
from city_gateway.catalog.commands import app
from city_gateway.catalog.errors import SourceRefused
from city_gateway.catalog.source import check_source, read_source
from city_gateway.catalog.wording import error_lines
from city_gateway.folder import GatewayFolder
from city_gateway.keys import make_keys
from tests.city_gateway.catalog_world import PASSPHRASE, SEED, CatalogWorld
from tests.edge_node.notices import SHIFT, notice

pytestmark = pytest.mark.node

MANUAL = Path(__file__).parents[2] / "docs" / "manual" / "administrator.md"
SHUT = {"code": "WINDOW_SUSPENDED", "summary": "暂停现场窗口"}


def source_with(folder: Path, *notices: dict[str, Any]) -> Path:
    shutil.copytree(SEED, folder)
    plain = json.loads((folder / "notices.json").read_text("utf-8"))
    plain["notices"] += notices
    (folder / "notices.json").write_text(json.dumps(plain, ensure_ascii=False), "utf-8")
    return folder


def codes(folder: Path) -> set[str]:
    with pytest.raises(SourceRefused) as refused:
        check_source(read_source(folder))
    assert all("notices.json N-2026-01" in line for line in error_lines(refused.value)[1:])
    return {problem.code for problem in refused.value.problems}


def policy(**params: Any) -> dict[str, Any]:
    return notice(measures=[SHUT, {"code": "DEADLINE_POLICY", "params": params}])


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (notice(measures=[SHUT]), "catalog.notice_without_policy"),
        (policy(), "catalog.notice_effect_unknown"),
        (policy(effect="later"), "catalog.notice_effect_unknown"),
        (policy(effect="shift"), "catalog.notice_shift_incomplete"),
        (policy(effect="shift", clocks=["notice"], units=[]), "catalog.notice_shift_incomplete"),
        (policy(effect="shift", clocks=["both"], units=["working_day"]), "catalog.notice_shift_incomplete"),
        (notice(status="urgent"), "catalog.notice_status_unknown"),
        (notice(effective_from=None), "catalog.does_not_load"),
        (notice(effective_to="2026-11-01"), "catalog.does_not_load"),
        (notice(supersedes="N-NONE"), "catalog.reference_unknown"),
        (
            notice(measures=[{"code": "MASK_REQUIRED", "from": "2026-12-01", "to": "2026-11-30"}]),
            "catalog.notice_days",
        ),
    ],
)
def test_half_a_notice_is_refused_with_its_place(tmp_path: Path, broken: dict, code: str) -> None:
    assert codes(source_with(tmp_path / "source", broken)) == {code}


@pytest.mark.parametrize("params", [SHIFT, {"effect": "no_shift"}, {"effect": "unknown"}])
def test_a_decision_about_limits_is_enough_also_that_there_is_none(tmp_path: Path, params: dict) -> None:
    check_source(read_source(source_with(tmp_path / "source", policy(**params))))


def test_a_historical_notice_may_lack_what_it_lacked(tmp_path: Path) -> None:
    check_source(read_source(SEED))
    check_source(read_source(source_with(tmp_path / "source", notice(measures=[SHUT], status="historical"))))


def test_the_example_of_the_manual_is_published_by_the_command_and_shifts(tmp_path: Path) -> None:
    example = json.loads(re.findall(r"```json\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)[0])
    folder, keys = tmp_path / "gateway", tmp_path / "keys"
    make_keys(GatewayFolder(folder).keys, os.urandom)
    where = ["--folder", str(folder), "--keys", str(keys), "--passphrase-stdin"]
    assert CliRunner().invoke(app, ["init", *where], input=f"{PASSPHRASE}\n").exit_code == 0

    undecided = {**example, "measures": [one for one in example["measures"] if one["code"] != "DEADLINE_POLICY"]}
    refused = source_with(tmp_path / "undecided", undecided)
    said = CliRunner().invoke(app, ["publish", *where, "--source", str(refused)], input=f"{PASSPHRASE}\n")
    assert said.exit_code == 1
    assert "公告暂停现场窗口，却没有写时限怎么算" in said.output.replace("\n", "")

    whole = source_with(tmp_path / "whole", example)
    said = CliRunner().invoke(app, ["publish", *where, "--source", str(whole)], input=f"{PASSPHRASE}\n")
    assert (said.exit_code, said.output) == (0, "已发布目录第 1 版。\n")
    plain = json.loads((whole / "notices.json").read_text("utf-8"))
    held = Notices.from_plain(plain).for_item("GA-YB-001", "511603106205")
    assert [(one.notice.notice_id, one.effect) for one in held] == [("N-2026-01", Effect.SHIFT)]


def test_a_refused_notice_leaves_the_release_that_is_out(tmp_path: Path) -> None:
    world = CatalogWorld.published(tmp_path)
    with pytest.raises(SourceRefused):
        world.publish(source_with(tmp_path / "source", notice(measures=[SHUT])))
    assert world.repository.published().content_version == 1
