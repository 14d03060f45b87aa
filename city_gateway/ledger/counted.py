"""What the assessment figures are reckoned from: each application with its rating's level and the road it came by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from casework.application import Application
from casework.record import application_from_plain
from casework.states import CLOSED_STATES, State
from city_gateway.ledger.cases import within
from city_gateway.ledger.tables import APPLICATIONS, CASE_ENTRIES, JOURNAL, RATINGS

ROWS_AT_ONCE = 500
OPEN = [str(state) for state in State if state not in CLOSED_STATES]


def counted(tx: Connection, region: str, since: datetime) -> Iterator[tuple[Application, int | None, str | None]]:
    """Every application of the region that is open or moved since then: itself, the rating's level, the road."""
    first, sealed = CASE_ENTRIES.alias(), JOURNAL
    asked = (
        sa.select(APPLICATIONS.c.application_id, APPLICATIONS.c.record, RATINGS.c.level, sealed.c.road)
        .join(RATINGS, RATINGS.c.application_id == APPLICATIONS.c.application_id, isouter=True)
        .join(
            first,
            (first.c.application_id == APPLICATIONS.c.application_id) & (first.c.case_seq == 1),
            isouter=True,
        )
        .join(sealed, (sealed.c.node_id == first.c.author_node) & (sealed.c.seq == first.c.author_seq), isouter=True)
        .where(within(region), (APPLICATIONS.c.updated_at >= since) | APPLICATIONS.c.state.in_(OPEN))
        .order_by(APPLICATIONS.c.application_id)
        .limit(ROWS_AT_ONCE)
    )
    after = ""
    while rows := tx.execute(asked.where(APPLICATIONS.c.application_id > after)).all():
        for row in rows:
            yield application_from_plain(json.loads(row.record)), row.level, row.road
        after = rows[-1].application_id
