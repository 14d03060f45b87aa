"""The tables of the desk, as rows.

Laws: a row is not the domain object, for `table=True` classes check nothing when they are made; only the mapper of a
room touches its rows. Content lies in canonical JSON bodies; a column exists only because something is searched,
sorted or counted by it. Wide columns stand last, so that reading the narrow ones never touches the overflow pages
behind them; a column of a later form can only follow, so it is reached by an index. The schema itself is made by
`migrations`; a test compares the two.
"""

from datetime import date, datetime

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel


def _wide(*, optional: bool = False) -> Column[str]:
    return Column(Text, nullable=optional)


def _owner(target: str) -> Column[str]:
    """A reference that is checked at commit, so that the order of writes inside an act does not matter."""
    return Column(ForeignKey(target, deferrable=True, initially="DEFERRED"), nullable=True, index=True)


class ApplicationRow(SQLModel, table=True):
    """One application as the node knows it: what the city confirmed, and what is shown."""

    __tablename__ = "application"
    __table_args__ = (
        Index("application_by_state", "state", "updated_at"),
        Index("application_by_due", "state", "due", "updated_at"),
        Index("application_by_site", "site", "updated_at"),
        Index("application_by_catalog", "catalog_version", "state"),
        Index("application_by_item", "item_id", "updated_at"),
        Index(
            "application_to_erase",
            "ended_at",
            "number",
            sqlite_where=text("ended_at IS NOT NULL AND erased_at IS NULL"),
        ),
    )

    number: int | None = Field(default=None, primary_key=True)
    application_id: str = Field(unique=True)
    receipt_no: str = Field(index=True)
    item_id: str
    state: str
    standing: str
    site: str
    township: str
    applicant_name: str = Field(index=True)
    applicant_id_no: str = Field(index=True)
    updated_at: datetime = Field(index=True)
    due: date | None = None
    version: int
    case_seq: int
    catalog_version: int
    pending: str
    refusal: str | None = None
    shown: str = Field(sa_column=_wide())
    confirmed: str | None = Field(default=None, sa_column=_wide(optional=True))
    ended_at: str | None = None
    erased_at: datetime | None = None


class DraftRow(SQLModel, table=True):
    """What a clerk has typed so far, valid or not."""

    __tablename__ = "draft"

    draft_id: str = Field(primary_key=True)
    kind: str
    item_id: str
    form_id: str
    catalog_version: int = Field(foreign_key="catalog_version.version", index=True)
    application_id: str | None = Field(default=None, index=True)
    clerk_id: str
    created_at: datetime
    updated_at: datetime = Field(index=True)
    body: str = Field(sa_column=_wide())


class ScanRow(SQLModel, table=True):
    """One sealed scan: whose it is, what opens it, where its bytes are."""

    __tablename__ = "scan"

    scan_hash: str = Field(primary_key=True)
    status: str = Field(index=True)
    draft_id: str | None = Field(default=None, sa_column=_owner("draft.draft_id"))
    application_id: str | None = Field(default=None, sa_column=_owner("application.application_id"))
    material_id: str
    page: int
    length: int
    media_type: str
    kept_at: datetime
    content_key: bytes | None = None
    wrap: bytes | None = None


class JournalRow(SQLModel, table=True):
    """One link of the node's journal: the sealed envelope, and what this node itself may still read of it."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_unposted", "seq", sqlite_where=text("posted = 0")),
        Index("journal_of_application", "application_id", "seq"),
        Index("journal_unanswered", "seq", sqlite_where=text("outcome IS NULL")),
    )

    seq: int = Field(primary_key=True)
    op_id: str = Field(unique=True)
    kind: str
    application_id: str | None = None
    at: datetime
    posted: bool = False
    outcome: str | None = None
    refusal: str | None = None
    prev: bytes
    link: bytes
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ArchivedLinkRow(SQLModel, table=True):
    """One link of a chain that this machine left behind when it was enrolled anew; sealed bytes only, never posted."""

    __tablename__ = "journal_archive"

    node_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    op_id: str
    kind: str
    application_id: str | None = None
    at: datetime
    outcome: str | None = None
    refusal: str | None = None
    prev: bytes
    link: bytes
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ClerkRow(SQLModel, table=True):
    """Who may sign in at this counter, and how the last attempts went."""

    __tablename__ = "clerk"

    clerk_id: str = Field(primary_key=True)
    name: str
    role: str
    region: str
    active: bool
    passphrase: str
    failures: int = 0
    locked_until: datetime | None = None
    last_in: datetime | None = None


class KeyRow(SQLModel, table=True):
    """A private key of the node; the newest of a purpose is the one in use."""

    __tablename__ = "node_key"

    key_id: str = Field(primary_key=True)
    purpose: str = Field(index=True)
    since: datetime
    public: bytes
    secret: bytes


class StateRow(SQLModel, table=True):
    """One named value that has no table of its own."""

    __tablename__ = "state"

    name: str = Field(primary_key=True)
    value: str


class CatalogVersionRow(SQLModel, table=True):
    """A catalog that was accepted here; exactly one is active."""

    __tablename__ = "catalog_version"

    version: int = Field(primary_key=True)
    active: bool
    released_at: datetime
    activated_at: datetime
    confirmed_at: datetime
    expires_at: datetime | None = None
    accepted: str = Field(sa_column=_wide())


class CatalogBodyRow(SQLModel, table=True):
    """One item, form or document, kept once however many versions hold it."""

    __tablename__ = "catalog_body"

    digest: bytes = Field(primary_key=True)
    body: str = Field(sa_column=_wide())


class CatalogEntryRow(SQLModel, table=True):
    """Which bodies a version consists of."""

    __tablename__ = "catalog_entry"

    version: int = Field(primary_key=True, foreign_key="catalog_version.version")
    kind: str = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    digest: bytes = Field(foreign_key="catalog_body.digest", index=True)


class DictionaryRow(SQLModel, table=True):
    """A compression dictionary; never removed, for old envelopes name it."""

    __tablename__ = "dictionary"

    number: int = Field(primary_key=True)
    content: bytes


class ItemLineRow(SQLModel, table=True):
    """What an item of the active catalog is found and ranked by; rebuilt whenever a version is activated.

    Narrow, so that 3,000 of them stay in the page cache of a small machine.
    """

    __tablename__ = "item_line"

    number: int = Field(primary_key=True)
    item_id: str = Field(unique=True)
    name: str
    domain: str = Field(index=True)
    titles: str
    initials: str
    alias_initials: str


class ItemTextRow(SQLModel, table=True):
    """The wide half of an item line: what a list shows, and the text of the guide."""

    __tablename__ = "item_text"

    number: int = Field(primary_key=True)
    line: str = Field(sa_column=_wide())
    guide: str = Field(sa_column=_wide())
