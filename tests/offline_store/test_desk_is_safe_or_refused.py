"""The desk: settings read back, wrong keys, transactions, threads."""

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2
from sqlmodel import SQLModel

from offline_store.desk import connection, state, upgrading
from offline_store.desk.database import Desk, open_desk
from offline_store.errors import (
    BrokenRule,
    DeskDamaged,
    DeskExists,
    DeskFull,
    DeskMissing,
    NewerDesk,
    UnsafeDesk,
    WrongDeskKey,
)
from offline_store.paths import NodePaths
from tests.offline_store.desk_fixtures import KEY, new_desk

pytestmark = pytest.mark.node


def place_of(folder: Path) -> Path:
    return NodePaths(folder).desk_db


@pytest.mark.parametrize("writing", [True, False])
def test_every_setting_is_in_force(tmp_path: Path, writing: bool) -> None:
    new_desk(tmp_path).close()
    one = connection.connect(place_of(tmp_path), KEY, writing=writing)
    found = {name: one.execute(f"PRAGMA {name}").fetchone()[0] for name in connection.SETTINGS}
    assert found == connection.SETTINGS
    assert (found["synchronous"], found["foreign_keys"], found["journal_mode"]) == (2, 1, "wal")
    assert one.execute("PRAGMA query_only").fetchone()[0] == (0 if writing else 1)
    one.close()


@pytest.mark.parametrize(("setting", "value"), [("synchronous", 1), ("foreign_keys", 0), ("secure_delete", 0)])
def test_a_connection_that_was_made_unsafe_is_refused(tmp_path: Path, setting: str, value: int) -> None:
    with new_desk(tmp_path) as desk:
        raw = desk._writing.raw_connection()
        raw.driver_connection.execute(f"PRAGMA {setting} = {value}")
        raw.close()
        with pytest.raises(UnsafeDesk) as refused, desk.transaction():
            pass
        assert (refused.value.setting, refused.value.found) == (setting, str(value))


def test_a_setting_that_did_not_take_is_refused_at_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_desk(tmp_path).close()
    monkeypatch.setitem(connection.SETTINGS, "synchronous", 7)
    with pytest.raises(UnsafeDesk) as refused:
        open_desk(place_of(tmp_path), KEY)
    assert refused.value.setting == "synchronous"


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_desk(tmp_path).close()
    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(UnsafeDesk) as refused:
        open_desk(place_of(tmp_path), KEY)
    assert refused.value.setting == "sqlite_version"


def test_a_wrong_key_opens_nothing_and_changes_nothing(tmp_path: Path) -> None:
    new_desk(tmp_path).close()
    before = place_of(tmp_path).read_bytes()
    for key in (b"x" * 32, b"short"):
        with pytest.raises(WrongDeskKey):
            open_desk(place_of(tmp_path), key)
    assert place_of(tmp_path).read_bytes() == before
    open_desk(place_of(tmp_path), KEY).close()


def test_a_missing_desk_is_not_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(DeskMissing):
        open_desk(tmp_path / "desk.db", KEY)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_desk_is_not_made_anew_but_a_cut_off_creation_is_continued(tmp_path: Path) -> None:
    new_desk(tmp_path).close()
    with pytest.raises(DeskExists):
        open_desk(place_of(tmp_path), KEY, create=True)
    half = tmp_path / "half.db"
    half.touch()
    connection.connect(half, KEY, writing=True).close()  # only the header was written
    open_desk(half, KEY, create=True).close()
    assert upgrading.form_of(half, KEY) == upgrading.RELEASES[-1]


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk, desk.transaction() as tx:
        state.put(tx, "long", ["x" * 1000] * 100)
    torn = bytearray(place_of(tmp_path).read_bytes())
    torn[len(torn) // 2] ^= 1
    place_of(tmp_path).write_bytes(torn)
    try:
        with open_desk(place_of(tmp_path), KEY) as desk:
            assert desk.check() != []
    except DeskDamaged:
        pass


def test_a_whole_desk_passes_its_check_and_a_copy_holds_the_same(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:
        with desk.transaction() as tx:
            state.put(tx, "name", 1)
        assert desk.check() == []
        desk.copy_to(tmp_path / "copy.db")
        with pytest.raises(DeskExists):
            desk.copy_to(tmp_path / "copy.db")
    with open_desk(tmp_path / "copy.db", KEY) as copy, copy.reading() as tx:
        assert state.get(tx, "name") == 1


def test_an_error_inside_a_transaction_keeps_nothing(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:

        def act() -> None:
            with desk.transaction() as tx:
                state.put(tx, "kept", 1)
                tx.flush()
                raise KeyError

        with pytest.raises(KeyError):
            act()
        with desk.reading() as tx:
            assert state.get(tx, "kept") is None
        with desk.transaction() as tx:
            state.put(tx, "kept", 2)
        with desk.reading() as tx:
            assert state.get(tx, "kept") == 2


def test_a_rule_of_the_tables_that_breaks_at_commit_keeps_nothing(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:

        def act() -> None:
            with desk.transaction() as tx:
                state.put(tx, "kept", 1)
                tx.connection().exec_driver_sql(
                    "INSERT INTO scan (scan_hash, status, draft_id, material_id, page, length, media_type, kept_at)"
                    " VALUES ('a', 'draft', 'no such draft', 'M', 1, 1, 'image/jpeg', '2026-11-23 00:00:00')"
                )

        with pytest.raises(BrokenRule):
            act()
        with desk.reading() as tx:
            assert state.get(tx, "kept") is None


def test_a_full_disk_keeps_nothing_and_the_desk_goes_on(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:
        with desk.transaction() as tx:
            state.put(tx, "small", 1)
            pages = tx.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
            tx.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(DeskFull), desk.transaction() as tx:
            state.put(tx, "big", "x" * 1_000_000)
        with desk.transaction() as tx:
            assert state.get(tx, "big") is None
            state.put(tx, "small", 2)


def test_a_reader_cannot_write_and_does_not_see_what_is_not_committed(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk, desk.transaction() as writing:
        state.put(writing, "name", 1)
        writing.flush()
        with desk.reading() as tx:
            assert state.get(tx, "name") is None


def test_a_transaction_inside_a_transaction_is_a_mistake_and_not_a_dead_lock(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:
        with desk.transaction(), pytest.raises(RuntimeError), desk.transaction():
            pass
        with desk.transaction() as tx:
            state.put(tx, "free again", 1)


def test_threads_that_read_and_write_lose_nothing(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def count(desk: Desk) -> None:
        try:
            for _ in range(40):
                with desk.transaction() as tx:
                    state.next_serial(tx, "day")
                with desk.reading() as tx:
                    state.get(tx, "serial.day")
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    with new_desk(tmp_path) as desk:
        threads = [threading.Thread(target=count, args=(desk,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with desk.reading() as tx:
            assert (failures, state.get(tx, "serial.day")) == ([], 240)


def test_an_error_text_quotes_nothing_that_was_to_be_saved(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:

        def act() -> None:
            with desk.transaction() as tx:
                for _ in range(2):
                    tx.connection().exec_driver_sql("INSERT INTO state VALUES ('张测试', '511602180001010012')")

        with pytest.raises(BrokenRule) as broken:
            act()
        said = repr(broken.value) + str(broken.value)
        assert "张测试" not in said
        assert broken.value.__suppress_context__


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_newer_desk_is_refused_untouched(tmp_path: Path) -> None:
    new_desk(tmp_path).close()
    place = place_of(tmp_path)
    raw = connection.connect(place, KEY, writing=True)
    raw.execute("UPDATE desk_form SET version_num = '9999'")
    raw.close()
    before = digest(place)
    with pytest.raises(NewerDesk) as refused:
        open_desk(place, KEY)
    assert (refused.value.found, refused.value.known) == ("9999", upgrading.RELEASES[-1])
    assert (digest(place), [path.name for path in place.parent.iterdir()]) == (before, ["desk.db"])


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    new_desk(tmp_path).close()
    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=lambda: connection.connect(place_of(tmp_path), KEY, writing=False),
        poolclass=NullPool,
    )

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and "_words" in str(name))

    with engine.connect() as one:
        context = MigrationContext.configure(
            one, opts={"version_table": upgrading.VERSION_TABLE, "include_name": ours, "compare_type": False}
        )
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_the_known_releases_are_the_migrations_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrading.MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    known = [step.revision for step in script.walk_revisions()]
    assert tuple(reversed(known)) == upgrading.RELEASES


NO_MEMORY = """
import sys
from pathlib import Path
from sqlalchemy import text
from offline_store.desk.database import open_desk
from offline_store.errors import DeskDamaged
from tests.offline_store.desk_fixtures import KEY

desk = open_desk(Path(sys.argv[1]), KEY)
try:
    with desk.reading() as tx:
        tx.connection().exec_driver_sql("PRAGMA hard_heap_limit = 1")
        tx.execute(text("SELECT group_concat(hex(zeroblob(1000000))) FROM sqlite_schema")).all()
except DeskDamaged:
    print("damaged")
"""


def test_what_sqlcipher_has_no_memory_for_counts_as_damaged(tmp_path: Path) -> None:
    """It says so of pages that it cannot decipher; the caller must not get an error that ends nothing."""
    new_desk(tmp_path).close()
    done = subprocess.run(
        [sys.executable, "-c", NO_MEMORY, str(place_of(tmp_path))], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["damaged"], done.stderr[-2000:]
