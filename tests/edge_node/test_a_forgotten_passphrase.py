"""A clerk who forgot the passphrase: once, in time, after few attempts, without a line, and told to the city."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_node.acts import recovery
from edge_node.acts import sign_in as door
from edge_node.counter.errors import (
    AnswerIncomplete,
    AnswerMistyped,
    AnswerRefused,
    ChallengeForAnswer,
    LockedOut,
    NobodySignedIn,
    NoSuchClerk,
    PassphraseTooShort,
    RecoveryExhausted,
    RecoveryNotAsked,
    RecoveryOver,
    WrongPassphrase,
)
from offline_store.desk import clerks, passphrases, recoveries
from offline_store.desk.clerks import FREE_FAILURES
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from tests.edge_node.village import AGENT, CLERK, PASSPHRASE, Village, client_of
from wire.clerk_recovery import answer_for, shared_at_city
from wire.keys import SealingKey

pytestmark = pytest.mark.node

NEW = "another invented one"


@pytest.fixture
def village(tmp_path: Path) -> Village:
    return Village.at(tmp_path)


def city_answers(village: Village, challenge: str, clerk: str = AGENT, key: SealingKey | None = None) -> str:
    node = village.counter.node
    return answer_for(
        challenge, clerk, [shared_at_city(node.node_id, key or village.gateway.sealing, node.sealing_public)]
    )


def asked(village: Village, clerk: str = AGENT) -> str:
    return recovery.ask(village.counter, clerk).challenge


def answered(village: Village, answer: str, clerk: str = AGENT, passphrase: str = NEW) -> None:
    recovery.answer(village.counter, clerk, answer, passphrase, cost=ONLY_FOR_TESTS)


def opens(village: Village, passphrase: str, clerk: str = AGENT) -> bool:
    try:
        door.sign_in(village.counter, clerk, passphrase)
    except WrongPassphrase:
        return False
    return True


def wrong_answer(village: Village) -> str:
    """An answer that is well typed and belongs to the other clerk."""
    return city_answers(village, asked(village, CLERK), CLERK)


def test_a_new_passphrase_is_set_by_telephone(village: Village) -> None:
    challenge = asked(village)
    answered(village, city_answers(village, challenge))
    assert (opens(village, NEW), opens(village, PASSPHRASE), opens(village, PASSPHRASE, CLERK)) == (True, False, True)


def test_it_is_told_to_the_city_with_the_challenge_and_never_the_answer(village: Village) -> None:
    challenge = asked(village)
    answer = city_answers(village, challenge)
    with pytest.raises(AnswerRefused):
        answered(village, wrong_answer(village))
    answered(village, answer)
    village.mail.turn()
    told = [one for one in village.operations() if one.audit and "recover" in str(one.audit["kind"])]
    ours = [(one.clerk, one.audit) for one in told if one.clerk == AGENT]
    assert ours == [
        (AGENT, {"kind": "recovery_asked", "challenge": challenge}),
        (AGENT, {"kind": "recovery_refused", "challenge": challenge, "attempt": 1}),
        (AGENT, {"kind": "passphrase_recovered", "challenge": challenge}),
    ]
    assert not any(answer in str(one.audit) or NEW in str(one.audit) for one in told)


def test_an_answer_opens_nothing_twice_not_even_after_a_restart(village: Village) -> None:
    challenge = asked(village)
    answer = city_answers(village, challenge)
    answered(village, answer)
    with pytest.raises(RecoveryNotAsked):
        answered(village, answer, passphrase="a third invented one")
    village.counter.desk.close()
    again = replace(village, counter=reopened(village))
    with pytest.raises(RecoveryNotAsked):
        answered(again, answer, passphrase="a third invented one")
    assert asked(again) != challenge
    with pytest.raises(AnswerRefused):
        answered(again, answer, passphrase="a third invented one")
    assert (opens(again, NEW), opens(again, "a third invented one")) == (True, False)


def reopened(village: Village):
    from tests.edge_node.village import new_counter

    return new_counter(village.counter.paths.root, gateway=village.gateway, clock=village.clock)


def test_an_answer_that_two_windows_send_at_once_is_taken_once(village: Village, monkeypatch) -> None:
    """The second comes while the first hashes its passphrase, which is slow on purpose."""
    answer = city_answers(village, asked(village))
    hashed = passphrases.hashed
    inner: list[str] = []

    def meanwhile(passphrase: str, *rest: object) -> str:
        if not inner:
            inner.append(passphrase)
            answered(village, answer, passphrase="the quicker invented one")
        return hashed(passphrase, *rest)

    monkeypatch.setattr(passphrases, "hashed", meanwhile)
    with pytest.raises(RecoveryNotAsked):
        answered(village, answer)
    assert (opens(village, "the quicker invented one"), opens(village, NEW)) == (True, False)


def test_a_restart_of_the_program_keeps_the_challenge_and_what_was_counted(village: Village) -> None:
    challenge = asked(village)
    for _ in range(recovery.ATTEMPTS - 1):
        with pytest.raises(AnswerRefused):
            answered(village, wrong_answer(village))
    village.counter.desk.close()
    again = replace(village, counter=reopened(village))
    shown = recovery.ask(again.counter, AGENT)
    assert (shown.challenge, shown.attempts_left) == (challenge, 1)
    with pytest.raises(RecoveryExhausted):
        answered(again, wrong_answer(again))
    with pytest.raises(RecoveryExhausted):
        answered(again, city_answers(again, challenge))
    with pytest.raises(RecoveryExhausted):
        recovery.ask(again.counter, AGENT)
    assert opens(again, PASSPHRASE)
    again.clock.passes(minutes=16)
    answered(again, city_answers(again, asked(again)))
    assert opens(again, NEW)


def test_an_attempt_counts_before_it_is_looked_at(village: Village, monkeypatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> bool:
        raise Killed

    answer = city_answers(village, asked(village))
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "fits", killed)
        for _ in range(recovery.ATTEMPTS):
            with pytest.raises(Killed):
                answered(village, answer)
    with pytest.raises(RecoveryExhausted):
        answered(village, answer)
    assert not opens(village, NEW)


def test_a_cut_before_the_commit_leaves_old_passphrase_and_challenge(village: Village, monkeypatch) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object, **__: object) -> None:
        raise Cut

    answer = city_answers(village, asked(village))
    with monkeypatch.context() as patch:
        patch.setattr(recovery.audit, "note", cut)
        with pytest.raises(Cut):
            answered(village, answer)
    assert (opens(village, PASSPHRASE), opens(village, NEW)) == (True, False)
    answered(village, answer)
    assert opens(village, NEW)


def test_a_typing_mistake_is_told_with_its_group_and_costs_no_attempt(village: Village) -> None:
    challenge = asked(village)
    answer = city_answers(village, challenge)
    for at in range(0, 20, 5):
        plain = list(answer.replace(" ", ""))
        plain[at] = str((int(plain[at]) + 1) % 10)
        with pytest.raises(AnswerMistyped) as told:
            answered(village, "".join(plain))
        assert told.value.params["groups"] == [at // 5 + 1]
    with pytest.raises(ChallengeForAnswer):
        answered(village, challenge)
    with pytest.raises(AnswerIncomplete):
        answered(village, answer.replace(" ", "")[:-1])
    with pytest.raises(PassphraseTooShort):
        answered(village, answer, passphrase="short")
    assert recovery.ask(village.counter, AGENT).attempts_left == recovery.ATTEMPTS
    assert opens(village, PASSPHRASE)


def test_a_challenge_ends_by_time_and_no_wall_clock_brings_it_back(village: Village) -> None:
    challenge = asked(village)
    answer = city_answers(village, challenge)
    village.clock.passes(hours=2, seconds=1)
    wall = village.clock.wall
    for stepped in (wall, wall.replace(year=2020), wall.replace(year=2035)):
        village.clock.wall = stepped
        with pytest.raises(RecoveryOver):
            answered(village, answer)
    assert asked(village) != challenge
    assert not opens(village, NEW)


def test_a_wall_clock_that_steps_ends_no_challenge(village: Village) -> None:
    answer = city_answers(village, asked(village))
    village.clock.wall = village.clock.wall.replace(year=2035)
    answered(village, answer)
    assert opens(village, NEW)


def test_a_disk_put_back_from_an_image_takes_no_answer_of_before(village: Village) -> None:
    """The machine is off while its disk is put back: its next boot is another one."""
    answer = city_answers(village, asked(village))
    with village.counter.desk.reading() as tx:
        image = recoveries.load(tx, AGENT)
    answered(village, answer)
    with village.counter.desk.transaction() as tx:
        recoveries.keep(tx, AGENT, image)
    village.counter.desk.close()
    village.clock.boot_id = "c" * 32
    again = replace(village, counter=reopened(village))
    with pytest.raises(RecoveryOver):
        answered(again, answer, passphrase="a third invented one")
    assert not opens(again, "a third invented one")


def test_every_session_of_the_clerk_ends_and_nobody_elses(village: Village) -> None:
    mine = [door.sign_in(village.counter, AGENT, PASSPHRASE)[0].session for _ in range(2)]
    others = door.sign_in(village.counter, CLERK, PASSPHRASE)[0].session
    village.clock.passes(minutes=11)
    answered(village, city_answers(village, asked(village)))
    for token in mine:
        with pytest.raises(NobodySignedIn):
            village.counter.sessions.locked_clerk(token)
    assert village.counter.sessions.locked_clerk(others).clerk_id == CLERK


def test_a_lock_out_keeps_nobody_from_recovering_and_is_lifted_by_it(village: Village) -> None:
    for _ in range(FREE_FAILURES):
        with pytest.raises(WrongPassphrase):
            door.sign_in(village.counter, AGENT, "not this one")
    with pytest.raises(LockedOut):
        door.sign_in(village.counter, AGENT, PASSPHRASE)
    answered(village, city_answers(village, asked(village)))
    assert opens(village, NEW)


def test_answers_for_other_clerks_nodes_and_keys_are_refused(village: Village, tmp_path: Path) -> None:
    other = Village.at(tmp_path / "other", gateway=village.gateway)
    challenge = asked(village)
    for_the_other_node = city_answers(other, asked(other))
    for answer in (wrong_answer(village), for_the_other_node):
        with pytest.raises(AnswerRefused):
            answered(village, answer)
    assert (opens(village, PASSPHRASE), opens(village, NEW)) == (True, False)
    answered(village, city_answers(village, challenge))
    assert opens(village, NEW)


def test_whoever_may_not_sign_in_gets_no_challenge(village: Village) -> None:
    with village.counter.desk.transaction() as tx:
        clerks.set_active(tx, CLERK, active=False)
    for name in ("nobody", "", CLERK):
        with pytest.raises(NoSuchClerk):
            recovery.ask(village.counter, name)
        with pytest.raises(NoSuchClerk):
            answered(village, wrong_answer_of_nobody(), name)
    assert "recovery_asked" not in village.noted()


def wrong_answer_of_nobody() -> str:
    from wire.spoken_digits import SpokenKind, say_digits

    return say_digits("0" * 16, SpokenKind.ANSWER)


def test_without_a_challenge_there_is_nothing_to_answer(village: Village) -> None:
    with pytest.raises(RecoveryNotAsked):
        answered(village, wrong_answer_of_nobody())


def test_asking_again_shows_the_same_and_writes_one_entry(village: Village) -> None:
    assert asked(village) == asked(village)
    assert village.noted().count("recovery_asked") == 1


async def test_over_the_socket_each_refusal_is_a_chinese_sentence(village: Village) -> None:
    async with client_of(village.counter) as client:
        nobody = await client.post("/counter/recovery", json={"clerk": "nobody"})
        shown = await client.post("/counter/recovery", json={"clerk": AGENT})
        answer = city_answers(village, shown.json()["challenge"])
        mistyped = answer[:-1] + str((int(answer[-1]) + 1) % 10)
        body = {"clerk": AGENT, "answer": mistyped, "passphrase": NEW}
        refused = await client.post("/counter/recovery/answer", json=body)
        done = await client.post("/counter/recovery/answer", json={**body, "answer": answer})
        replayed = await client.post("/counter/recovery/answer", json={**body, "answer": answer})
    assert (nobody.status_code, shown.status_code, refused.status_code) == (404, 200, 422)
    assert "第 4 组" in refused.json()["error"]["message"]
    assert (done.status_code, replayed.status_code) == (204, 409)
    assert replayed.json()["error"]["code"] == RecoveryNotAsked.code
    assert NEW not in refused.text
    assert opens(village, NEW)
