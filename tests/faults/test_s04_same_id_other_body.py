"""S04: an op_id that comes again is one operation for ever.

The same body again gets the first outcome again; another body under it is quarantined and answered as a conflict,
while the first copy stays as it was; an identical scan that is sent twice is held once; an operation on an application
that was withdrawn is refused and brings nothing back.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from casework.states import State
from city_gateway.acts.gateway import Register
from city_gateway.ledger import cases, journal
from city_gateway.ledger.tables import CASE_ENTRIES, JOURNAL, OPERATIONS
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, city_in, results
from tests.faults.gateway_that_forgets_op_ids import NoRegister
from tests.faults.tally import record

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


def application(city: City, application_id: str) -> cases.Case | None:
    with city.gateway.ledger.reading() as tx:
        return cases.find(tx, application_id)


def entries(city: City, application_id: str) -> int:
    asked = sa.select(sa.func.count()).select_from(CASE_ENTRIES).where(CASE_ENTRIES.c.application_id == application_id)
    with city.gateway.ledger.reading() as tx:
        return int(tx.scalar(asked) or 0)


def bodies_of(city: City, op_id: str) -> list[str]:
    """How each envelope under this op_id is held."""
    with city.gateway.ledger.reading() as tx:
        asked = sa.select(JOURNAL.c.standing).where(JOURNAL.c.op_id == op_id).order_by(JOURNAL.c.received_at)
        return sorted(tx.execute(asked).scalars())


async def one_trial(city: City, village: EnrolledNode, rng: random.Random) -> list[str]:
    """File one application; then say the same op_id again, with the same or another body. What is wrong comes back."""
    scan = village.sealed_scan(rng.randbytes(64))
    first = village.operation(village.collected(scan), application_id=rng.randbytes(16).hex())
    sent = village.seal(first)
    await village.exchange(sent)
    case = application(city, first.application_id or "")
    assert case is not None
    name = f"变更{rng.randrange(100)}"
    twins = [first.model_copy(update={"clerk": name}), first, first.model_copy(update={"catalog_version": 7})]
    rng.shuffle(twins)
    found: list[str] = []
    for twin in twins[: rng.randint(1, 3)]:
        feed = await village.everything(village.seal(twin))
        expected = ["applied"] if twin == first else ["refused"]
        if results(feed) != expected:
            found.append(f"answered {results(feed)}, not {expected}")
        if twin != first and feed and (feed[0].refusal is None or feed[0].refusal.code != "operation.conflict"):
            found.append("the conflict is not named")
    now = application(city, first.application_id or "")
    if now != case or entries(city, first.application_id or "") != 1:
        found.append("the first copy did not stay as it was")
    if bodies_of(city, first.op_id).count(journal.EFFECTIVE) != 1:
        found.append("not exactly one effective copy")
    await village.upload(scan)
    await village.upload(scan)
    if sum(path.name == scan.name for path in city.gateway.folder.scans.iterdir()) != 1:
        found.append("a scan that was sent twice")
    withdrawn = village.event("withdrawn", reason="样例")
    await village.everything(village.act(withdrawn, application_id=first.application_id, basis=1))
    await village.everything(
        village.seal(village.operation(village.collected(scan), application_id=first.application_id))
    )
    after = application(city, first.application_id or "")
    if after is None or after.application.state is not State.WITHDRAWN:
        found.append("what was withdrawn came back")
    return found


async def run(folder: Path, trials: int, register: Register | None = None) -> list[str]:
    broken: list[str] = []
    async with city_in(folder / "gateway", f"sqlite:///{folder / 'ledger.db'}", register=register) as city:
        village = await city.enrol()
        for number in range(trials):
            rng = random.Random(number)
            broken += [f"trial {number}: {problem}" for problem in await one_trial(city, village, rng)]
        with city.gateway.ledger.reading() as tx:
            operations = int(tx.scalar(sa.select(sa.func.count()).select_from(OPERATIONS)) or 0)
    return broken if operations else [*broken, "nothing was remembered"]


async def judge(folder: Path, trials: int) -> None:
    broken = await run(folder, trials)
    record("S04", "sqlite", trials, 0, len(broken))
    assert broken == []


async def test_an_op_id_is_one_operation_for_ever(tmp_path: Path) -> None:
    await judge(tmp_path, 30)


@pytest.mark.full
async def test_an_op_id_is_one_operation_for_ever_five_hundred_times(tmp_path: Path) -> None:
    await judge(tmp_path, 500)


async def test_a_city_that_forgets_op_ids_is_found_out(tmp_path: Path) -> None:
    broken = await run(tmp_path, 3, NoRegister())
    record("S04", "control: op_ids forgotten", 3, 0, len(broken))
    assert any("answered" in problem or "first copy" in problem for problem in broken)
