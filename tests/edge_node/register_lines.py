"""Lines of a register for tests: applications of any day, site and state, without papers, and the audit entries."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from casework.application import Actor, Applicant, Application, Decision, Role
from casework.events import Collected
from casework.forms import Form
from casework.lifecycle import advance, draft
from casework.states import State
from offline_store.desk import applications, journal
from offline_store.desk.applications import Standing
from tests.casework.form_values import valid_values
from tests.edge_node.town import MORNING, TOWNSHIP, VILLAGE, Town, seed
from wire.messages import read_operation

OTHER_VILLAGE = "511603106204"
NAME = "张测试"
AGENT = "李样例"


@cache
def _model(item_id: str) -> Application:
    item = next(one for one in seed("items")["items"] if one["item_id"] == item_id)
    form = Form.from_plain(next(one for one in seed("forms")["forms"] if one["form_id"] == item["form_id"]))
    fixed = {"agent_mode": "village_agent", "agent_name": AGENT, "applicant_name": NAME}
    values = valid_values(form, [VILLAGE], random.Random(5), fixed)
    collected = Collected(
        at=MORNING,
        by=Actor(Role.AGENT, "agent1", "b" * 32, VILLAGE),
        receipt_no="-",
        item_id=item_id,
        form_id=item["form_id"],
        catalog_version=1,
        site=VILLAGE,
        township=TOWNSHIP,
        applicant=Applicant.from_form(values),
        form=values,
    )
    return advance(draft("0" * 32), collected)


def file(
    town: Town,
    number: int,
    day: date,
    *,
    item_id: str = "GA-LY-001",
    site: str = VILLAGE,
    name: str = NAME,
    erased: bool = False,
    **fixed: Any,
) -> str:
    """One application that was taken in on a day, as the township knows it."""
    model = _model(item_id)
    at = MORNING + (day - MORNING.date())
    it = replace(
        model,
        application_id=f"{number:032x}",
        receipt_no=f"{site}-{day:%Y%m%d}-{number:04d}-K",
        site=site,
        applicant=replace(model.applicant, name=name),
        **{"state": State.PRE_REVIEW, "collected_at": at, "received_at": at, **fixed},
    )
    with town.counter.desk.transaction() as tx:
        applications.save(tx, it, confirmed=it, standing=Standing.CONFIRMED, case_seq=2, at=MORNING)
        if erased:
            applications.erase(tx, it.application_id, MORNING)
    return it.application_id


def concluded(day: date) -> dict[str, Any]:
    """What an application is that was accepted and granted on one day."""
    at = MORNING + timedelta(days=(day - MORNING.date()).days)
    ruling = Decision(granted=True, reason="", document_name="", document_no="", decided_on=at)
    return {"state": State.CONCLUDED, "accepted_at": at, "decision": ruling, "concluded_at": at}


def noted(town: Town) -> list[Mapping[str, Any]]:
    """Every audit entry of the journal."""
    with town.counter.desk.reading() as tx:
        said = [read_operation(link.body).audit for link in journal.after(tx, 0, limit=1000)]
    return [one for one in said if one]
