"""The archive of chains that were begun anew under another identity."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    CREATE TABLE journal_archive (
        node_id VARCHAR NOT NULL,
        seq INTEGER NOT NULL,
        op_id VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        application_id VARCHAR,
        at DATETIME NOT NULL,
        outcome VARCHAR,
        refusal VARCHAR,
        prev BLOB NOT NULL,
        link BLOB NOT NULL,
        envelope BLOB NOT NULL,
        PRIMARY KEY (node_id, seq)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
