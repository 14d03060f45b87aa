"""Ruling: a department moves an application, and everyone concerned is told in the same transaction.

Laws: the same lifecycle and the same duties as everywhere; the ruling waits in the feeds until the nodes ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from casework.application import Actor, Application, Decision, Role
from casework.errors import CaseworkError
from casework.events import Event, Voided
from casework.record import event_to_plain
from city_gateway.acts import office_audit
from city_gateway.acts.casebook import Casebook
from city_gateway.acts.feed import Draft, tell
from city_gateway.acts.gateway import CITY_REGION, Gateway
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.acts.parking import unpark
from city_gateway.acts.platform_port import name_of_ruling, records_of
from city_gateway.acts.readers import Readers
from city_gateway.errors import ApplicationUnknown, RulingRefused
from city_gateway.ledger import cases, outbox
from city_gateway.ledger.cases import Case, CaseEntry
from wire.messages import FeedEntry, Result

Ruling = Callable[[Application, datetime], Sequence[Event]]
Witness = Callable[[Connection, str], None]


def _nobody(_tx: Connection, _code: str) -> None:
    """The city's own doing; the application's history tells of it."""


def rule(gateway: Gateway, application_id: str, ruling: Ruling, witness: Witness = _nobody) -> Application:
    """Apply what `ruling` makes of the application as it stands; nothing, when it makes nothing of it. `witness` is
    told in the same transaction what was done."""
    now = gateway.clock()

    def act(tx: Connection) -> tuple[Application, set[str]]:
        gateway.ledger.readers_stay(tx)
        book = Casebook(tx, [application_id])
        case = book.case(application_id)
        if case is None:
            raise ApplicationUnknown(application_id=application_id)
        events = list(ruling(case.application, now))
        if not events:
            return case.application, set()
        try:
            case = book.move(application_id, events)
        except CaseworkError as error:
            raise RulingRefused(why=error.code) from error
        book.save(now)
        news = _write(gateway, tx, case, events, now)
        witness(tx, events[0].code)
        return case.application, news

    application, news = gateway.ledger.run(act)
    gateway.news(news)
    unpark(gateway, [application_id])
    return application


def department(clerk_id: str, region: str, gateway: Gateway) -> Actor:
    """In whose name a department's clerk rules."""
    return Actor(Role.DEPARTMENT, clerk_id, gateway.keys.gateway_id, region)


def case_of(gateway: Gateway, application_id: str) -> Application:
    """The application as it stands; ApplicationUnknown when there is none."""
    with gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
    if case is None:
        raise ApplicationUnknown(application_id=application_id)
    return case.application


def case_named(gateway: Gateway, named: str) -> Application:
    """The application of this id or of exactly this receipt number; an administrator has only the latter in hand."""
    with gateway.ledger.reading() as tx:
        found, _ = cases.page(tx, text=named, offset=0, limit=2)
    by_receipt = [one.application for one in found if one.application.receipt_no == named]
    return by_receipt[0] if by_receipt else case_of(gateway, named)


def void(gateway: Gateway, application_id: str, administrator: str, reason: str) -> Application:
    """Declare the record of an application void: filed twice, filed for the wrong person. The one act of its kind, and
    an administrator's."""
    by = Actor(Role.ADMINISTRATOR, administrator, gateway.keys.gateway_id, CITY_REGION)
    who = office_audit.at_the_machine(administrator)

    def witness(tx: Connection, done: str) -> None:
        office_audit.note(gateway, tx, who, OfficeAct.RULED, application_id, done)

    return rule(gateway, application_id, lambda _application, at: [Voided(at=at, by=by, reason=reason)], witness)


def decision(*, granted: bool, reason: str, document_name: str, document_no: str, on: datetime) -> Decision:
    """The content of a ruling."""
    return Decision(granted, reason, document_name, document_no, on)


def _write(gateway: Gateway, tx: Connection, case: Case, events: Sequence[Event], now: datetime) -> set[str]:
    application = case.application
    plain = [event_to_plain(event) for event in events]
    entry = CaseEntry(application.application_id, case.case_seq, None, None, None, tuple(plain), now)
    cases.append(tx, [entry])
    named = name_of_ruling(application.application_id, events)
    outbox.promise(tx, records_of(application, named, events), now)
    told = FeedEntry(
        application_id=application.application_id,
        case_seq=case.case_seq,
        author_role=str(events[0].by.role),
        result=Result.APPLIED,
        events=plain,
    )
    return tell(gateway, tx, [Draft(reader, told) for reader in Readers(tx).of(application.site)])
