"""Which verified backups there are, and which timelines this ledger has had."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add backups and restores."""
    op.create_table(
        "verified_backups",
        sa.Column("backup_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("applications", BIG, nullable=False),
        sa.Column("scans", BIG, nullable=False),
        sa.Column("held_back", BIG, nullable=False),
        sa.PrimaryKeyConstraint("backup_id", name=op.f("pk_verified_backups")),
    )
    op.create_table(
        "restores",
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_epoch", sa.String(), nullable=False),
        sa.Column("backup_id", sa.String(), nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_restores")),
    )
