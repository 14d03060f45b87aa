"""A new key for the desk, so that what was deleted cannot be read any more: neither in old copies of the file nor in
blocks of the disk that still hold its earlier bytes.

The desk is copied under a fresh key, the copy takes the desk's name in one step, and the wraps of the old key go.
Deleting alone leaves old pages, old write-ahead logs and old copies behind, all readable by the key in use.

Laws
- Killed anywhere, the desk opens: the wraps of both keys are durable before the copy takes the name, and stay until
  it was seen under which key the desk lies. Nothing committed is missing from the copy.
- The copy is whole before it counts: authentication tags, structure and form are read back under the new key.
- Never begun without room for the copy; what is left of an attempt that was cut is removed by the next opening.
- Copies that an upgrade left aside lie under the old key and go with it.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlcipher3 import dbapi2
from sqlmodel import Session

from offline_store.desk import keyring, state, upgrading
from offline_store.desk.connection import KEY_BYTES, Connection, named, unlocked
from offline_store.desk.keyring import Opener
from offline_store.errors import DeskBusy, DeskDamaged, DeskFull, DeskMissing, DiskFull, WrongDeskKey
from offline_store.placing import disk_says, flush_folder, sweep_unfinished, take_away

WANTED: Final = "rekey.wanted_since"
SPARE_BYTES: Final = 16 * 1024 * 1024
COPY_SUFFIX: Final = ".rekeying"
SEARCH_INDICES: Final = ("application_words", "item_words")
LOG_SUFFIX: Final = "-wal"
INDEX_SUFFIX: Final = "-shm"

Randomness = Callable[[int], bytes]


def wanted_since(tx: Session, at: datetime) -> None:
    """Something was erased: the key in use is to go in its time."""
    if state.get(tx, WANTED) is None:
        state.put(tx, WANTED, at.isoformat())


def is_due(tx: Session, now: datetime, every: timedelta) -> bool:
    """Whether something has been erased under the key in use for so long."""
    since = state.get(tx, WANTED)
    return since is not None and datetime.fromisoformat(since) + every <= now


def open_key(desk_db: Path, ring: Path, opener: Opener) -> bytes:
    """The key under which the desk lies; a re-keying that was cut is finished or undone first."""
    return settled_key(desk_db, ring, keyring.candidates(ring, opener))


def settled_key(desk_db: Path, ring: Path, keys: Sequence[bytes]) -> bytes:
    """The same by whatever opened the keyring: `keys` are the key in use before and, while re-keying, the next one."""
    _forget_copy(desk_db)
    sweep_unfinished(ring.parent)  # a keyring that was cut while it was written holds wraps, too
    if not desk_db.exists():
        raise DeskMissing
    if len(keys) == 1:
        return keys[0]
    key = lying_under(desk_db, keys)
    with contextlib.suppress(DiskFull):
        _finish(desk_db, ring, on_next=key is not keys[0])
    return key


def lying_under(desk_db: Path, keys: Sequence[bytes]) -> bytes:
    """Which of the keys opens the desk; nothing is changed."""
    for key in keys:
        try:
            unlocked(desk_db, key).close()
        except WrongDeskKey:
            continue
        return key
    raise WrongDeskKey


def has_room(desk_db: Path) -> bool:
    """Whether a second desk fits beside the first."""
    return shutil.disk_usage(desk_db.parent).free > desk_db.stat().st_size + SPARE_BYTES


def prepare(
    desk_db: Path, ring: Path, old_key: bytes, opener: Opener, cities: Sequence[bytes], randomness: Randomness
) -> bytes:
    """Make a whole copy under a fresh key and wrap that key beside the old one; the fresh key is returned.

    The caller lets nobody write between this and `swap`.
    """
    if not has_room(desk_db):
        raise DeskFull
    new_key = randomness(KEY_BYTES)
    copy = _copy_of(desk_db)
    try:
        _copy_under(desk_db, old_key, copy, new_key)
        _must_be_whole(copy, new_key)
        keyring.add_next(ring, opener, new_key, cities, randomness)
    except BaseException:
        _forget_copy(desk_db)
        raise
    return new_key


def swap(desk_db: Path, ring: Path, old_key: bytes) -> None:
    """Let the copy take the desk's name; every connection to the old desk is closed already."""
    _fold_log(desk_db, old_key)
    with disk_says():
        _copy_of(desk_db).replace(desk_db)
    flush_folder(desk_db.parent)
    with contextlib.suppress(DiskFull):  # the wraps of the old key stay until the next opening
        _finish(desk_db, ring, on_next=True)


def undo(desk_db: Path, ring: Path) -> None:
    """Forget a copy that was prepared and did not take the name."""
    _forget_copy(desk_db)
    keyring.settle(ring, on_next=False)


def _finish(desk_db: Path, ring: Path, *, on_next: bool) -> None:
    if on_next:
        for old in desk_db.parent.glob(f"{desk_db.name}.before-*"):
            take_away(old)
        flush_folder(desk_db.parent)
    keyring.settle(ring, on_next=on_next)


def _copy_of(desk_db: Path) -> Path:
    return desk_db.with_name(desk_db.name + COPY_SUFFIX)


def _forget_copy(desk_db: Path) -> None:
    """Remove a copy that did not take the name, with whatever SQLite laid beside it while it was read back."""
    for suffix in ("", LOG_SUFFIX, INDEX_SUFFIX):
        take_away(desk_db.with_name(desk_db.name + COPY_SUFFIX + suffix))


def _copy_under(desk_db: Path, key: bytes, copy: Path, new_key: bytes) -> None:
    take_away(copy)
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        with closing(unlocked(desk_db, key)) as source, closing(unlocked(copy, new_key)) as target:
            _drop_what_is_only_marked(source)
            target.execute("PRAGMA journal_mode = OFF")
            target.execute("PRAGMA synchronous = OFF")  # flushed once, as a whole, below
            source.backup(target)
            target.execute("DELETE FROM state WHERE name = ?", (WANTED,))
    except dbapi2.Error as failure:
        raise named(failure, desk_db) from None
    with disk_says(), copy.open("rb") as stream:
        os.fsync(stream.fileno())


def _drop_what_is_only_marked(source: Connection) -> None:
    """The search index keeps the words of deleted rows until its parts are merged; nothing of them may be copied."""
    source.execute("PRAGMA secure_delete = ON")
    for index in SEARCH_INDICES:
        source.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")  # noqa: S608 - names of our own


def _must_be_whole(copy: Path, key: bytes) -> None:
    try:
        with closing(unlocked(copy, key)) as connection:
            pages = connection.execute("PRAGMA cipher_integrity_check").fetchall()
            structure = connection.execute("PRAGMA quick_check").fetchall()
    except dbapi2.Error as failure:
        raise named(failure, copy) from None
    if pages or structure != [("ok",)] or upgrading.form_of(copy, key) != upgrading.RELEASES[-1]:
        raise DeskDamaged


def _fold_log(desk_db: Path, key: bytes) -> None:
    """Fold the write-ahead log into the old desk: a log that outlived the swap would be laid over the new one."""
    try:
        with closing(unlocked(desk_db, key)) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except dbapi2.Error as failure:
        raise named(failure, desk_db) from None
    log = desk_db.with_name(desk_db.name + LOG_SUFFIX)
    if busy or (log.exists() and log.stat().st_size):
        raise DeskBusy  # somebody else, a doctor perhaps, reads the desk at this moment
    take_away(log)
    take_away(desk_db.with_name(desk_db.name + INDEX_SUFFIX))
    flush_folder(desk_db.parent)
