"""The city's own audit: who of the office read, ruled or signed in, kept before anything is shown; and the chains."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from typer.testing import CliRunner

from casework.application import Role
from casework.states import State
from city_gateway.__main__ import app as commands
from city_gateway.acts import chains, office_audit
from city_gateway.acts.chains import Chain, Followed
from city_gateway.acts.office_audit import ChainHead, OfficeAct
from city_gateway.acts.rule import void
from city_gateway.errors import AuditBroken
from city_gateway.ledger import office
from city_gateway.ledger import office_audit as kept
from city_gateway.ledger.database import open_ledger
from city_gateway.ledger.office_audit import AuditRow
from city_gateway.ledger.tables import JOURNAL, OFFICE_AUDIT
from city_gateway.wording import sentences
from tests.city_gateway.gateway_fixtures import VILLAGE, City
from tests.city_gateway.test_the_back_office_rules import PASSPHRASE, accepted, clerk, find, secret, sign_in, state_of

pytestmark = pytest.mark.node


def rows(city: City) -> list[AuditRow]:
    with city.gateway.ledger.reading() as tx:
        return list(kept.everything(tx))


def acts(city: City) -> list[tuple[str, str | None, str]]:
    return [(row.act, row.application_id, row.about) for row in rows(city)]


def verified(city: City, **asked: ChainHead) -> ChainHead:
    return office_audit.verified(rows(city), city.gateway.keys.signing.public, **asked)


def followed(city: City) -> dict[tuple[Chain, str], Followed]:
    return {(one.chain, one.node_id): one for one in chains.follow_all(city.gateway)}


async def test_what_a_clerk_opens_and_rules_is_kept_with_who_and_when(city: City) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    assert await sign_in(city, "a wrong passphrase") != 303
    await sign_in(city)
    assert (await city.client.get(f"/office/applications/{application_id}")).status_code == 200
    path = f"/office/applications/{application_id}/rulings/review_started"
    form = {"form_secret": await secret(city)}
    await city.client.post(path, data=form)
    await city.client.post("/office/sign-out", data=form)
    assert acts(city) == [
        ("sign_in_refused", None, ""),
        ("signed_in", None, ""),
        ("opened", application_id, ""),
        ("ruled", application_id, "review_started"),
        ("signed_out", None, ""),
    ]
    opened = rows(city)[2]
    assert (opened.clerk_id, opened.at, office_audit.department_of(opened)) == ("d-1", city.clock.now, "测试局")
    assert verified(city).seq == 5
    assert all("张测试" not in row.document for row in rows(city))


async def test_what_cannot_be_kept_is_not_shown_and_not_ruled(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    form = {"form_secret": await secret(city)}

    def full(_tx: Connection, _row: AuditRow) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(kept, "append", full)
    page = await city.client.get(f"/office/applications/{application_id}")
    assert (page.status_code, "张测试" in page.text) == (500, False)
    ruled = await city.client.post(f"/office/applications/{application_id}/rulings/review_started", data=form)
    assert (ruled.status_code, state_of(city, application_id)) == (500, State.ACCEPTED)


async def test_an_application_of_another_region_is_neither_shown_nor_noted(city: City) -> None:
    clerk(city, "511602000000")
    _, application_id = await accepted(city)
    await sign_in(city)
    assert (await city.client.get(f"/office/applications/{application_id}")).status_code == 404
    assert acts(city) == [("signed_in", None, "")]


async def test_what_is_declared_void_at_the_machine_is_kept_with_who_said_so(city: City) -> None:
    _, application_id = await accepted(city)
    void(city.gateway, application_id, "gl01", "重复登记")
    assert [row.clerk_id for row in rows(city)] == ["gl01"]
    assert acts(city) == [("ruled", application_id, "voided")]


def _change(tx: Connection, row: AuditRow, **values: object) -> None:
    tx.execute(sa.update(OFFICE_AUDIT).where(OFFICE_AUDIT.c.seq == row.seq).values(**values))


def _forge_document(row: AuditRow) -> str:
    document = json.loads(row.document)
    signature = document["sig"]
    return json.dumps(document | {"sig": ("B" if signature[0] == "A" else "A") + signature[1:]})


TAMPERINGS: dict[str, tuple[Callable[[Connection, list[AuditRow]], None], int, str]] = {
    "changed": (lambda tx, all_: _change(tx, all_[2], document=_forge_document(all_[2])), 3, "signature"),
    "renamed": (lambda tx, all_: _change(tx, all_[1], clerk_id="somebody"), 2, "columns"),
    "left out": (lambda tx, all_: tx.execute(sa.delete(OFFICE_AUDIT).where(OFFICE_AUDIT.c.seq == 2)), 2, "gap"),
    "replayed": (lambda tx, all_: _change(tx, all_[2], document=all_[1].document), 3, "gap"),
}


@pytest.mark.parametrize("how", TAMPERINGS)
async def test_an_entry_that_was_tampered_with_is_named(city: City, how: str) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    for _ in range(3):
        await city.client.get(f"/office/applications/{application_id}")
    tamper, at, why = TAMPERINGS[how]
    with city.gateway.ledger.transaction() as tx:
        tamper(tx, list(kept.everything(tx)))
    with pytest.raises(AuditBroken) as broken:
        verified(city)
    assert broken.value.params == {"seq": at, "why": why}
    office = followed(city)[Chain.OFFICE, city.gateway.keys.gateway_id]
    assert (office.broken_at, office.why) == (at, why)


async def test_a_chain_cut_at_its_end_shows_against_a_head_that_was_noted(city: City) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    await city.client.get(f"/office/applications/{application_id}")
    head = verified(city)
    assert verified(city, noted_head=ChainHead(2, head.hash[:16])) == head
    with city.gateway.ledger.transaction() as tx:
        tx.execute(sa.delete(OFFICE_AUDIT).where(OFFICE_AUDIT.c.seq == 2))
    assert verified(city).seq == 1, "nothing in the rest says that there was more"
    with pytest.raises(AuditBroken):
        verified(city, noted_head=head)


async def test_entries_of_another_key_are_not_the_citys(city: City) -> None:
    clerk(city)
    await sign_in(city)
    other = dataclasses.replace(city.gateway.keys, signing=type(city.gateway.keys.signing).generate(os.urandom))
    with pytest.raises(AuditBroken):
        office_audit.verified(rows(city), other.signing.public)


async def test_the_chains_of_nodes_are_followed_and_a_changed_envelope_is_named(city: City) -> None:
    village, _ = await accepted(city)
    node_id = village.document.node_id
    assert {one.broken_at for one in followed(city).values()} == {None}
    assert followed(city)[Chain.JOURNAL, node_id].seq == 1
    with city.gateway.ledger.transaction() as tx:
        changed = village.journal[0][:-1] + bytes([village.journal[0][-1] ^ 1])
        tx.execute(sa.update(JOURNAL).where(JOURNAL.c.node_id == node_id).values(envelope=changed))
    broken = followed(city)
    assert (broken[Chain.JOURNAL, node_id].broken_at, broken[Chain.JOURNAL, node_id].why) == (1, "signature")
    assert sum(one.broken_at is not None for one in broken.values()) == 1, "the others are whole"


async def test_an_envelope_that_is_gone_is_named(city: City) -> None:
    village, _ = await accepted(city)
    node_id = village.document.node_id
    with city.gateway.ledger.transaction() as tx:
        tx.execute(sa.delete(JOURNAL).where(JOURNAL.c.node_id == node_id))
    assert followed(city)[Chain.JOURNAL, node_id].why == "cut"


async def test_an_administrator_reads_the_history_and_no_papers(city: City) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    await city.client.get(f"/office/applications/{application_id}")
    assert (await city.client.get("/office/audit")).status_code == 403
    clerk(city, role=Role.ADMINISTRATOR)
    await sign_in(city)
    first = await city.client.get("/office/")
    assert (first.status_code, first.headers["location"]) == (303, "/office/nodes")
    refused = await city.client.get(f"/office/applications/{application_id}")
    assert (refused.status_code, "张测试" in refused.text) == (403, False)
    page = (await city.client.get("/office/audit", params={"text": application_id})).text
    assert page.count("<td>d-1</td>") == 2, "who opened it, and who reads that now"
    assert sentences("zh_CN")["audit.act.opened"] in page
    assert acts(city)[-1] == (OfficeAct.HISTORY_READ, application_id, "")


async def test_an_administrator_of_another_region_finds_no_history(city: City) -> None:
    clerk(city, "511602000000", Role.ADMINISTRATOR)
    _, application_id = await accepted(city)
    await sign_in(city)
    page = (await city.client.get("/office/audit", params={"text": application_id})).text
    assert sentences("zh_CN")["audit.not_found"] in page
    assert [act for act, *_ in acts(city)] == ["signed_in"]


async def test_the_commands_tell_the_same(city: City, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUANGAN_LEDGER", ledger_url)
    clerk(city)
    _, application_id = await accepted(city)
    at = ["--folder", str(city.gateway.folder.root)]
    unseen = CliRunner().invoke(commands, ["audit", "read", *at, application_id])
    assert (unseen.exit_code, sentences("zh_CN")["audit.nobody"] in unseen.output) == (0, True)
    await sign_in(city)
    await city.client.get(f"/office/applications/{application_id}")
    whole = CliRunner().invoke(commands, ["audit", "verify", *at])
    assert whole.exit_code == 0, whole.output
    noted = re.search(r"2:[0-9a-f]{16}", whole.output.splitlines()[-1])
    assert noted is not None
    told = CliRunner().invoke(commands, ["audit", "read", *at, application_id])
    assert (told.exit_code, told.output.count("\n"), application_id in told.output) == (0, 1, True)
    for named, status in ((find(city, application_id).receipt_no, 0), (VILLAGE, 1), ("", 1)):
        assert CliRunner().invoke(commands, ["audit", "read", *at, named]).exit_code == status, named
    assert CliRunner().invoke(commands, ["audit", "clerk", *at, "d-1"]).output.count("\n") == 2
    nobody = CliRunner().invoke(commands, ["audit", "clerk", *at, "nobody"])
    assert (nobody.exit_code, "nobody" in nobody.output) == (0, True)
    with city.gateway.ledger.transaction() as tx:
        tx.execute(sa.delete(OFFICE_AUDIT).where(OFFICE_AUDIT.c.seq == 2))
    assert CliRunner().invoke(commands, ["audit", "verify", *at]).exit_code == 0
    cut = CliRunner().invoke(commands, ["audit", "verify", *at, "--noted", noted[0]])
    assert cut.exit_code == 1
    assert PASSPHRASE not in cut.output


async def test_many_at_once_make_one_chain_without_a_gap(city: City, ledger_url: str) -> None:
    """Threads of this door, and a second process of the same gateway on the same ledger."""
    clerk(city)
    await sign_in(city)
    with city.gateway.ledger.reading() as tx:
        who = office.clerk(tx, "d-1")
    assert who is not None
    second = dataclasses.replace(city.gateway, ledger=open_ledger(ledger_url, now=city.clock(), randomness=os.urandom))
    try:
        with ThreadPoolExecutor(12) as pool:
            each = [(city.gateway, second)[number % 2] for number in range(60)]
            list(pool.map(lambda door: office_audit.noted(door, who, OfficeAct.OPENED, "a" * 32), each))
    finally:
        second.ledger.close()
    assert verified(city).seq == len(rows(city)) == 61
