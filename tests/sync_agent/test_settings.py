"""Settings come from node.toml and the environment; what cannot be meant is named and costs no volume meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.mailbox.line import LineState
from offline_store.node_toml import BadSetting
from offline_store.paths import NodePaths
from sync_agent import commands
from sync_agent.commands import app
from sync_agent.quiet_hours import quiet_until, read_quiet_hours
from sync_agent.running import settings_of
from sync_agent.settings import RULES, AgentSettings, read_settings

pytestmark = pytest.mark.node


def written(folder: Path, text: str) -> Path:
    path = folder / "node.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "node.toml", {}) == AgentSettings()


def test_the_file_is_read_and_the_environment_comes_before_it(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'retention_days = 9\n[agent]\nquiet_hours = ["08:00-18:00"]\nscan_mib_per_day = 50\noperations_only = false\n',
    )
    found = read_settings(path, {"GUANGAN_AGENT_SCAN_MIB_PER_DAY": "7", "GUANGAN_AGENT_QUIET_HOURS": ""})
    assert (found.quiet_hours, found.scan_mib_per_day, found.operations_only) == (((480, 1080),), 7, False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[agent]\nquiet_hours = ["8-18"]', "quiet_hours"),
        ('[agent]\nquiet_hours = ["00:00-24:00"]', "quiet_hours"),
        ('[agent]\nquiet_hours = ["00:00-12:00", "11:00-00:00"]', "quiet_hours"),
        ("[agent]\nquiet_hours = 8", "quiet_hours"),
        ("[agent]\nscan_mib_per_day = 0", "scan_mib_per_day"),
        ("[agent]\nscan_mib_per_day = 1.5", "scan_mib_per_day"),
        ("[agent]\nscan_mib_per_day = true", "scan_mib_per_day"),
        ('[agent]\noperations_only = "vielleicht"', "operations_only"),
        ("[agent]\nhold_s = 4000", "hold_s"),
        ('[agent]\ngateway_url = "ftp://x"', "gateway_url"),
        ("[agent]\nscan_per_day = 5", "scan_per_day"),
        ("agent = 1", "agent"),
        ("[agent\n", "node.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name_and_holds_the_scans(tmp_path: Path, text: str, name: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadSetting) as refused:
        read_settings(path, {})
    assert refused.value.name == name
    assert refused.value.allowed
    cautious = settings_of(NodePaths(tmp_path))
    assert cautious.operations_only
    assert name in (cautious.problem or "")


def test_every_setting_has_a_rule() -> None:
    assert set(RULES) == set(AgentSettings.__dataclass_fields__) - {"problem"}


@pytest.mark.parametrize("text", ["22:00-06:00", "22:00–06:00", "22:00至06:00", ["22:00-06:00"]])
def test_a_span_may_pass_midnight_and_be_written_as_people_write(text: object) -> None:
    spans = read_quiet_hours(text)
    assert spans == ((1320, 360),)
    assert quiet_until(datetime(2026, 11, 25, 15, 30, tzinfo=UTC), spans) == datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
    assert quiet_until(datetime(2026, 11, 25, 13, 59, tzinfo=UTC), spans) is None
    assert quiet_until(datetime(2026, 11, 25, 22, 0, tzinfo=UTC), spans) is None


def test_spans_that_touch_end_together() -> None:
    spans = read_quiet_hours("08:00-12:00, 12:00-14:00")
    assert quiet_until(datetime(2026, 11, 25, 1, 0, tzinfo=UTC), spans) == datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


# --- what a person sees -----------------------------------------------------------------------------------------------


def shown(paths: NodePaths, command: str = "status") -> str:
    return CliRunner().invoke(app, [command, "--root", str(paths.root)]).output


@pytest.mark.parametrize(
    ("because", "words"),
    [
        ("quiet_hours", "静默时段"),
        ("daily_cap", "今天的流量已用完"),
        ("operations_only", "只送办件记录"),
        ("bad_settings", "设置有误"),
    ],
)
def test_status_says_why_scans_wait_and_until_when(
    because: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = LineState(up=True, held_because=because, scans_held_until="2026-11-25T14:00:00+00:00", scans_damaged=2)
    commands._say_line(state)
    said = capsys.readouterr().out
    assert words in said
    assert ("22:00" in said) is (because in {"quiet_hours", "daily_cap"})
    assert "2 份附件损坏或丢失" in said


@pytest.mark.parametrize("command", ["settings", "status"])
def test_a_mistyped_folder_is_told_and_not_taken_for_a_node(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(app, [command, "--root", str(tmp_path / "nowhere")])
    assert result.exit_code == 2
    assert "这里没有节点" in result.output
    assert not (tmp_path / "nowhere").exists()


def test_the_settings_are_checked_with_a_sentence_that_names_what_is_wrong(tmp_path: Path) -> None:
    paths = NodePaths(tmp_path)
    paths.create()
    written(tmp_path, '[agent]\nquiet_hours = "08:00-18:00"\nscan_mib_per_day = 50\n')
    assert "08:00–18:00" in shown(paths, "settings")
    assert "50 MiB" in shown(paths, "settings")
    written(tmp_path, "[agent]\nscan_mib_per_day = -1\n")
    result = CliRunner().invoke(app, ["settings", "--root", str(paths.root)])
    assert result.exit_code == 2
    assert "设置“scan_mib_per_day”的值不对" in result.output
