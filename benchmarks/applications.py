"""Applications for the benchmarks: drafts that are ready to be collected, and a desk that already holds many.

Every one is filled in from the form of a real item for an invented villager, with two scans; of a scan only the row is
made, because neither collecting nor listing touches its file.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from benchmarks.catalogs import seed
from benchmarks.village import AGENT_NAME, VILLAGE, Village
from casework.application import Actor, Applicant, HandedIn, Role, Scan, Seen
from casework.catalog import ServiceItem
from casework.events import Collected, Submitted
from casework.forms import Form
from casework.lifecycle import advance, draft
from casework.materials import AUTHORIZATION, Need, needed
from casework.receipt_numbers import receipt_number
from casework.working_days import city_day
from edge_node.acts import drafting, journaling
from offline_store.desk import applications, journal, scans, state
from offline_store.desk.applications import Standing
from offline_store.desk.database import Transaction
from offline_store.desk.scans import KeptScan, ScanStatus
from offline_store.desk.state import Marks
from provisioning.demo_people import filled_form
from wire.counter import HandedInView

SCANS_EACH: Final = 2
SCAN_BYTES: Final = 120_000
SCAN_TYPE: Final = "image/webp"
IN_ONE_TRANSACTION: Final = 500
A_DAY: Final = 40
DIFFERENT_PEOPLE: Final = 200


@dataclass(frozen=True, slots=True)
class Filled:
    """A form filled in, and what goes with it."""

    item: ServiceItem
    form: Form
    values: Mapping[str, Any]
    needs: Sequence[Need]

    def scanned(self) -> Iterator[tuple[str, int]]:
        """Material and page of each scan: the mandate and the first required paper, or two pages of one."""
        wanted = [one for one in self.needs if one.kind in {"authorization", "required"}]
        chosen = sorted(wanted, key=lambda need: need.material_id != AUTHORIZATION)[:SCANS_EACH]
        for number in range(SCANS_EACH):
            yield chosen[number % len(chosen)].material_id, number // len(chosen) + 1

    def handed_in(self) -> list[HandedInView]:
        """Every material decided, so that nothing is missing."""
        with_scan = {material_id for material_id, _ in self.scanned()}
        found = []
        for need in self.needs:
            seen = Seen.ORIGINAL_SEEN if need.material_id in with_scan else Seen.TO_BE_VERIFIED
            applies = False if need.kind == "conditional" else None
            found.append(HandedInView(material_id=need.material_id, seen=seen.value, applies=applies, copies=1))
        return found


@cache
def _collectable() -> list[tuple[ServiceItem, Form]]:
    """The real items that may be collected in a village and ask for a paper."""
    forms = {one["form_id"]: one for one in seed("forms")["forms"]}
    items = [ServiceItem.from_plain(one) for one in seed("items")["items"]]
    return [
        (item, Form.from_plain(forms[item.form_id]))
        for item in items
        if item.raw["service_mode"] == "apply"
        and item.raw["agent_policy"]["mode"] in ("full", "relatives_only")
        and any(one.necessity == "required" for one in item.materials)
    ]


def filled(rng: random.Random) -> Filled:
    """One application of somebody who cannot be alive, on any of the real items."""
    item, form = rng.choice(_collectable())
    values = filled_form(form, VILLAGE, item.raw["agent_policy"]["mode"], AGENT_NAME, rng)
    return Filled(item, form, values, needed(item, values, form))


def ready_draft(village: Village, rng: random.Random) -> str:
    """A draft on which nothing is missing any more; its id."""
    it = filled(rng)
    counter, agent = village.counter, village.agent
    draft_id = drafting.begin(counter, agent, it.item.item_id).draft_id
    drafting.change(counter, agent, draft_id, values=it.values, handed_in=it.handed_in())
    with counter.desk.transaction() as tx:
        _keep_scans(tx, it, ScanStatus.DRAFT, counter.clock.read().now, draft_id=draft_id)
    return draft_id


def fill(village: Village, count: int, rng: random.Random) -> None:
    """Put applications on the desk that the city has long confirmed, sealed and chained by the room's own functions."""
    people = [filled(rng) for _ in range(min(count, DIFFERENT_PEOPLE))]
    for start in range(0, count, IN_ONE_TRANSACTION):
        with village.counter.desk.transaction() as tx:
            seqs = [
                _confirmed(village, tx, rng.choice(people), number)
                for number in range(start, min(start + IN_ONE_TRANSACTION, count))
            ]
            journal.mark_posted(tx, seqs)
    with village.counter.desk.transaction() as tx:
        head, now = journal.head(tx), village.counter.clock.read().now
        gateway = village.counter.node.gateway.id
        state.keep_marks(tx, Marks(gateway, "0" * 32, head.seq, head.seq, head.hash.hex(), now.isoformat()))


def _confirmed(village: Village, tx: Transaction, it: Filled, number: int) -> int:
    counter, agent = village.counter, village.agent
    reading = counter.clock.read()
    at = reading.now - timedelta(days=1 + number // A_DAY)
    application_id = counter.new_id()
    kept = _keep_scans(tx, it, ScanStatus.STORED, at, application_id=application_id)
    collected = Collected(
        at=at,
        by=agent.actor,
        receipt_no=receipt_number(VILLAGE, city_day(at), number % A_DAY + 1),
        item_id=it.item.item_id,
        form_id=it.form.form_id,
        catalog_version=counter.shelf.active_version(tx),
        site=VILLAGE,
        township=counter.node.township,
        applicant=Applicant.from_form(it.values),
        form=it.values,
        handed_in=tuple(HandedIn(one.material_id, Seen(one.seen), one.applies, 1) for one in it.handed_in()),
        scans=tuple(Scan(one.scan_hash, one.length, one.media_type, one.material_id, one.page) for one in kept),
    )
    city = Actor(Role.CITY, "", counter.node.gateway.id, "511600000000")
    shown = advance(advance(draft(application_id), collected), Submitted(at=at, by=city))
    entry = journaling.append(
        counter,
        tx,
        reading,
        clerk=agent.clerk_id,
        application_id=application_id,
        events=[collected],
        catalog_version=collected.catalog_version,
    )
    journal.settle(tx, entry.op_id, "applied")
    applications.save(tx, shown, confirmed=shown, standing=Standing.CONFIRMED, case_seq=2, at=at)
    return entry.seq


def _keep_scans(
    tx: Transaction,
    it: Filled,
    status: ScanStatus,
    at: datetime,
    *,
    draft_id: str | None = None,
    application_id: str | None = None,
) -> list[KeptScan]:
    found = [
        KeptScan(
            scan_hash=os.urandom(32).hex(),
            status=status,
            material_id=material_id,
            page=page,
            length=SCAN_BYTES,
            media_type=SCAN_TYPE,
            kept_at=at,
            draft_id=draft_id,
            application_id=application_id,
            content_key=os.urandom(32),
        )
        for material_id, page in it.scanned()
    ]
    for one in found:
        scans.save(tx, one)
    return found
