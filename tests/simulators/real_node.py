"""The real node behind the same face as `CounterSimulator`, so that one suite runs against both.

What the simulator keeps in dictionaries is read here from the node's own acts; `play` is the city telling it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casework.application import Actor, Application, ReturnPoint, Role
from casework.events import EVENTS
from edge_node.acts import drafting, listing
from edge_node.app import counter_app
from offline_store.desk import applications
from tests.edge_node.village import AGENT, CITY, PASSPHRASE, TOWNSHIP, Village

TOWN = Actor(Role.CLERK, "ck01", "7" * 32, TOWNSHIP)
DEPARTMENT = Actor(Role.DEPARTMENT, "", "c" * 32, "511603000000")


class RealNode:
    """One village node, its city, and what a test asks of both."""

    clerk, passphrase = AGENT, PASSPHRASE

    def __init__(self, folder: Path) -> None:
        self.village = Village.at(folder)
        self.app = counter_app(self.village.counter)
        self._confirmed: set[str] = set()

    @property
    def drafts(self) -> dict[str, dict[str, Any]]:
        counter, who = self.village.counter, self.village.who
        rows = drafting.page(counter, who, limit=100).rows
        return {row.draft_id: drafting.show(counter, who, row.draft_id).model_dump(mode="json") for row in rows}

    @property
    def applications(self) -> dict[str, Application]:
        counter, who = self.village.counter, self.village.who
        with counter.desk.reading() as tx:
            rows = listing.page(counter, who, states=None, text="", offset=0, limit=100).rows
            return {row.application_id: applications.load(tx, row.application_id).shown for row in rows}

    def play(self, application_id: str, *codes: str, **fields: Any) -> Application:
        """Let township, department and city act, by the feed."""
        actors = {"submitted": CITY, "review_started": DEPARTMENT, "decided": DEPARTMENT, "concluded": DEPARTMENT}
        at = self.village.clock.wall
        events = [EVENTS[code](at=at, by=actors.get(code, TOWN), **fields) for code in codes]
        self.village.mail.turn()
        self.village.receipt()
        own = None if application_id in self._confirmed else application_id
        self._confirmed.add(application_id)
        self.village.tell(application_id, op_id=own, events=events)
        self.village.mail.turn()
        return self.applications[application_id]

    def give_back(self, application_id: str, *points: tuple[str, str, str, str]) -> None:
        self.play(application_id, "submitted", "pre_review_started")
        self.play(application_id, "returned", points=tuple(ReturnPoint(*point) for point in points))

    def kill(self) -> None:
        """End without a word, and start again on what is on the disk."""
        self.village = self.village.restarted(close=False)
        self.app = counter_app(self.village.counter)

    def close(self) -> None:
        self.village.counter.desk.close()


@contextmanager
def real_node(folder: Path) -> Iterator[RealNode]:
    node = RealNode(folder)
    try:
        yield node
    finally:
        node.close()


def picture(number: int) -> bytes:
    """A small JPEG that the real node accepts; no two are alike."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (320, 240), (240, number % 256, 200)).save(out, "JPEG")
    return out.getvalue()
