"""Applications know when their time of keeping begins and when their papers were erased."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "ALTER TABLE application ADD COLUMN ended_at VARCHAR",
    "ALTER TABLE application ADD COLUMN erased_at DATETIME",
    """
    UPDATE application SET ended_at =
        coalesce(json_extract(confirmed, '$.closed_at'), json_extract(confirmed, '$.delivered_at'))
    WHERE confirmed IS NOT NULL
    """,
    """
    CREATE INDEX application_to_erase ON application (ended_at, number)
    WHERE ended_at IS NOT NULL AND erased_at IS NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
