"""The commands an administrator types: a whole round from the first backup to the restored gateway."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from city_gateway.__main__ import app
from city_gateway.app import now_utc
from city_gateway.backup.commands import on_one_disk
from tests.city_gateway.gateway_fixtures import City, city_in

pytestmark = pytest.mark.node

PASSPHRASE = "an invented passphrase\n"


class Administrator:
    """Types commands for one gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.backups = folder / "gateway", folder / "backups"
        self.database = f"sqlite:///{folder / 'ledger.db'}"

    def types(self, *words: str, said: str = "", status: int = 0) -> str:
        result: Result = CliRunner().invoke(app, [*words], input=said)
        assert result.exit_code == status, (result.output, result.exception)
        return result.output

    @property
    def at(self) -> list[str]:
        return ["--database", self.database, "--folder", str(self.folder)]


@pytest.fixture
def administrator(tmp_path: Path) -> Administrator:
    return Administrator(tmp_path)


async def a_day(administrator: Administrator) -> None:
    async with city_in(administrator.folder, administrator.database) as city:
        city.clock.now = now_utc()
        village = await city.enrol()
        scan = village.sealed_scan(b"a page")
        await village.upload(scan)
        await village.exchange(village.collect(scan)[1])


async def test_a_whole_round_from_the_first_backup_to_the_restored_gateway(administrator: Administrator) -> None:
    await a_day(administrator)
    to = ["--to", str(administrator.backups)]
    assert "还没有已验证的备份" in administrator.types("backup", "status", *administrator.at, status=2)
    nowhere = ["--to", str(administrator.folder.parent / "ledger.db" / "nowhere")]
    assert "磁盘挂上没有" in administrator.types("backup", "make", *administrator.at, *nowhere, status=1)
    made = administrator.types("backup", "make", *administrator.at, *to, "--keep", "3")
    assert "已试恢复并逐项核对" in made
    assert "keys export" in made, "nobody has exported the keys yet"
    assert "同一块盘" in made, "here both lie on one disk"
    assert not on_one_disk(administrator.folder, Path("/proc"))
    export = administrator.backups / "gateway.keys"
    administrator.types("keys", "export", "--folder", str(administrator.folder), "--to", str(export), said=PASSPHRASE)
    assert "keys export" not in administrator.types("backup", "make", *administrator.at, *to)
    assert "最近一份已验证备份" in administrator.types("backup", "status", *administrator.at)
    listed = administrator.types("backup", "list", "--folder", str(administrator.folder), *to)
    newest = max((administrator.backups / "generations").iterdir())
    assert newest.name in listed
    administrator.types("backup", "verify", *administrator.at, *to)
    refused = administrator.types("restore", *administrator.at, "--from", str(newest), status=1)
    assert "--replace" in refused
    new = administrator.folder.parent / "new"
    place = ["--folder", str(new), "--database", f"sqlite:///{new / 'ledger.db'}"]
    assert "口令不对" in administrator.types(
        "restore", *place, "--from", str(newest), "--keys", str(export), said="another passphrase\n", status=1
    )
    restored = administrator.types("restore", *place, "--from", str(newest), "--keys", str(export), said=PASSPHRASE)
    assert "节点下一次联系时自动补送" in restored
    status = administrator.types("backup", "status", *place)
    assert "新时间线" in status
    dumped = administrator.types("ledger", "dump", *place)
    assert dumped == administrator.types("ledger", "dump", *administrator.at)
    assert "新时间线" in administrator.types("restore", *place, "--in-place")
    administrator.types("restore", *place, status=2)


async def test_a_full_disk_is_told_in_a_sentence(administrator: Administrator, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_day(administrator)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("city_gateway.backup.making.seal_file", full)
    to = ["--to", str(administrator.backups)]
    assert "磁盘空间不够" in administrator.types("backup", "make", *administrator.at, *to, status=1)
    monkeypatch.undo()
    assert list((administrator.backups / "generations").iterdir()) == []
    administrator.types("backup", "make", *administrator.at, *to)
    assert list(administrator.backups.glob(".making-*")) == []


async def test_the_office_says_that_there_is_no_backup_or_how_old_it_is(city: City, tmp_path: Path) -> None:
    from city_gateway.acts.standing import FRESH_FOR, Backing, backing
    from city_gateway.ledger import backups
    from tests.city_gateway.backup_world import backed_up, workshop

    def standing() -> Backing:
        with city.gateway.ledger.reading() as tx:
            return backing(backups.newest(tx, city.clock()), backups.last_restore(tx), city.clock()).state

    assert standing() is Backing.NONE
    url = city.gateway.ledger._engine.url.render_as_string(hide_password=False)
    if url == "sqlite://":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
    backed_up(workshop(city, url, tmp_path / "backups"))
    assert standing() is Backing.FRESH
    city.clock.forward(seconds=FRESH_FOR.total_seconds() + 1)
    assert standing() is Backing.OLD
