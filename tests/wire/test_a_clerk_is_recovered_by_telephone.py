"""Challenge and answer: what is misheard is told with its group, and no answer opens anything but its own challenge."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wire.clerk_recovery import answer_for, fits, make_challenge, shared_at_city, shared_at_node
from wire.errors import ChallengeOfOthers, DigitsMissing, DigitsMistyped, OtherDigits
from wire.keys import SealingKey
from wire.spoken_digits import GROUPS, SpokenKind, read_digits, say_digits

pytestmark = pytest.mark.fast

CITY, NODE, OTHER_NODE = (SealingKey.from_bytes(bytes([number]) * 32) for number in (1, 2, 3))
NODE_ID, OTHER_ID = "0a" * 16, "0b" * 16
AT_NODE = shared_at_node(NODE_ID, NODE, CITY.public)
AT_CITY = shared_at_city(NODE_ID, CITY, NODE.public)

data = st.text(alphabet="0123456789", min_size=16, max_size=16)
kinds = st.sampled_from(SpokenKind)
clerks = st.sampled_from(["dby01", "ck01", "wangdaiban", "王代办"])
seeds = st.integers(min_value=0, max_value=2**32)


def chance(seed: int):
    return random.Random(seed).randbytes


@given(data, kinds)
def test_what_is_said_is_what_is_read_however_it_is_spaced(digits: str, kind: SpokenKind) -> None:
    said = say_digits(digits, kind)
    for written in (said, said.replace(" ", ""), said.replace(" ", "-"), f" {said} ", said.replace(" ", "　")):
        assert read_digits(written, kind) == digits


@given(data, kinds, st.integers(0, 19), st.sampled_from("0123456789OIl一"))
def test_any_one_wrong_sign_is_told_with_its_group(digits: str, kind: SpokenKind, at: int, typed: str) -> None:
    signs = list(say_digits(digits, kind).replace(" ", ""))
    assume(signs[at] != typed)
    signs[at] = typed
    with pytest.raises(DigitsMistyped) as told:
        read_digits("".join(signs), kind)
    assert told.value.groups == (at // 5 + 1,)


@given(data, kinds, st.integers(0, 18))
def test_any_two_neighbours_that_changed_places_are_told(digits: str, kind: SpokenKind, at: int) -> None:
    signs = list(say_digits(digits, kind).replace(" ", ""))
    assume(signs[at] != signs[at + 1])
    signs[at], signs[at + 1] = signs[at + 1], signs[at]
    with pytest.raises(DigitsMistyped) as told:
        read_digits("".join(signs), kind)
    assert set(told.value.groups) == {at // 5 + 1, (at + 1) // 5 + 1}


@given(data, kinds, st.permutations(range(GROUPS)))
def test_groups_in_another_order_are_told(digits: str, kind: SpokenKind, order: list[int]) -> None:
    groups = say_digits(digits, kind).split()
    moved = tuple(place + 1 for place, at in enumerate(order) if place != at)
    assume(moved)
    with pytest.raises(DigitsMistyped) as told:
        read_digits(" ".join(groups[at] for at in order), kind)
    assert told.value.groups == moved


@given(data, kinds)
def test_a_challenge_typed_for_an_answer_is_told_as_such(digits: str, kind: SpokenKind) -> None:
    other = SpokenKind.ANSWER if kind is SpokenKind.CHALLENGE else SpokenKind.CHALLENGE
    with pytest.raises(OtherDigits) as told:
        read_digits(say_digits(digits, kind), other)
    assert told.value.kind == kind.name.lower()


@given(data, kinds, st.integers(0, 19))
def test_a_digit_left_out_is_told_with_its_group_where_the_groups_are_seen(
    digits: str, kind: SpokenKind, at: int
) -> None:
    groups = say_digits(digits, kind).split()
    groups[at // 5] = groups[at // 5][: at % 5] + groups[at // 5][at % 5 + 1 :]
    with pytest.raises(DigitsMistyped) as told:
        read_digits(" ".join(groups), kind)
    assert told.value.groups == (at // 5 + 1,)
    with pytest.raises(DigitsMissing) as counted:
        read_digits("".join(groups), kind)
    assert (counted.value.needed, counted.value.found) == (20, 19)


@pytest.mark.parametrize("nothing", ["", "   ", "-", "12345"])
def test_nothing_typed_is_no_answer(nothing: str) -> None:
    with pytest.raises(DigitsMissing):
        read_digits(nothing, SpokenKind.ANSWER)


@given(clerks, seeds)
def test_node_and_city_come_to_the_same_answer_without_a_word_between_them(clerk: str, seed: int) -> None:
    challenge = make_challenge(AT_NODE, clerk, chance(seed))
    answer = answer_for(challenge, clerk, [AT_CITY])
    assert fits(answer, challenge, clerk, AT_NODE)
    assert answer_for(challenge, f" {clerk.upper()} ", [AT_CITY]) == answer


@given(clerks, clerks, seeds, seeds)
def test_an_answer_to_another_challenge_clerk_or_node_is_never_taken(
    clerk: str, other: str, seed: int, later: int
) -> None:
    challenge = make_challenge(AT_NODE, clerk, chance(seed))
    answer = answer_for(challenge, clerk, [AT_CITY])
    again = make_challenge(AT_NODE, clerk, chance(later))
    assert fits(answer, again, clerk, AT_NODE) == (again == challenge)
    if other != clerk:
        assert not fits(answer, challenge, other, AT_NODE)
    elsewhere = shared_at_node(OTHER_ID, OTHER_NODE, CITY.public)
    assert not fits(answer, challenge, clerk, elsewhere)


@pytest.mark.parametrize(
    "secret",
    [
        shared_at_city(OTHER_ID, CITY, NODE.public),
        shared_at_city(NODE_ID, CITY, OTHER_NODE.public),
        shared_at_city(NODE_ID, OTHER_NODE, NODE.public),
    ],
    ids=["the id of another node", "the key of another node", "another key of the city"],
)
def test_the_city_answers_no_challenge_of_another_node_or_key(secret) -> None:
    challenge = make_challenge(AT_NODE, "dby01", chance(7))
    with pytest.raises(ChallengeOfOthers):
        answer_for(challenge, "dby01", [secret])
    with pytest.raises(ChallengeOfOthers):
        answer_for(challenge, "ck01", [AT_CITY])
    with pytest.raises(ChallengeOfOthers):
        answer_for(challenge, "dby01", [])


@given(seeds)
def test_the_city_finds_the_key_that_the_challenge_was_made_for(seed: int) -> None:
    keys = [SealingKey.generate(random.Random(f"{seed}.{number}").randbytes) for number in range(4)]
    at_node = shared_at_node(NODE_ID, NODE, keys[seed % 4].public)
    challenge = make_challenge(at_node, "dby01", chance(seed))
    answer = answer_for(challenge, "dby01", [shared_at_city(NODE_ID, key, NODE.public) for key in keys])
    assert fits(answer, challenge, "dby01", at_node)


def test_what_is_shared_shows_itself_to_nobody() -> None:
    assert AT_NODE == AT_CITY
    assert AT_NODE.secret.hex() not in repr(AT_NODE)
    assert repr(AT_NODE.secret) not in repr(AT_NODE)
