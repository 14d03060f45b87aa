"""A page of a feed and the head it is signed with are of one moment, however the database reads."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from city_gateway.ledger import feeds
from tests.city_gateway.gateway_fixtures import City
from wire.audit_chain import Head

pytestmark = pytest.mark.node


def append(city: City, node_id: str, seq: int) -> None:
    with city.gateway.ledger.transaction() as tx:
        feeds.lock_heads(tx, [node_id])
        feeds.append(tx, [(node_id, seq, bytes([seq]))], {node_id: Head(seq, bytes(32))})


def page(tx: Connection, node_id: str, after: int) -> tuple[list[bytes], int, bool]:
    return feeds.page(tx, node_id, after=after, limit=100, max_bytes=1000)


async def test_an_entry_appended_while_a_page_is_read_waits_for_the_next_page(city: City) -> None:
    node_id = (await city.enrol()).document.node_id
    append(city, node_id, 1)
    heads_read: list[str] = []

    def append_after_the_head(_tx: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "feed_heads" in statement:
            heads_read.append(statement)
            append(city, node_id, 2)

    with city.gateway.ledger.reading() as tx:
        event.listen(tx, "after_cursor_execute", append_after_the_head)
        assert page(tx, node_id, 0) == ([b"\x01"], 1, False)
    assert len(heads_read) == 1
    with city.gateway.ledger.reading() as tx:
        assert page(tx, node_id, 1) == ([b"\x02"], 2, False)
