"""A scan belongs to the site that sent it; operations can wait for what came before them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add owners and waiting operations; a scan that one site alone refers to is that site's."""
    op.create_table(
        "scan_owners",
        sa.Column("scan_hash", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("scan_hash", name=op.f("pk_scan_owners")),
    )
    op.create_table(
        "parked_operations",
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("basis", sa.Integer(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "seq", name=op.f("pk_parked_operations")),
    )
    op.create_index(op.f("ix_parked_operations_application_id"), "parked_operations", ["application_id"], unique=False)
    op.execute("CREATE TABLE references_before AS SELECT * FROM scan_references")
    op.drop_table("scan_references")
    op.create_table(
        "scan_references",
        sa.Column("scan_hash", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("length", BIG, nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scan_hash", "application_id", "site", name=op.f("pk_scan_references")),
    )
    op.create_index("ix_scan_references_application_id", "scan_references", ["application_id"], unique=False)
    op.execute(
        "INSERT INTO scan_references (scan_hash, application_id, site, length, shared)"
        " SELECT b.scan_hash, b.application_id, a.site, b.length, b.shared"
        " FROM references_before b JOIN applications a ON a.application_id = b.application_id"
    )
    op.execute(
        "INSERT INTO scan_owners (scan_hash, site) SELECT scan_hash, MIN(site) FROM scan_references"
        " GROUP BY scan_hash HAVING COUNT(DISTINCT site) = 1"
    )
    op.drop_table("references_before")
