"""How long a node was away is counted in days on which the city served somebody, too, not by its clock alone."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nobody was away yet: the count begins now."""
    op.create_table(
        "served_days",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("day"),
    )
    with op.batch_alter_table("nodes") as table:
        table.add_column(
            sa.Column(
                "heard_on", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, server_default="0"
            )
        )
