"""Markers of every kind that the desk keeps do not occur in any file of the node; a plain database shows them all."""

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from offline_store.paths import NodePaths
from tests.offline_store.desk_fixtures import KEY

pytestmark = pytest.mark.node

NAME, ID_NO, WORDS, ITEM, CLERK = (
    "张测试甲乙丙",
    "511602180001010012",
    "屋后第三棵柚子树",
    "极其特别事项名",
    "李样例丁戊己",
)
MARKERS = [NAME, ID_NO, WORDS, ITEM, CLERK]

WRITER = f"""
import os, sys, time
from dataclasses import replace
from pathlib import Path
from casework.application import Applicant, Role
from casework.lifecycle import draft
from offline_store.desk import applications, catalog, clerks, drafts, keys, scans, state
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from tests.offline_store.desk_fixtures import NOON, edition, new_desk, service_item
from wire.keys import SealingKey, SigningKey

desk = new_desk(Path(sys.argv[1]))
with desk.transaction() as tx:
    catalog.activate(tx, edition(1, service_item("A", "{ITEM}")), NOON)
    clerk = clerks.Clerk("z01", "{CLERK}", Role.AGENT, "", True)
    clerks.save(tx, clerk, "p", randomness=os.urandom, cost=ONLY_FOR_TESTS)
    keys.keep(tx, SigningKey.from_bytes(b"identity-key-identity-key-identi"), SealingKey.generate(), NOON)
for number in range(50):
    with desk.transaction() as tx:
        one = replace(draft(f"{{number:032x}}"), form={{"story": "{WORDS}" * 200}},
                      applicant=Applicant("{NAME}", "111", "{ID_NO}", "", "", ""))
        applications.save(tx, one, confirmed=one, standing=applications.Standing.SAVED_HERE, case_seq=0, at=NOON)
        drafts.save(tx, drafts.Draft(draft_id=str(number), kind=drafts.DraftKind.COLLECT, item_id="A", form_id="F-A",
            catalog_version=1, clerk_id="z01", created_at=NOON, updated_at=NOON, values={{"story": "{WORDS}"}}))
with desk.reading() as tx:
    applications.page(tx, text="{NAME}", limit=50)
    catalog.search(tx, "{ITEM}")
print("saved", flush=True)
time.sleep(60)
"""


def spellings(marker: str) -> list[bytes]:
    plain = marker.encode()
    escaped = json.dumps(marker).strip('"').encode()
    wide = [marker.encode(encoding) for encoding in ("utf-16-le", "utf-16-be", "gb18030")]
    grams = "".join(f"{ord(sign):05x}" for sign in marker[:2]).encode()
    return [plain, plain[:9], escaped, *wide, base64.b64encode(plain)[:-4], plain.hex().encode(), grams]


def hits(folder: Path, wanted: list[bytes]) -> list[tuple[str, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [(path.name, one) for path in files for one in wanted if one in path.read_bytes()]


def test_no_marker_lies_in_any_file_while_open_after_a_kill_and_after_a_close(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    (temporary / "not-empty").touch()
    elsewhere = {
        "TMPDIR": str(temporary),
        "SQLITE_TMPDIR": str(temporary),
        "PYTHONPATH": str(Path.cwd()),
    }
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "node")], stdout=subprocess.PIPE, env=os.environ | elsewhere
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"saved\n"
    secrets = [b"identity-key-identity-key-identi", KEY, KEY.hex().encode()]
    wanted = [one for marker in MARKERS for one in spellings(marker)] + secrets
    folder = NodePaths(tmp_path / "node").desk_folder
    assert (folder / "desk.db-wal").stat().st_size > 100_000
    assert hits(tmp_path, wanted) == []
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert hits(tmp_path, wanted) == []

    from offline_store.desk import applications
    from offline_store.desk.database import open_desk

    with open_desk(folder / "desk.db", KEY) as desk, desk.reading() as tx:
        assert applications.page(tx, text=NAME).total == 50
    assert not (folder / "desk.db-wal").exists()
    assert hits(tmp_path, wanted) == []


def test_the_same_search_finds_every_marker_in_a_plain_database(tmp_path: Path) -> None:
    plain = sqlite3.connect(tmp_path / "plain.db")
    plain.execute("CREATE TABLE application (shown TEXT)")
    plain.executemany("INSERT INTO application VALUES (?)", [(marker,) for marker in MARKERS])
    plain.commit()
    plain.close()
    found = {one for _, one in hits(tmp_path, [marker.encode() for marker in MARKERS])}
    assert found == {marker.encode() for marker in MARKERS}
