"""Mail also comes by carrier: which bundles were taken in, and what they asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the bundles that were carried."""
    op.create_table(
        "carried_bundles",
        sa.Column("bundle_id", sa.String(), nullable=False),
        sa.Column("node_id", sa.String(), nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bundle_id", name=op.f("pk_carried_bundles")),
    )
    op.create_index(op.f("ix_carried_bundles_node_id"), "carried_bundles", ["node_id"], unique=False)
