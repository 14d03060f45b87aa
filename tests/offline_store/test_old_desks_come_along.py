"""Migrations: a copy first, all or nothing; the golden desk of every release opens with everything in it."""

import shutil
from pathlib import Path

import pytest

from casework.states import State
from offline_store.desk import (
    applications,
    catalog,
    clerks,
    drafts,
    feed,
    journal,
    keys,
    rechaining,
    scans,
    state,
    upgrading,
)
from offline_store.desk.database import open_desk
from offline_store.errors import DeskError
from tests.offline_store.desk_fixtures import KEY, new_desk
from tests.offline_store.golden import make_golden

pytestmark = pytest.mark.node

GOLDEN = Path(__file__).parent / "golden"
NOW = upgrading.RELEASES[-1]
NEXT_STEP = """
from alembic import op
revision = "9999"
down_revision = "{before}"
def upgrade() -> None:
    op.execute("ALTER TABLE clerk ADD COLUMN phone VARCHAR")
    op.execute("UPDATE state SET value = '2' WHERE name = 'kept'")
    {then}
"""


@pytest.fixture
def old_desk(tmp_path: Path) -> Path:
    with new_desk(tmp_path) as desk, desk.transaction() as tx:
        state.put(tx, "kept", 1)
    return tmp_path / "desk" / "desk.db"


def next_release(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = "") -> None:
    shutil.copytree(upgrading.MIGRATIONS, folder)
    (folder / "versions" / "form_9999.py").write_text(NEXT_STEP.format(then=then, before=NOW))
    monkeypatch.setattr(upgrading, "MIGRATIONS", folder)
    monkeypatch.setattr(upgrading, "RELEASES", (*upgrading.RELEASES, "9999"))


def value_in(path: Path) -> int:
    connection = upgrading.unlocked(path, KEY)
    try:
        return int(connection.execute("SELECT value FROM state WHERE name = 'kept'").fetchone()[0])
    finally:
        connection.close()


def test_an_old_desk_is_copied_aside_and_brought_up(old_desk: Path, tmp_path: Path, monkeypatch) -> None:
    next_release(tmp_path / "migrations", monkeypatch)
    with open_desk(old_desk, KEY) as desk, desk.reading() as tx:
        assert state.get(tx, "kept") == 2
    assert upgrading.form_of(old_desk, KEY) == "9999"
    before = upgrading.copy_before(old_desk, NOW)
    assert (upgrading.form_of(before, KEY), value_in(before)) == (NOW, 1)
    assert before.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in old_desk.parent.iterdir()) == ["desk.db", before.name]


def test_a_step_that_fails_leaves_the_old_desk_whole(old_desk: Path, tmp_path: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        next_release(tmp_path / "migrations", patch, then='op.execute("INSERT INTO nowhere VALUES (1)")')
        with pytest.raises(DeskError):
            open_desk(old_desk, KEY)
    assert (upgrading.form_of(old_desk, KEY), value_in(old_desk)) == (NOW, 1)
    with open_desk(old_desk, KEY) as desk:
        assert desk.check() == []


def test_without_room_for_the_copy_nothing_is_migrated(old_desk: Path, tmp_path: Path, monkeypatch) -> None:
    next_release(tmp_path / "migrations", monkeypatch)
    upgrading.copy_before(old_desk, NOW).mkdir()  # the copy cannot take its name
    with pytest.raises(OSError):
        open_desk(old_desk, KEY)
    assert (upgrading.form_of(old_desk, KEY), value_in(old_desk)) == (NOW, 1)


def test_every_release_left_its_golden_desk() -> None:
    assert {path.name for path in GOLDEN.glob("*.db")} == {f"desk-{release}.db" for release in upgrading.RELEASES}


@pytest.mark.parametrize("release", upgrading.RELEASES)
def test_a_golden_desk_opens_with_everything_in_it(release: str, tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    shutil.copy(GOLDEN / f"desk-{release}.db", path)
    with open_desk(path, make_golden.GOLDEN_KEY) as desk:
        assert desk.check() == []
        with desk.reading() as tx:
            known = applications.load(tx, make_golden.APPLICATION_ID)
            assert (known.shown.state, known.shown.applicant.name) == (State.COLLECTED, "张测试")
            assert applications.page(tx, text="测试").total == make_golden.APPLICATIONS
            assert len(journal.unposted(tx, 1000)) == make_golden.APPLICATIONS == journal.head(tx).seq
            assert drafts.load(tx, "d1").values["applicant_name"] == "李样例"
            assert scans.of_draft(tx, "d1")[0].content_key == b"k" * 32
            assert clerks.load(tx, "z01").name == "张测试"
            assert keys.load(tx).identity.to_bytes() == b"i" * 32
            assert catalog.item(tx, "A").name == "最低生活保障申请"
            assert [line.item_id for line in catalog.search(tx, "低保").rows] == ["A"]
            assert feed.cursor(tx) == 1
            filed = make_golden.APPLICATIONS if release >= "0002" else 0
            assert len(rechaining.archived(tx, make_golden.OLD_NODE)) == filed
        assert clerks.sign_in(desk, "z01", make_golden.PASSPHRASE, make_golden.AT).clerk_id == "z01"
