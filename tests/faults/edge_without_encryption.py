"""A node whose desk lies on the disk in the clear: the protection taken away, for the control of the stolen disk.

The desk it finds is written out without a key first; the real program in all else, started like it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from offline_store.desk import connection
from offline_store.desk.keyring import machine_key, unlock
from offline_store.paths import NodePaths

_with_key = connection.unlocked
PLAIN_BEGINS = b"SQLite format 3"


def _without_key(path: Path, key: bytes) -> Any:
    return dbapi2.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )


def _write_out_in_the_clear(paths: NodePaths) -> None:
    with paths.desk_db.open("rb") as file:
        if file.read(len(PLAIN_BEGINS)) == PLAIN_BEGINS:
            return
    plain = paths.desk_db.with_name("plain.db")
    source = _with_key(paths.desk_db, unlock(paths.keyring, machine_key()))
    source.execute("ATTACH DATABASE ? AS plain KEY ''", (str(plain),))
    source.execute("SELECT sqlcipher_export('plain')")
    source.execute("DETACH DATABASE plain")
    source.close()
    for log in paths.desk_folder.glob("desk.db-*"):
        log.unlink()
    plain.replace(paths.desk_db)


if __name__ == "__main__":
    _write_out_in_the_clear(NodePaths(Path(sys.argv[sys.argv.index("--root") + 1])))
    connection.unlocked = _without_key
    connection.CIPHER = ()  # type: ignore[assignment,misc]
    runpy.run_module("edge_node", run_name="__main__", alter_sys=True)
