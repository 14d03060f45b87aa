"""Opening the desk and working on it in transactions.

Laws: one act is one transaction; nobody but `transaction` commits, and leaving it by an error keeps nothing; a write
begins with BEGIN IMMEDIATE, so that it waits at its start and never fails in its middle; writers queue for one
connection, readers have their own and see the last committed state; what was committed was flushed to the disk. The
key of an open desk is changed while readers go on and writers wait; for the swap itself everybody waits.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from sqlalchemy import Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2
from sqlmodel import Session

from offline_store.desk import keyring, log_check, rekeying, upgrading
from offline_store.desk.connection import CHECKED_AGAIN, Connection, assert_safe, named, opener
from offline_store.desk.gate import Gate
from offline_store.desk.keyring import ByClerk, Opener
from offline_store.desk.passphrases import SIGN_IN, Cost
from offline_store.errors import DeskBusy, DeskDamaged, DeskExists, DeskFull, DeskMissing, SlotRefused, StoreError
from offline_store.placing import disk_says, flush_folder

Transaction: TypeAlias = Session  # what `transaction` and `reading` give; programs name it without importing SQL

Randomness = Callable[[int], bytes]

READERS: Final = 4
WAIT_S: Final = 30.0
MODE: Final = 0o600


class Desk:
    """The open desk of this node; threads may share it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.left_unclean = False
        """Nobody closed it: a kill, a power cut, a disk that refused. It is to be read whole once."""
        self._key = key
        self._turn = threading.Lock()
        self._gate = Gate(WAIT_S)
        self._here = threading.local()
        self._open_all(key)

    def _open_all(self, key: bytes) -> None:
        self._key = key
        self._writing = _engine(self.path, key, "BEGIN IMMEDIATE", connections=1)
        self._reading = _engine(self.path, key, "BEGIN", connections=READERS)
        self._open = opener(self.path, key, writing=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that may write; everything in it is kept together at the end, or nothing is."""
        if getattr(self._here, "writes", False):
            raise RuntimeError("a transaction inside a transaction would wait for itself")
        if not self._turn.acquire(timeout=WAIT_S):
            raise DeskBusy
        self._here.writes = True
        try:
            with self._gate.passing(), _session(self._writing, self.path) as session:
                yield session
                session.commit()
        finally:
            self._here.writes = False
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one committed state and cannot write."""
        with self._gate.passing(), _session(self._reading, self.path) as session:
            yield session

    def change_key(self, ring: Path, opener: Opener, cities: Sequence[bytes], randomness: Randomness) -> None:
        """Put the desk under a fresh key; see `rekeying`. An error leaves it open under the key it had."""
        with self._turn, _own_errors(self.path):
            new_key = rekeying.prepare(self.path, ring, self._key, opener, cities, randomness)
            try:
                with self._gate.closed():
                    self.close()
                    try:
                        rekeying.swap(self.path, ring, self._key)
                    except (DeskBusy, DeskFull):
                        self._open_all(self._key)
                        raise
                    self._open_all(new_key)
            except (DeskBusy, DeskFull):
                rekeying.undo(self.path, ring)
                raise

    def let_clerk_open(self, ring: Path, who: ByClerk, randomness: Randomness, cost: Cost = SIGN_IN) -> None:
        """Give this clerk a slot of the keyring, unless the passphrase opens one already; not while re-keying."""
        with suppress(SlotRefused):
            keyring.unlock(ring, who)
            return
        with self._turn:
            keyring.put_clerk_slot(ring, self._key, who.clerk_id, who.passphrase, cost=cost, randomness=randomness)

    def check(self) -> list[str]:
        """Read every page and compare its authentication tag and structure; an empty list means whole."""
        with self.reading() as session:
            connection = session.connection()
            pages = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA cipher_integrity_check")]
            structure = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        return pages + [line for line in structure if line != "ok"]

    def copy_to(self, path: Path) -> None:
        """A consistent copy under the same key, for a backup; refuses to overwrite."""
        if path.exists():
            raise DeskExists
        connection = self._open()  # its own: it reads for long, and a connection for readers may not even copy
        try:
            upgrading.copy(connection, path)
        finally:
            connection.close()

    def close(self) -> None:
        """Close every connection; the write-ahead log is folded into the desk."""
        self._reading.dispose()
        self._writing.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_desk(path: Path, key: bytes, *, create: bool = False) -> Desk:
    """Open the desk and bring it to this release's form; `create` makes a new one where none is."""
    if create:
        _make_empty(path, key)
    elif not path.exists():
        raise DeskMissing
    log = path.with_name(path.name + rekeying.LOG_SUFFIX)
    unclean = log.exists() and log.stat().st_size > 0
    if unclean and log_check.has_rotted(log):
        _set_log_aside(log)
    upgrading.upgrade(path, key)
    desk = Desk(path, key)
    desk.left_unclean = unclean
    try:
        with desk.transaction():
            pass
        with desk.reading():
            pass
    except BaseException:
        desk.close()
        raise
    return desk


def log_set_aside(path: Path) -> Path:
    """Where the log of this desk lies that rotted, for a person to see; while it is there, something may be missing."""
    return path.with_name(f"{path.name}-wal.damaged")


def _set_log_aside(log: Path) -> None:
    """Keep a copy of a log that rotted: opening the desk begins it anew."""
    with disk_says():
        shutil.copyfile(log, log.with_name(f"{log.name}.damaged"))


def _make_empty(path: Path, key: bytes) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, MODE))
    except FileExistsError:
        # A file without a form is a creation that was cut off; it is continued.
        if path.stat().st_size and upgrading.form_of(path, key) is not None:
            raise DeskExists from None
    flush_folder(path.parent)


def _engine(path: Path, key: bytes, begin: str, *, connections: int) -> Engine:
    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=opener(path, key, writing=begin != "BEGIN"),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_S,
        pool_use_lifo=True,  # one reader at a time needs one warm cache
        hide_parameters=True,  # an error text must not quote what was saved
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401
        connection.exec_driver_sql(begin)

    @event.listens_for(engine, "checkout")
    def _still_safe(connection: Connection, _record: object, _proxy: object) -> None:
        assert_safe(connection, CHECKED_AGAIN)

    @event.listens_for(engine, "handle_error")
    def _not_deciphered(context: ExceptionContext) -> None:
        """SQLCipher says of some pages it cannot decipher that there is no memory for them. Where memory really is out,
        ending and looking at the whole desk again is right, too."""
        if isinstance(context.original_exception, MemoryError):
            raise DeskDamaged from None

    return engine


@contextmanager
def _session(engine: Engine, path: Path) -> Iterator[Session]:
    with _own_errors(path), Session(engine, expire_on_commit=False) as session:
        session.connection()
        yield session


@contextmanager
def _own_errors(path: Path) -> Iterator[None]:
    """Errors of the libraries below become the store's own; errors of the caller pass."""
    try:
        yield
    except StoreError:
        raise
    except PoolTimeout:
        raise DeskBusy from None
    except DBAPIError as failure:
        raise named(failure.orig or failure, path) from None
    except dbapi2.Error as failure:
        raise named(failure, path) from None
