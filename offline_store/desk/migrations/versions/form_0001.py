"""The first form of the desk."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE application (
        number INTEGER NOT NULL,
        application_id VARCHAR NOT NULL,
        receipt_no VARCHAR NOT NULL,
        item_id VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        standing VARCHAR NOT NULL,
        site VARCHAR NOT NULL,
        township VARCHAR NOT NULL,
        applicant_name VARCHAR NOT NULL,
        applicant_id_no VARCHAR NOT NULL,
        updated_at DATETIME NOT NULL,
        due DATE,
        version INTEGER NOT NULL,
        case_seq INTEGER NOT NULL,
        catalog_version INTEGER NOT NULL,
        pending VARCHAR NOT NULL,
        refusal VARCHAR,
        shown TEXT NOT NULL,
        confirmed TEXT,
        PRIMARY KEY (number),
        UNIQUE (application_id)
    )
    """,
    "CREATE INDEX application_by_catalog ON application (catalog_version, state)",
    "CREATE INDEX application_by_due ON application (state, due, updated_at)",
    "CREATE INDEX application_by_item ON application (item_id, updated_at)",
    "CREATE INDEX application_by_site ON application (site, updated_at)",
    "CREATE INDEX application_by_state ON application (state, updated_at)",
    "CREATE INDEX ix_application_applicant_id_no ON application (applicant_id_no)",
    "CREATE INDEX ix_application_applicant_name ON application (applicant_name)",
    "CREATE INDEX ix_application_receipt_no ON application (receipt_no)",
    "CREATE INDEX ix_application_updated_at ON application (updated_at)",
    """
    CREATE TABLE catalog_body (
        digest BLOB NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (digest)
    )
    """,
    """
    CREATE TABLE catalog_version (
        version INTEGER NOT NULL,
        active BOOLEAN NOT NULL,
        released_at DATETIME NOT NULL,
        activated_at DATETIME NOT NULL,
        confirmed_at DATETIME NOT NULL,
        expires_at DATETIME,
        accepted TEXT NOT NULL,
        PRIMARY KEY (version)
    )
    """,
    """
    CREATE TABLE clerk (
        clerk_id VARCHAR NOT NULL,
        name VARCHAR NOT NULL,
        role VARCHAR NOT NULL,
        region VARCHAR NOT NULL,
        active BOOLEAN NOT NULL,
        passphrase VARCHAR NOT NULL,
        failures INTEGER NOT NULL,
        locked_until DATETIME,
        last_in DATETIME,
        PRIMARY KEY (clerk_id)
    )
    """,
    """
    CREATE TABLE dictionary (
        number INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (number)
    )
    """,
    """
    CREATE TABLE item_line (
        number INTEGER NOT NULL,
        item_id VARCHAR NOT NULL,
        name VARCHAR NOT NULL,
        domain VARCHAR NOT NULL,
        titles VARCHAR NOT NULL,
        initials VARCHAR NOT NULL,
        alias_initials VARCHAR NOT NULL,
        PRIMARY KEY (number),
        UNIQUE (item_id)
    )
    """,
    "CREATE INDEX ix_item_line_domain ON item_line (domain)",
    """
    CREATE TABLE item_text (
        number INTEGER NOT NULL,
        line TEXT NOT NULL,
        guide TEXT NOT NULL,
        PRIMARY KEY (number)
    )
    """,
    """
    CREATE TABLE journal (
        seq INTEGER NOT NULL,
        op_id VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        application_id VARCHAR,
        at DATETIME NOT NULL,
        posted BOOLEAN NOT NULL,
        outcome VARCHAR,
        refusal VARCHAR,
        prev BLOB NOT NULL,
        link BLOB NOT NULL,
        envelope BLOB NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (seq),
        UNIQUE (op_id)
    )
    """,
    "CREATE INDEX journal_of_application ON journal (application_id, seq)",
    "CREATE INDEX journal_unanswered ON journal (seq) WHERE outcome IS NULL",
    "CREATE INDEX journal_unposted ON journal (seq) WHERE posted = 0",
    """
    CREATE TABLE node_key (
        key_id VARCHAR NOT NULL,
        purpose VARCHAR NOT NULL,
        since DATETIME NOT NULL,
        public BLOB NOT NULL,
        secret BLOB NOT NULL,
        PRIMARY KEY (key_id)
    )
    """,
    "CREATE INDEX ix_node_key_purpose ON node_key (purpose)",
    """
    CREATE TABLE state (
        name VARCHAR NOT NULL,
        value VARCHAR NOT NULL,
        PRIMARY KEY (name)
    )
    """,
    """
    CREATE TABLE catalog_entry (
        version INTEGER NOT NULL,
        kind VARCHAR NOT NULL,
        ref VARCHAR NOT NULL,
        digest BLOB NOT NULL,
        PRIMARY KEY (version, kind, ref),
        FOREIGN KEY(version) REFERENCES catalog_version (version),
        FOREIGN KEY(digest) REFERENCES catalog_body (digest)
    )
    """,
    "CREATE INDEX ix_catalog_entry_digest ON catalog_entry (digest)",
    """
    CREATE TABLE draft (
        draft_id VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        item_id VARCHAR NOT NULL,
        form_id VARCHAR NOT NULL,
        catalog_version INTEGER NOT NULL,
        application_id VARCHAR,
        clerk_id VARCHAR NOT NULL,
        created_at DATETIME NOT NULL,
        updated_at DATETIME NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (draft_id),
        FOREIGN KEY(catalog_version) REFERENCES catalog_version (version)
    )
    """,
    "CREATE INDEX ix_draft_application_id ON draft (application_id)",
    "CREATE INDEX ix_draft_catalog_version ON draft (catalog_version)",
    "CREATE INDEX ix_draft_updated_at ON draft (updated_at)",
    """
    CREATE TABLE scan (
        scan_hash VARCHAR NOT NULL,
        status VARCHAR NOT NULL,
        draft_id VARCHAR,
        application_id VARCHAR,
        material_id VARCHAR NOT NULL,
        page INTEGER NOT NULL,
        length INTEGER NOT NULL,
        media_type VARCHAR NOT NULL,
        kept_at DATETIME NOT NULL,
        content_key BLOB,
        wrap BLOB,
        PRIMARY KEY (scan_hash),
        FOREIGN KEY(draft_id) REFERENCES draft (draft_id) DEFERRABLE INITIALLY DEFERRED,
        FOREIGN KEY(application_id) REFERENCES application (application_id) DEFERRABLE INITIALLY DEFERRED
    )
    """,
    "CREATE INDEX ix_scan_application_id ON scan (application_id)",
    "CREATE INDEX ix_scan_draft_id ON scan (draft_id)",
    "CREATE INDEX ix_scan_status ON scan (status)",
    # Contentless: found by its grams (module `grams`), a name itself stands only in its row.
    """
    CREATE VIRTUAL TABLE application_words USING fts5(
        name, id_no, receipt_tail, content='', contentless_delete=1, tokenize='ascii'
    )
    """,
    """
    CREATE VIRTUAL TABLE item_words USING fts5(
        name, aliases, content='', contentless_delete=1, tokenize='ascii'
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
