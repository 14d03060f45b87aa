"""The settings of a node: safe without a file, the environment before the file, nonsense refused by name."""

from pathlib import Path

import pytest

from edge_node.settings import NodeSettings, read_settings
from offline_store.node_toml import BadSetting

pytestmark = pytest.mark.fast


def written(folder: Path, text: str) -> Path:
    path = folder / "node.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "absent.toml", {}) == NodeSettings()


def test_the_environment_goes_before_the_file_and_tables_belong_to_others(tmp_path: Path) -> None:
    path = written(tmp_path, "retention_days = 60\nmail_poll_seconds = 1.5\n[agent]\nidle_s = 3\n")
    found = read_settings(path, {"GUANGAN_NODE_RETENTION_DAYS": "90"})
    assert (found.retention_days, found.mail_poll_seconds, found.rekey_days) == (90, 1.5, 7)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("retention_days = 0", "retention_days"),
        ("retention_days = 1.5", "retention_days"),
        ("retention_days = true", "retention_days"),
        ('disk_reserve_mib = "viel"', "disk_reserve_mib"),
        ("mail_poll_seconds = nan", "mail_poll_seconds"),
        ("rekey_days = [", "node.toml"),
        ("retention_day = 60", "retention_day"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(BadSetting) as refused:
        read_settings(written(tmp_path, text), {})
    assert refused.value.name == name
