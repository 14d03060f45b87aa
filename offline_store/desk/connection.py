"""The one function that opens a connection to the desk, and what every connection must be.

Laws: no connection is handed out before its settings were set *and read back*; the key is 32 raw bytes and appears in
no URL, log or error text; SQLite older than 3.51.3 is refused, because its write-ahead log can lose a commit when two
connections meet.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from offline_store.errors import (
    BrokenRule,
    DeskBusy,
    DeskDamaged,
    DeskError,
    DeskFull,
    DeskWriteFailed,
    UnsafeDesk,
    WrongDeskKey,
)

KEY_BYTES: Final = 32
OLDEST_SQLITE: Final = (3, 51, 3)
BUSY_MS: Final = 10_000
LOG_LIMIT_BYTES: Final = 16 * 1024 * 1024
CACHE_KIB: Final = 2048  # for each connection; the default of 8 MiB times five is too much for a small machine

SETTINGS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: NORMAL lost acknowledged work in 9 of 15 power cuts
    "foreign_keys": 1,
    "secure_delete": 1,
    "temp_store": 2,  # MEMORY: sorting must not leave names in a temporary file
    "busy_timeout": BUSY_MS,
    "cell_size_check": 1,
    "trusted_schema": 0,
    "journal_size_limit": LOG_LIMIT_BYTES,
    "cache_size": -CACHE_KIB,
}
CIPHER: Final = (
    "PRAGMA cipher_page_size = 4096;",
    "PRAGMA cipher_use_hmac = 1;",
    "PRAGMA cipher_plaintext_header_size = 0;",
    "PRAGMA cipher_hmac_algorithm = HMAC_SHA512;",
)
CHECKED_AGAIN: Final = ("synchronous", "foreign_keys", "secure_delete")  # each time a connection is taken from the pool

_ROOM_FOR_INDEX: Final = frozenset(
    {
        10 | 18 << 8,  # SQLITE_IOERR_SHMOPEN
        10 | 19 << 8,  # SQLITE_IOERR_SHMSIZE
        10 | 21 << 8,  # SQLITE_IOERR_SHMMAP
        14,  # SQLITE_CANTOPEN, of the log beside the desk
    }
)
"""What SQLite says when a full disk keeps it from making its log or the index of it."""
_A_PAGE_OF_INDEX: Final = 64 * 1024
_PRIMARY = 0xFF
_BY_CODE: Final[dict[int, type[DeskError]]] = {
    5: DeskBusy,  # SQLITE_BUSY
    6: DeskBusy,  # SQLITE_LOCKED
    8: DeskWriteFailed,  # SQLITE_READONLY
    10: DeskWriteFailed,  # SQLITE_IOERR
    11: DeskDamaged,  # SQLITE_CORRUPT
    13: DeskFull,  # SQLITE_FULL
    14: DeskWriteFailed,  # SQLITE_CANTOPEN
    19: BrokenRule,  # SQLITE_CONSTRAINT
    26: WrongDeskKey,  # SQLITE_NOTADB
}
_CODE_OF_WORDS: Final = {"disk I/O error": 10, "database or disk is full": 13, "database disk image is malformed": 11}
"""What SQLite calls the failure of a copy (`backup`): the library passes its words on, and no code."""

Connection = Any  # sqlcipher3 ships no types


def connect(path: Path, key: bytes, *, writing: bool) -> Connection:
    """An open connection whose settings were read back; the file must exist already."""
    connection = unlocked(path, key)
    try:
        for name, value in SETTINGS.items():
            connection.execute(f"PRAGMA {name} = {value}").fetchall()
        if not writing:
            connection.execute("PRAGMA query_only = 1")
        assert_safe(connection)
    except dbapi2.Error as failure:
        connection.close()
        raise named(failure, path) from None
    except BaseException:
        connection.close()
        raise
    return connection


def unlocked(path: Path, key: bytes) -> Connection:
    """A connection with the key given and proved, and nothing else done: it has written not a byte."""
    if dbapi2.sqlite_version_info < OLDEST_SQLITE:
        raise UnsafeDesk("sqlite_version", ".".join(map(str, OLDEST_SQLITE)), dbapi2.sqlite_version)
    if len(key) != KEY_BYTES:
        raise WrongDeskKey
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = dbapi2.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except dbapi2.Error as failure:
        connection.close()
        raise named(failure, path) from None
    return connection


def assert_safe(connection: Connection, names: tuple[str, ...] = tuple(SETTINGS)) -> None:
    """Raise UnsafeDesk unless every setting is in force, as read back from the connection."""
    for name in names:
        found = connection.execute(f"PRAGMA {name}").fetchone()
        if found is None or found[0] != SETTINGS[name]:
            raise UnsafeDesk(name, str(SETTINGS[name]), str(found[0] if found else None))
    if names == tuple(SETTINGS):
        cipher = {row[0] for row in connection.execute("PRAGMA cipher_settings")}
        for wanted in CIPHER:
            if wanted not in cipher:
                raise UnsafeDesk("cipher", wanted, "absent")


def named(failure: BaseException, path: Path | None = None) -> DeskError:
    """The store's own error for an error of the database; its text is left behind, it may quote what was saved.

    With the desk's `path` a full disk is recognised where SQLite speaks of its index files only.
    """
    code = getattr(failure, "sqlite_errorcode", None) or _CODE_OF_WORDS.get(str(failure))
    if code in _ROOM_FOR_INDEX and path is not None and _is_full(path.parent):
        return DeskFull()
    if isinstance(code, int) and code & _PRIMARY in _BY_CODE:
        return _BY_CODE[code & _PRIMARY]()
    return DeskError()


def _is_full(folder: Path) -> bool:
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize < _A_PAGE_OF_INDEX


def opener(path: Path, key: bytes, *, writing: bool) -> Callable[[], Connection]:
    """What the pool calls when it needs one more connection."""

    def open_one() -> Connection:
        return connect(path, key, writing=writing)

    return open_one
