"""The ledger in outline: which applications there are and what took effect on each, without a word of what is in them.

For comparing what nodes called saved with what the city has (demo, journeys, an auditor); no personal data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from city_gateway.ledger import cases
from city_gateway.ledger.cases import Case
from city_gateway.ledger.database import Ledger

PAGE = 500


def outline(ledger: Ledger) -> Iterator[dict[str, Any]]:
    """One plain record for each application, all as of one moment."""
    with ledger.reading() as tx:
        offset, total = 0, 1
        while offset < total:
            found, total = cases.page(tx, offset=offset, limit=PAGE)
            for case in found:
                yield _told(tx, case)
            offset += PAGE


def _told(tx: Connection, case: Case) -> dict[str, Any]:
    application = case.application
    return {
        "application_id": application.application_id,
        "receipt_no": application.receipt_no,
        "state": str(application.state),
        "history": [step.event for step in application.history],
        "entries": [
            {
                "case_seq": entry.case_seq,
                "op_id": entry.op_id,
                "author_node": entry.author_node,
                "events": [event["event"] for event in entry.events],
            }
            for entry in cases.entries_of(tx, application.application_id)
        ],
    }
