"""The first ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table of the first release."""
    op.create_table(
        "applications",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("receipt_no", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("case_seq", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_applications")),
    )
    op.create_index(op.f("ix_applications_receipt_no"), "applications", ["receipt_no"], unique=False)
    op.create_index(op.f("ix_applications_site"), "applications", ["site"], unique=False)
    op.create_index("ix_applications_state_updated_at", "applications", ["state", "updated_at"], unique=False)
    op.create_table(
        "case_entries",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("case_seq", sa.Integer(), nullable=False),
        sa.Column("op_id", sa.String(), nullable=True),
        sa.Column("author_node", sa.String(), nullable=True),
        sa.Column("author_seq", BIG, nullable=True),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "case_seq", name=op.f("pk_case_entries")),
    )
    op.create_table(
        "enrolment_codes",
        sa.Column("code_mac", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("site_name", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("node_id", sa.String(), nullable=True),
        sa.Column("request_hash", sa.String(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("code_mac", name=op.f("pk_enrolment_codes")),
    )
    op.create_table(
        "feed_entries",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "seq", name=op.f("pk_feed_entries")),
    )
    op.create_table(
        "feed_heads",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_feed_heads")),
    )
    op.create_table(
        "journal",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("op_id", sa.String(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("envelope_hash", sa.LargeBinary(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "seq", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_op_id"), "journal", ["op_id"], unique=False)
    op.create_table(
        "ledger_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_identity")),
    )
    op.create_table(
        "nodes",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("site_name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("township", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("stopped_for", sa.String(), nullable=True),
        sa.Column("identity_public", sa.LargeBinary(), nullable=False),
        sa.Column("sealing_public", sa.LargeBinary(), nullable=False),
        sa.Column("transport_public", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hwm", BIG, nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.Column("stable_hwm", BIG, nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_contact", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_nodes")),
    )
    op.create_index(op.f("ix_nodes_site"), "nodes", ["site"], unique=False)
    op.create_table(
        "office_clerks",
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("passphrase", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("clerk_id", name=op.f("pk_office_clerks")),
    )
    op.create_table(
        "office_sessions",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("form_secret", sa.String(), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_office_sessions")),
    )
    op.create_table(
        "operations",
        sa.Column("op_id", sa.String(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("application_id", sa.String(), nullable=True),
        sa.Column("case_seq", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("op_id", name=op.f("pk_operations")),
    )
    op.create_table(
        "platform_outbox",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("case_seq", sa.Integer(), nullable=False),
        sa.Column("record_set", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_outbox")),
        sa.UniqueConstraint(
            "application_id",
            "case_seq",
            "record_set",
            "row",
            name=op.f("uq_platform_outbox_application_id_case_seq_record_set_row"),
        ),
    )
    op.create_table(
        "ratings",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_ratings")),
    )
    op.create_table(
        "scan_references",
        sa.Column("scan_hash", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("length", BIG, nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scan_hash", "application_id", name=op.f("pk_scan_references")),
    )
    op.create_index("ix_scan_references_application_id", "scan_references", ["application_id"], unique=False)
