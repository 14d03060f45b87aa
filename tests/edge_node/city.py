"""What the city and its township say to a village in tests: received, returned, ruled."""

from datetime import date

from casework.application import Actor, Decision, ReturnPoint, Role
from casework.events import (
    Accepted,
    Concluded,
    Decided,
    PreReviewStarted,
    Returned,
    ReviewStarted,
    Submitted,
)
from offline_store.desk import applications
from offline_store.desk.applications import Known
from tests.edge_node.village import CITY, Village

TOWN = Actor(Role.CLERK, "ck01", "7" * 32, "511603106000")


def known(village: Village, application_id: str) -> Known:
    with village.counter.desk.reading() as tx:
        return applications.load(tx, application_id)


def submitted(village: Village, application_id: str) -> None:
    """The city received it."""
    village.mail.turn()
    village.receipt()
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()


def returned(village: Village, application_id: str, *points: ReturnPoint) -> None:
    """The township returned it."""
    at = village.clock.wall
    village.tell(application_id, events=[PreReviewStarted(at=at, by=TOWN), Returned(at=at, by=TOWN, points=points)])
    village.mail.turn()


def ruled(village: Village, application_id: str) -> None:
    """Accepted, reviewed, granted, concluded."""
    submitted(village, application_id)
    at = village.clock.wall
    decision = Decision(granted=True, reason="虚构", document_name="虚构证", document_no="X1", decided_on=at)
    village.tell(
        application_id,
        events=[
            PreReviewStarted(at=at, by=TOWN),
            Accepted(at=at, by=TOWN, limit_due=date(2026, 12, 1)),
            ReviewStarted(at=at, by=CITY),
            Decided(at=at, by=CITY, decision=decision),
            Concluded(at=at, by=CITY),
        ],
    )
    village.mail.turn()
