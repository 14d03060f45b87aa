"""Whatever command meets a ledger or a folder it cannot use says why in one sentence, and ends with 1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from city_gateway.__main__ import app
from city_gateway.folder import GatewayFolder
from city_gateway.keys import make_keys
from city_gateway.ledger.database import open_ledger
from city_gateway.wording import words
from tests.city_gateway.gateway_fixtures import NOON

pytestmark = pytest.mark.node

COMMANDS = [
    ("ledger", "waiting"),
    ("ledger", "dump"),
    ("ledger", "decide", "--folder", "F", "a1"),
    ("ledger", "void", "--folder", "F", "--by", "gl01", "a1"),
    ("node-code", "--folder", "F", "--site", "511603106205", "--role", "village", "--name", "N"),
    ("courier", "in", "--folder", "F", "--from", "F"),
    ("courier", "out", "--folder", "F", "--to", "F", "--all"),
    ("clerk-recovery", "list", "--folder", "F"),
    ("audit", "verify", "--folder", "F"),
    ("figures", "--folder", "F"),
    ("backup", "status"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(command[:2]))
def test_a_newer_ledger_is_told_in_a_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    url, folder = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "city"
    make_keys(GatewayFolder(folder).keys, os.urandom)
    ledger = open_ledger(url, now=NOON, randomness=os.urandom)
    with ledger.transaction() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    ledger.close()
    told = CliRunner().invoke(app, [*(str(folder) if one == "F" else one for one in command), "--database", url])
    assert isinstance(told.exception, SystemExit), told.exception
    assert (told.exit_code, told.stderr.strip()) == (1, words("error.ledger.too_new"))


def test_a_folder_without_keys_publishes_nothing_and_says_what_to_run(tmp_path: Path) -> None:
    asked = ["catalog", "publish", "--folder", str(tmp_path), "--keys", str(tmp_path), "--passphrase-stdin"]
    told = CliRunner().invoke(app, asked, input="\n")
    assert isinstance(told.exception, SystemExit), told.exception
    assert (told.exit_code, told.stderr.strip()) == (1, words("error.keys.missing"))
    assert not (tmp_path / "catalog").exists()
