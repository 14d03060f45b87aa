"""Who read, ruled and exported at the city is kept as a chain; what a person of the office is for; how mail came in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Whoever is registered rules for a department; how earlier mail came in is not known."""
    op.create_table(
        "office_audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=True),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_office_audit")),
    )
    op.create_index(op.f("ix_office_audit_application_id"), "office_audit", ["application_id"])
    # added in place: the journal is the largest table there is, and it is not copied for this
    op.add_column("office_clerks", sa.Column("role", sa.String(), nullable=False, server_default="department"))
    op.add_column("journal", sa.Column("road", sa.String(), nullable=True))
