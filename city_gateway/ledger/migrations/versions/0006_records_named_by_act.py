"""A record for the provincial platform is named by its act, which a restored ledger does not number anew."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Name what was promised before by application and number: that name was given once and stays."""
    with op.batch_alter_table("platform_outbox") as table:
        table.add_column(sa.Column("act", sa.String(), nullable=True))
    op.execute("UPDATE platform_outbox SET act = application_id || ':' || case_seq")
    with op.batch_alter_table("platform_outbox") as table:
        table.alter_column("act", existing_type=sa.String(), nullable=False)
        table.drop_constraint("uq_platform_outbox_application_id_case_seq_record_set_row", type_="unique")
        table.drop_column("case_seq")
        table.create_unique_constraint("uq_platform_outbox_act_record_set_row", ["act", "record_set", "row"])
