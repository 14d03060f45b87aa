"""The city's end of the telephone: answered after calling back, kept before it is said, refused where it must be."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from city_gateway.__main__ import app
from city_gateway.acts import clerk_recovery
from city_gateway.acts.office_audit import OfficeAct, verified
from city_gateway.errors import RecoveryNodeStopped, RecoveryNodeUnknown
from city_gateway.keys import rotate_sealing
from city_gateway.ledger import nodes, office_audit, recoveries
from city_gateway.ledger.tables import CLERK_RECOVERIES
from tests.city_gateway.gateway_fixtures import NOON, OTHER_VILLAGE, VILLAGE, City, EnrolledNode, city_in
from wire.clerk_recovery import fits, make_challenge, shared_at_node
from wire.errors import ChallengeOfOthers, DigitsMistyped, OtherDigits

pytestmark = pytest.mark.node


def challenge_of(node: EnrolledNode, clerk: str = "dby01", city: bytes | None = None) -> str:
    city = city or node.document.gateway.sealing_publics[0]
    return make_challenge(shared_at_node(node.document.node_id, node.sealing, city), clerk, os.urandom)


def taken(node: EnrolledNode, answer: str, challenge: str, clerk: str = "dby01", city: bytes | None = None) -> bool:
    city = city or node.document.gateway.sealing_publics[0]
    return fits(answer, challenge, clerk, shared_at_node(node.document.node_id, node.sealing, city))


def answered(city: City, challenge: str, node: str = VILLAGE, clerk: str = "dby01") -> clerk_recovery.Answered:
    return clerk_recovery.answer(city.gateway, node=node, clerk=clerk, challenge=challenge, by="adm")


def verdicts(city: City) -> list[str]:
    with city.gateway.ledger.reading() as tx:
        return [one.verdict for one in recoveries.newest(tx, 50)][::-1]


async def test_the_node_takes_what_the_city_answers(city: City) -> None:
    village = await city.enrol()
    for name in (village.document.node_id, VILLAGE):
        challenge = challenge_of(village)
        found = answered(city, challenge, name)
        assert taken(village, found.answer, challenge)
        assert (found.node_id, found.before) == (village.document.node_id, None)
    assert verdicts(city) == ["answered", "answered"]


async def test_who_answers_a_challenge_again_is_told(city: City) -> None:
    challenge = challenge_of(await city.enrol())
    first = answered(city, challenge)
    city.clock.forward(minutes=5)
    again = answered(city, challenge.replace(" ", "-"))
    assert (again.answer, first.before, again.before) == (first.answer, None, NOON)


async def test_a_node_that_seals_to_an_older_key_is_answered(city: City) -> None:
    village = await city.enrol()
    old = village.document.gateway.sealing_publics[0]
    rotate_sealing(city.gateway.folder.keys, os.urandom)
    city.gateway.keys.look_again()
    new = city.gateway.keys.newest_sealing.public
    assert new != old
    for public in (old, new):
        challenge = challenge_of(village, city=public)
        assert taken(village, answered(city, challenge).answer, challenge, city=public)


async def test_nobody_is_answered_about_another_node_or_clerk(city: City) -> None:
    village, other = await city.enrol(), await city.enrol("village", OTHER_VILLAGE)
    challenge = challenge_of(other)
    with pytest.raises(ChallengeOfOthers):
        answered(city, challenge, VILLAGE)
    with pytest.raises(ChallengeOfOthers):
        answered(city, challenge, OTHER_VILLAGE, "dby02")
    with pytest.raises(RecoveryNodeUnknown):
        answered(city, challenge, "511603106999")
    assert not taken(village, answered(city, challenge, OTHER_VILLAGE).answer, challenge)
    assert verdicts(city) == ["recovery.challenge_of_others"] * 2 + ["answered"]


async def test_what_was_said_by_telephone_stands_in_the_signed_chain_before_anybody_hears_it(city: City) -> None:
    village = await city.enrol()
    challenge, others = challenge_of(village), challenge_of(village, "dby02")
    answered(city, challenge)
    with pytest.raises(ChallengeOfOthers):
        answered(city, others)
    with city.gateway.ledger.reading() as tx:
        rows = list(office_audit.everything(tx))
    assert verified(rows, city.gateway.keys.signing.public).seq == 2
    assert [(row.clerk_id, row.act, row.about) for row in rows] == [
        ("adm", OfficeAct.RECOVERY_ANSWERED, f"{VILLAGE} dby01 {challenge}"),
        ("adm", OfficeAct.RECOVERY_REFUSED, f"{VILLAGE} dby01 {others}"),
    ]


async def test_a_mistyped_challenge_is_told_with_its_group_and_kept_nowhere(city: City) -> None:
    challenge = challenge_of(await city.enrol())
    mistyped = str((int(challenge[0]) + 1) % 10) + challenge[1:]
    with pytest.raises(DigitsMistyped) as told:
        answered(city, mistyped)
    assert told.value.groups == (1,)
    with pytest.raises(OtherDigits):
        answered(city, answered(city, challenge).answer)
    assert verdicts(city) == ["answered"]


async def test_a_stopped_node_is_not_answered_and_its_successor_at_the_site_is(city: City) -> None:
    first, second = await city.enrol(), await city.enrol()
    with city.gateway.ledger.transaction() as tx:
        nodes.stop(tx, first.document.node_id, "fork")
    challenge = challenge_of(first)
    for name in (VILLAGE, first.document.node_id):
        with pytest.raises(RecoveryNodeStopped):
            answered(city, challenge, name)
    challenge = challenge_of(second)
    assert taken(second, answered(city, challenge).answer, challenge)
    assert verdicts(city) == ["recovery.node_stopped"] * 2 + ["answered"]


async def test_a_revoked_node_is_not_answered(city: City) -> None:
    village = await city.enrol()
    city.gateway = replace(city.gateway, revoked=lambda: {village.document.node_id})
    with pytest.raises(RecoveryNodeStopped):
        answered(city, challenge_of(village))
    assert verdicts(city) == ["recovery.node_stopped"]


async def test_the_answer_lies_nowhere_in_the_ledger(city: City) -> None:
    challenge = challenge_of(await city.enrol())
    answer = answered(city, challenge).answer
    with city.gateway.ledger.reading() as tx:
        (row,) = tx.execute(sa.select(CLERK_RECOVERIES)).mappings()
    kept = json.dumps(dict(row), default=str)
    assert (challenge in kept, answer in kept) == (True, False)


async def test_an_administrator_answers_by_command_only_after_calling_back(tmp_path: Path) -> None:
    folder, database = tmp_path / "gateway", f"sqlite:///{tmp_path / 'ledger.db'}"
    async with city_in(folder, database) as city:
        village = await city.enrol()
    challenge = challenge_of(village)
    at = ["--database", database, "--folder", str(folder)]

    def typed(*words: str, said: str = "") -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["clerk-recovery", *words], input=said)
        return done.exit_code, done.stdout, done.stderr

    about = [*at, "--node", VILLAGE, "--clerk", "dby01", "--by", "adm"]
    status, out, told = typed("answer", *about, "--challenge", challenge)
    assert (status, out, "通讯录" in told) == (1, "", True)
    status, out, told = typed("answer", *about, "--called-back", "--challenge", challenge[:-1])
    assert (status, out, "第 4 组" in told) == (1, "", True)
    status, out, told = typed("answer", *about, "--called-back", "--challenge", challenge)
    assert (status, "一组一组念" in told) == (0, True)
    assert taken(village, out.strip(), challenge)
    status, out, told = typed("answer", *about, "--called-back", said=f"{challenge}\n")
    assert (status, "已经答复过一次" in told) == (0, True)
    status, out, _ = typed("list", *at)
    assert (status, len(out.splitlines()), out.count(challenge), "已答复" in out) == (0, 2, 2, True)
