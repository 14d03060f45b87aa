"""The ledger's tables.

Laws: the sealed bytes a node sent are kept as they came (`journal.envelope`); `case_entries` is the city's order of one
application and the only source of feeds; columns beside a body exist because something is queried by them. The
registry is the ledger's own, so that a desk in the same process (tests) cannot meet it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, cast

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(Integer, "sqlite")
_registry = registry(
    metadata=MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
)


class LedgerRow(SQLModel, registry=_registry):
    """The root of every row of the ledger."""

    metadata: ClassVar[MetaData] = _registry.metadata


class LedgerIdentityRow(LedgerRow, table=True):
    """Which timeline this ledger is: a new epoch at each creation and restore."""

    __tablename__ = "ledger_identity"
    id: int = Field(primary_key=True)
    epoch: str
    created_at: datetime


class EnrolmentCodeRow(LedgerRow, table=True):
    """A one-time code: only its keyed hash is kept; `request_hash` is the one request that used it."""

    __tablename__ = "enrolment_codes"
    code_mac: str = Field(primary_key=True)
    role: str
    site: str
    site_name: str
    issued_at: datetime
    expires_at: datetime
    node_id: str | None = None
    request_hash: str | None = None
    used_at: datetime | None = None
    document: str | None = Field(default=None, sa_column=Column(Text))


class NodeRow(LedgerRow, table=True):
    """An enrolled node, its mark, and what it last reported of itself."""

    __tablename__ = "nodes"
    node_id: str = Field(primary_key=True)
    role: str
    site: str = Field(index=True)
    site_name: str
    region: str
    township: str
    standing: str
    stopped_for: str | None = None
    identity_public: bytes
    sealing_public: bytes
    transport_public: bytes
    valid_from: datetime
    valid_to: datetime
    hwm: int = Field(sa_column=Column(BIG, nullable=False))
    head_hash: bytes
    stable_hwm: int = Field(sa_column=Column(BIG, nullable=False))
    enrolled_at: datetime
    last_contact: datetime | None = None
    heard_on: int = Field(default=0, sa_column=Column(BIG, nullable=False, server_default="0"))
    """The number of the served day of the last contact."""
    report: str | None = Field(default=None, sa_column=Column(Text))


class ServedDayRow(LedgerRow, table=True):
    """A day on which the city served somebody."""

    __tablename__ = "served_days"
    number: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True))
    day: date = Field(unique=True)


class FeedHeadRow(LedgerRow, table=True):
    """Where a node's feed stands; locked by whoever appends."""

    __tablename__ = "feed_heads"
    node_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BIG, nullable=False))
    head_hash: bytes


class FeedEntryRow(LedgerRow, table=True):
    """One sealed entry of a node's feed."""

    __tablename__ = "feed_entries"
    node_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class JournalRow(LedgerRow, table=True):
    """A sealed envelope as the node sent it, and what the gateway made of it."""

    __tablename__ = "journal"
    node_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    op_id: str = Field(index=True)
    kind: int
    envelope_hash: bytes
    standing: str
    application_id: str | None = None
    received_at: datetime
    road: str | None = None
    """How it came here; unknown of what an earlier program took in."""
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OperationRow(LedgerRow, table=True):
    """What became of an op_id, for ever: the first body under it is the one that counts."""

    __tablename__ = "operations"
    op_id: str = Field(primary_key=True)
    body_hash: bytes
    node_id: str
    seq: int = Field(sa_column=Column(BIG, nullable=False))
    application_id: str | None = None
    case_seq: int
    result: str
    refusal: str | None = Field(default=None, sa_column=Column(Text))


class ApplicationRow(LedgerRow, table=True):
    """An application as the city knows it: the canonical record beside what lists are asked by."""

    __tablename__ = "applications"
    __table_args__ = (Index("ix_applications_state_updated_at", "state", "updated_at"),)
    application_id: str = Field(primary_key=True)
    receipt_no: str = Field(index=True)
    item_id: str
    site: str = Field(index=True)
    state: str
    case_seq: int
    updated_at: datetime
    record: str = Field(sa_column=Column(Text, nullable=False))


class CaseEntryRow(LedgerRow, table=True):
    """The city's order of one application: a node's operation, the city's own events, or both."""

    __tablename__ = "case_entries"
    application_id: str = Field(primary_key=True)
    case_seq: int = Field(primary_key=True)
    op_id: str | None = None
    author_node: str | None = None
    author_seq: int | None = Field(default=None, sa_column=Column(BIG))
    events: str = Field(sa_column=Column(Text, nullable=False))
    recorded_at: datetime


class ParkedRow(LedgerRow, table=True):
    """A stored operation that waits until its application has come as far as its author had seen it (`basis`)."""

    __tablename__ = "parked_operations"
    node_id: str = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    application_id: str = Field(index=True)
    basis: int
    parked_at: datetime


class CarriedBundleRow(LedgerRow, table=True):
    """A bundle that a carrier brought; `asked` is its inventory without the parts."""

    __tablename__ = "carried_bundles"
    bundle_id: str = Field(primary_key=True)
    node_id: str = Field(index=True)
    number: int = Field(sa_column=Column(BIG, nullable=False))
    taken_at: datetime
    asked: str = Field(sa_column=Column(Text, nullable=False))


class ScanOwnerRow(LedgerRow, table=True):
    """The site that sent this scan."""

    __tablename__ = "scan_owners"
    scan_hash: str = Field(primary_key=True)
    site: str


class ScanReferenceRow(LedgerRow, table=True):
    """An applied operation of a node of `site` refers to a scan; `shared` once its key went out to its readers."""

    __tablename__ = "scan_references"
    __table_args__ = (Index("ix_scan_references_application_id", "application_id"),)
    scan_hash: str = Field(primary_key=True)
    application_id: str = Field(primary_key=True)
    site: str = Field(primary_key=True)
    length: int = Field(sa_column=Column(BIG, nullable=False))
    shared: bool


class RecordSetRow(LedgerRow, table=True):
    """A record for the provincial platform, promised in the same transaction as the act it tells of."""

    __tablename__ = "platform_outbox"
    __table_args__ = (UniqueConstraint("act", "record_set", "row"),)
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    act: str
    application_id: str
    record_set: str
    row: int
    body: str = Field(sa_column=Column(Text, nullable=False))
    recorded_at: datetime
    delivered_at: datetime | None = Field(default=None)


class RatingRow(LedgerRow, table=True):
    """How the applicant rated: opened here, unreadable on every node."""

    __tablename__ = "ratings"
    application_id: str = Field(primary_key=True)
    level: int
    note: str = Field(sa_column=Column(Text, nullable=False))
    rated_at: datetime


class OfficeClerkRow(LedgerRow, table=True):
    """A person of the office, by `role` a department's clerk or an administrator; the passphrase as an Argon2id
    string, the lock-out persisted."""

    __tablename__ = "office_clerks"
    clerk_id: str = Field(primary_key=True)
    name: str
    department: str
    region: str
    role: str = Field(default="department", sa_column_kwargs={"server_default": "department"})
    passphrase: str
    failures: int
    locked_until: datetime | None = None


class OfficeSessionRow(LedgerRow, table=True):
    """A signed-in browser: only the hash of its cookie is kept."""

    __tablename__ = "office_sessions"
    token_hash: str = Field(primary_key=True)
    clerk_id: str
    form_secret: str
    last_seen: datetime


class ClerkRecoveryRow(LedgerRow, table=True):
    """A call of a clerk who forgot the passphrase, and what was said to it."""

    __tablename__ = "clerk_recoveries"
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True))
    at: datetime
    node_id: str = Field(index=True)
    clerk_id: str
    challenge: str
    answered_by: str
    verdict: str


class OfficeAuditRow(LedgerRow, table=True):
    """One entry of the city's own audit chain; the columns beside the signed document are what it is asked by."""

    __tablename__ = "office_audit"
    seq: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    at: datetime
    clerk_id: str
    act: str
    application_id: str | None = Field(default=None, index=True)
    about: str
    document: str = Field(sa_column=Column(Text, nullable=False))


class VerifiedBackupRow(LedgerRow, table=True):
    """A backup that was restored on trial and found whole, and whose marks the nodes may rely on since."""

    __tablename__ = "verified_backups"
    backup_id: str = Field(primary_key=True)
    epoch: str
    made_at: datetime
    verified_at: datetime
    place: str = Field(sa_column=Column(Text, nullable=False))
    applications: int = Field(sa_column=Column(BIG, nullable=False))
    scans: int = Field(sa_column=Column(BIG, nullable=False))
    held_back: int = Field(sa_column=Column(BIG, nullable=False))


class RestoreRow(LedgerRow, table=True):
    """A timeline that began by a restore, and the one that was left; `as_of` is the moment it was set back to."""

    __tablename__ = "restores"
    epoch: str = Field(primary_key=True)
    restored_at: datetime
    left_epoch: str
    backup_id: str | None = None
    as_of: datetime | None = None


def _table(row: type[LedgerRow]) -> Table:
    return cast("Table", row.__table__)  # type: ignore[attr-defined]


METADATA = _registry.metadata
LEDGER_IDENTITY = _table(LedgerIdentityRow)
ENROLMENT_CODES = _table(EnrolmentCodeRow)
NODES = _table(NodeRow)
SERVED_DAYS = _table(ServedDayRow)
FEED_HEADS = _table(FeedHeadRow)
FEED_ENTRIES = _table(FeedEntryRow)
JOURNAL = _table(JournalRow)
OPERATIONS = _table(OperationRow)
APPLICATIONS = _table(ApplicationRow)
CASE_ENTRIES = _table(CaseEntryRow)
PARKED = _table(ParkedRow)
CARRIED_BUNDLES = _table(CarriedBundleRow)
SCAN_OWNERS = _table(ScanOwnerRow)
SCAN_REFERENCES = _table(ScanReferenceRow)
PLATFORM_OUTBOX = _table(RecordSetRow)
RATINGS = _table(RatingRow)
OFFICE_CLERKS = _table(OfficeClerkRow)
OFFICE_SESSIONS = _table(OfficeSessionRow)
CLERK_RECOVERIES = _table(ClerkRecoveryRow)
OFFICE_AUDIT = _table(OfficeAuditRow)
VERIFIED_BACKUPS = _table(VerifiedBackupRow)
RESTORES = _table(RestoreRow)
