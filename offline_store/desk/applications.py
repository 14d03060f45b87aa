"""The one mapper between an application and its row.

The row keeps two canonical bodies: *confirmed*, the fold of what the city's feed has said, and *shown*, the same with
this node's own entries laid over it that the feed has not answered yet. Lists read *shown* and replay nothing.

Laws: reading gives back what was saved, field for field; columns beside the bodies are derived from `shown` here and
nowhere else; saving costs the same with one application on the desk and with a hundred thousand. Once erased, an
application stays its line of the register: whatever is saved of it later is reduced to that line, too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, bindparam, column, func, or_, text, tuple_, union, update
from sqlmodel import Session, col, select

from casework.application import Application
from casework.record import application_from_plain, application_to_plain, moment_to_text
from casework.register import ended_at, register_line
from casework.states import CLOSED_STATES, State
from offline_store.desk.grams import PAIR, TRIPLE, folded, grams, phrase
from offline_store.desk.journal import OPERATION
from offline_store.desk.pages import Page
from offline_store.desk.tables import ApplicationRow, JournalRow
from offline_store.errors import Unknown
from wire.canonical import canonical_json, read_json

NOTHING_PENDING = canonical_json([]).decode()
_END = "\U0010ffff"
_SITE_DIGITS = 12  # a receipt number begins with its site, which is the same on almost every row: not worth indexing

_BY_ID = select(ApplicationRow).where(ApplicationRow.application_id == bindparam("application_id"))


class Standing(StrEnum):
    """How far what the screen shows has come."""

    SAVED_HERE = "saved_here"
    AT_CITY = "at_city"
    CONFIRMED = "confirmed"
    DOUBTED = "doubted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Known:
    """An application as this node knows it."""

    shown: Application
    confirmed: Application | None
    standing: Standing
    pending: tuple[str, ...]
    case_seq: int
    due: date | None
    refusal: dict[str, Any] | None
    version: int
    updated_at: datetime
    erased_at: datetime | None = None

    @property
    def application_id(self) -> str:
        return self.shown.application_id


def save(
    tx: Session,
    shown: Application,
    *,
    confirmed: Application | None,
    pending: Sequence[str] = (),
    standing: Standing,
    case_seq: int,
    at: datetime,
    due: date | None = None,
    refusal: Mapping[str, Any] | None = None,
) -> int:
    """Keep the application as it now stands; the version of its row is returned.

    `pending` are the op ids of this node that the feed has not answered, `case_seq` the last entry of the feed folded
    into `confirmed`, `due` the day by which somebody must act, for the order of the queue.
    """
    row = _row(tx, shown.application_id)
    if row is not None and row.erased_at is not None:
        shown, confirmed = register_line(shown), None if confirmed is None else register_line(confirmed)
    words_before = None if row is None else (row.applicant_name, row.applicant_id_no, row.receipt_no)
    columns: dict[str, Any] = {
        "application_id": shown.application_id,
        "receipt_no": shown.receipt_no,
        "item_id": shown.item_id,
        "state": shown.state.value,
        "standing": standing.value,
        "site": shown.site,
        "township": shown.township,
        "applicant_name": shown.applicant.name,
        "applicant_id_no": shown.applicant.id_no,
        "updated_at": at,
        "due": due,
        "version": 1 if row is None else row.version + 1,
        "case_seq": case_seq,
        "catalog_version": shown.catalog_version,
        "pending": canonical_json(list(pending)).decode(),
        "refusal": None if refusal is None else canonical_json(dict(refusal)).decode(),
        "shown": _body(shown),
        "confirmed": None if confirmed is None else _body(confirmed),
        "ended_at": _ended(confirmed, at),
    }
    row = ApplicationRow(**columns) if row is None else row.sqlmodel_update(columns)
    tx.add(row)
    tx.flush()
    words = (row.applicant_name, row.applicant_id_no, row.receipt_no)
    if words != words_before:
        _index(tx, row.number, words, fresh=words_before is None)
    return row.version


def set_standing(tx: Session, application_id: str, standing: Standing) -> None:
    """Say anew how far it has come; everything else of it stays, also when it was last changed."""
    row = _row(tx, application_id)
    if row is None:
        raise Unknown("application", application_id)
    row.standing = standing.value
    tx.add(row)
    tx.flush()


def set_due(tx: Session, number: int, due: date | None) -> None:
    """Say anew by when somebody must act; everything else of it stays."""
    tx.execute(update(ApplicationRow).where(col(ApplicationRow.number) == number).values(due=due))


def open_after(tx: Session, number: int, limit: int) -> list[tuple[int, Known]]:
    """The applications on which somebody still has to work, from that number of a row on, with their numbers."""
    open_ones = col(ApplicationRow.state).not_in([state.value for state in CLOSED_STATES])
    wanted = select(ApplicationRow).where(open_ones, col(ApplicationRow.number) > number)
    rows = tx.exec(wanted.order_by(col(ApplicationRow.number)).limit(limit))
    return [(int(row.number or 0), _known(row)) for row in rows]


def doubt_confirmed(tx: Session) -> int:
    """The city was restored and tells its feed anew: until it has, nothing it said before counts as confirmed."""
    said = col(ApplicationRow.standing) == Standing.CONFIRMED.value
    kept = update(ApplicationRow).where(said, col(ApplicationRow.erased_at).is_(None))
    return len(tx.execute(kept.values(standing=Standing.DOUBTED.value).returning(col(ApplicationRow.number))).all())


def saved_here_again(tx: Session) -> int:
    """Whatever awaits an answer is shown as saved here until the city speaks anew; says how many applications."""
    waiting = update(ApplicationRow).where(col(ApplicationRow.pending) != NOTHING_PENDING)
    return len(
        tx.execute(waiting.values(standing=Standing.SAVED_HERE.value).returning(col(ApplicationRow.number))).all()
    )


def erase(tx: Session, application_id: str, at: datetime) -> None:
    """Reduce an application to its line of the register, in the row and in what it is found by, for good."""
    row = _row(tx, application_id)
    if row is None:
        raise Unknown("application", application_id)
    known = _known(row)
    row.erased_at = at
    tx.add(row)
    save(
        tx,
        known.shown,
        confirmed=known.confirmed,
        standing=known.standing,
        case_seq=known.case_seq,
        at=row.updated_at,
    )


def to_erase(
    tx: Session, *, ended_by: datetime, stable_seq: int, after: tuple[str, int] = ("", 0), limit: int = 20
) -> list[tuple[str, int, str]]:
    """Applications that ended by then, are not erased, and of which every own act is answered and everything that was
    journaled lies within `stable_seq`: (ended_at, number, id) in that order, from `after` on.

    Asked of the columns alone: going through every application took 60 MiB and seconds on a full desk.
    """
    row, acts = col(ApplicationRow.ended_at), JournalRow
    at, number = after
    open_acts = select(acts.seq).where(
        acts.application_id == ApplicationRow.application_id,
        or_(col(acts.seq) > stable_seq, and_(col(acts.kind) == OPERATION, col(acts.outcome).is_(None))),
    )
    due = (
        select(ApplicationRow.ended_at, ApplicationRow.number, ApplicationRow.application_id)
        .where(row.is_not(None), col(ApplicationRow.erased_at).is_(None), row <= moment_to_text(ended_by))
        .where(tuple_(row, col(ApplicationRow.number)) > tuple_(at, number))
        .where(~open_acts.exists())
        .order_by(row, col(ApplicationRow.number))
        .limit(limit)
    )
    return [(str(found[0]), int(found[1] or 0), found[2]) for found in tx.execute(due)]


def find(tx: Session, application_id: str) -> Known | None:
    row = _row(tx, application_id)
    return None if row is None else _known(row)


def load(tx: Session, application_id: str) -> Known:
    """The application, or Unknown."""
    known = find(tx, application_id)
    if known is None:
        raise Unknown("application", application_id)
    return known


def by_receipt(tx: Session, receipt_no: str) -> Known | None:
    """The application with this receipt number; of two that claim it the one known first."""
    first = select(ApplicationRow).where(ApplicationRow.receipt_no == receipt_no).order_by(col(ApplicationRow.number))
    row = tx.exec(first.limit(1)).one_or_none()
    return None if row is None else _known(row)


def page(
    tx: Session,
    *,
    states: Collection[State] | None = None,
    standings: Collection[Standing] | None = None,
    text: str = "",
    items: Collection[str] = (),
    site: str | None = None,
    by_due: bool = False,
    offset: int = 0,
    limit: int = 20,
) -> Page[Known]:
    """The applications that match, the last changed first, or the soonest due first.

    `text` is looked for in name, document number and receipt number; an application also matches when its item is among
    `items`, which the caller finds by the same text in the catalog.
    """
    conditions: list[ColumnElement[bool]] = []
    if states is not None:
        conditions.append(col(ApplicationRow.state).in_([state.value for state in states]))
    if standings is not None:
        conditions.append(col(ApplicationRow.standing).in_([standing.value for standing in standings]))
    if site is not None:
        conditions.append(col(ApplicationRow.site) == site)
    conditions += matching(text, items)
    order: list[ColumnElement[Any]] = [col(ApplicationRow.due).asc().nulls_last()] if by_due else []
    order += [col(ApplicationRow.updated_at).desc(), col(ApplicationRow.number).desc()]
    total = tx.execute(select(func.count()).select_from(ApplicationRow).where(*conditions)).scalar_one()
    # Sorted by narrow columns first: a sort that carried the bodies along was twenty times slower.
    wanted = select(ApplicationRow.number).where(*conditions).order_by(*order).offset(offset).limit(limit)
    numbers = tx.exec(wanted).all()
    rows = {row.number: row for row in tx.exec(select(ApplicationRow).where(col(ApplicationRow.number).in_(numbers)))}
    return Page(tuple(_known(rows[number]) for number in numbers), total, offset)


def open_catalog_versions(tx: Session) -> set[int]:
    """Catalog versions under which an application was filed that somebody still has to work on."""
    closed = [state.value for state in CLOSED_STATES]
    open_ones = select(ApplicationRow.catalog_version).where(col(ApplicationRow.state).not_in(closed)).distinct()
    return set(tx.exec(open_ones).all())


def matching(text: str, items: Collection[str]) -> list[ColumnElement[bool]]:
    """The condition that `text` sets, none where it holds no word: every word is said, or the item is among `items`."""
    words = [word for word in map(folded, text.split()) if word]
    return [_matches(words, items)] if words else []


def shown_of(row: ApplicationRow) -> Application:
    """The application of a row as it is shown."""
    return _application(row.shown)


def _matches(words: list[str], items: Collection[str]) -> ColumnElement[bool]:
    said = select(ApplicationRow.number).where(and_(*map(_says, words)))
    if not items:
        return col(ApplicationRow.number).in_(said)
    on_item = select(ApplicationRow.number).where(col(ApplicationRow.item_id).in_(list(items)))
    return col(ApplicationRow.number).in_(union(said, on_item))


def _says(word: str) -> ColumnElement[bool]:
    """Whether name, document number or receipt number contain the word; too short a word must be their beginning."""
    name, id_no, receipt_no = ApplicationRow.applicant_name, ApplicationRow.applicant_id_no, ApplicationRow.receipt_no
    if len(word) < (TRIPLE if word.isascii() else PAIR):
        return or_(*(_begins(column, word.upper()) for column in (name, id_no, receipt_no)))
    by_triple = phrase(word, TRIPLE)
    numbers = f" OR {{id_no receipt_tail}} : {by_triple}" if by_triple else ""
    said = [_worded(f"name : {phrase(word, PAIR)}{numbers}")]
    site, tail = word[:_SITE_DIGITS], word[_SITE_DIGITS:].upper()
    if site.isdigit():
        by_tail = phrase(tail.casefold(), TRIPLE)
        here = _begins(receipt_no, f"{site}-{tail}" if tail and not by_tail else site)
        said.append(and_(here, _worded(f"receipt_tail : {by_tail}")) if by_tail else here)
    return or_(*said)


def _begins(column: str, text: str) -> ColumnElement[bool]:
    return col(column).between(text, text + _END)


def _worded(expression: str) -> ColumnElement[bool]:
    matching = text("SELECT rowid FROM application_words WHERE application_words MATCH :words")
    rows = matching.bindparams(bindparam("words", expression, unique=True)).columns(column("rowid", Integer))
    return col(ApplicationRow.number).in_(rows)


def _index(tx: Session, number: int | None, words: tuple[str, str, str], *, fresh: bool) -> None:
    if not fresh:
        tx.connection().exec_driver_sql("DELETE FROM application_words WHERE rowid = ?", (number,))
    name, id_no, receipt_no = map(folded, words)
    tx.connection().exec_driver_sql(
        "INSERT INTO application_words (rowid, name, id_no, receipt_tail) VALUES (?, ?, ?, ?)",
        (number, grams(name, PAIR), grams(id_no, TRIPLE), grams(receipt_no[_SITE_DIGITS:], TRIPLE)),
    )


def _row(tx: Session, application_id: str) -> ApplicationRow | None:
    return tx.exec(_BY_ID, params={"application_id": application_id}).one_or_none()


def _known(row: ApplicationRow) -> Known:
    return Known(
        shown=_application(row.shown),
        confirmed=None if row.confirmed is None else _application(row.confirmed),
        standing=Standing(row.standing),
        pending=tuple(read_json(row.pending.encode(), "pending")),
        case_seq=row.case_seq,
        due=row.due,
        refusal=None if row.refusal is None else read_json(row.refusal.encode(), "refusal"),
        version=row.version,
        updated_at=row.updated_at,
        erased_at=row.erased_at,
    )


def ended(confirmed: Application | None, at: datetime) -> datetime | None:
    """Since when it is over, as far as the city confirmed it by `at`: no act was done after it was confirmed, whatever
    the clock that wrote it believed."""
    moment = None if confirmed is None else ended_at(confirmed)
    return None if moment is None else min(moment, at)


def _ended(confirmed: Application | None, at: datetime) -> str | None:
    moment = ended(confirmed, at)
    return None if moment is None else moment_to_text(moment)


def _body(application: Application) -> str:
    return canonical_json(application_to_plain(application)).decode()


def _application(body: str) -> Application:
    return application_from_plain(read_json(body.encode(), "application"))
