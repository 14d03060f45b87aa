"""Keyring: three kinds of slot around one desk key."""

import json
from pathlib import Path

import pytest

from offline_store.desk import keyring
from offline_store.desk.keyring import ByClerk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.errors import (
    KeyringDamaged,
    KeyringExists,
    KeyringMissing,
    LastSlot,
    MachineKeyMissing,
    SlotRefused,
)
from tests.offline_store.city_hand import opened_by_city
from tests.offline_store.desk_fixtures import counted_randomness
from wire.keys import SealingKey

pytestmark = pytest.mark.node

MACHINE = b"m" * 32
CITY = SealingKey.from_bytes(b"c" * 32)


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return tmp_path / "keyring.json"


def test_each_slot_opens_the_same_key(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, CITY.public, counted_randomness())
    keyring.put_clerk_slot(ring, key, "z01", "稻田与水渠", cost=ONLY_FOR_TESTS)
    assert keyring.unlock(ring, MACHINE) == key
    assert keyring.unlock(ring, ByClerk("z01", "稻田与水渠")) == key
    assert opened_by_city(ring, CITY) == [key]
    assert {kind for kind, _ in keyring.slots(ring)} == {"machine", "city", "clerk"}


def test_the_desk_key_does_not_lie_on_the_disk(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, CITY.public)
    kept = ring.read_bytes()
    assert key not in kept
    assert key.hex().encode() not in kept
    assert ring.stat().st_mode & 0o777 == 0o600


def test_what_does_not_fit_opens_nothing(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, CITY.public)
    keyring.put_clerk_slot(ring, key, "z01", "right", cost=ONLY_FOR_TESTS)
    for kind, attempt in {
        "machine": lambda: keyring.unlock(ring, b"x" * 32),
        "clerk": lambda: keyring.unlock(ring, ByClerk("z01", "wrong")),
    }.items():
        with pytest.raises(SlotRefused) as refused:
            attempt()
        assert refused.value.slot == kind
    with pytest.raises(SlotRefused):
        keyring.unlock(ring, ByClerk("nobody", "right"))
    assert opened_by_city(ring, SealingKey.from_bytes(b"d" * 32)) == []
    assert keyring.unlock(ring, MACHINE) == key


def test_a_slot_under_another_name_opens_nothing(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, None)
    keyring.put_clerk_slot(ring, key, "z01", "right", cost=ONLY_FOR_TESTS)
    ring.write_text(ring.read_text().replace('"z01"', '"z02"'))
    with pytest.raises(SlotRefused):
        keyring.unlock(ring, ByClerk("z02", "right"))


def test_the_machine_slot_can_be_renewed_and_a_clerk_dropped(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, CITY.public)
    keyring.put_clerk_slot(ring, key, "z01", "right", cost=ONLY_FOR_TESTS)
    keyring.add_machine_slot(ring, key, b"n" * 32)
    assert keyring.unlock(ring, MACHINE) == keyring.unlock(ring, b"n" * 32) == key
    keyring.keep_machine_slot(ring, b"n" * 32)
    keyring.drop_clerk_slot(ring, "z01")
    assert [keyring.unlock(ring, b"n" * 32)] == opened_by_city(ring, CITY) == [key]
    with pytest.raises(SlotRefused):
        keyring.unlock(ring, MACHINE)
    assert {kind for kind, _ in keyring.slots(ring)} == {"machine", "city"}


def test_a_machine_key_that_opens_nothing_drops_no_slot(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, CITY.public)
    with pytest.raises(SlotRefused):
        keyring.keep_machine_slot(ring, b"n" * 32)
    assert keyring.unlock(ring, MACHINE) == key
    assert sorted(kind for kind, _ in keyring.slots(ring)) == ["city", "machine"]


def test_a_re_keying_between_two_machine_keys_keeps_the_one_in_use(ring: Path) -> None:
    old, new = keyring.create(ring, MACHINE, CITY.public), b"k" * 32
    keyring.add_machine_slot(ring, old, b"n" * 32)
    keyring.add_next(ring, MACHINE, new, [])
    assert keyring.is_between_keys(ring)
    assert keyring.candidates(ring, MACHINE) == [old, new]
    assert opened_by_city(ring, CITY) == [old, new]
    keyring.settle(ring, on_next=True)
    assert keyring.candidates(ring, MACHINE) == [new]
    assert not keyring.is_between_keys(ring)


def test_the_last_slot_that_opens_on_the_node_is_never_dropped(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, CITY.public)
    with pytest.raises(LastSlot):
        keyring.drop_machine_slots(ring)
    keyring.put_clerk_slot(ring, key, "z01", "right", cost=ONLY_FOR_TESTS)
    keyring.put_clerk_slot(ring, key, "z02", "other", cost=ONLY_FOR_TESTS)
    keyring.drop_machine_slots(ring)
    assert not keyring.opens_alone(ring)
    keyring.drop_clerk_slot(ring, "z01")
    for drop in (lambda: keyring.drop_clerk_slot(ring, "z02"), lambda: keyring.drop_clerk_slots(ring)):
        with pytest.raises(LastSlot):
            drop()
    assert keyring.unlock(ring, ByClerk("z02", "other")) == key


def test_a_desk_that_clerks_unlock_is_re_keyed_without_a_machine_slot(ring: Path) -> None:
    old, new = keyring.create(ring, MACHINE, CITY.public), b"k" * 32
    keyring.put_clerk_slot(ring, old, "z01", "right", cost=ONLY_FOR_TESTS)
    keyring.drop_machine_slots(ring)
    keyring.add_next(ring, ByClerk("z01", "right"), new, [])
    assert keyring.candidates(ring, ByClerk("z01", "right")) == [old, new]
    keyring.settle(ring, on_next=True)
    assert keyring.unlock(ring, ByClerk("z01", "right")) == new
    assert not keyring.opens_alone(ring)


def test_an_existing_keyring_is_never_replaced(ring: Path) -> None:
    key = keyring.create(ring, MACHINE, None)
    with pytest.raises(KeyringExists):
        keyring.create(ring, MACHINE, None)
    assert keyring.unlock(ring, MACHINE) == key


def test_a_missing_or_torn_keyring_says_so(ring: Path) -> None:
    with pytest.raises(KeyringMissing):
        keyring.unlock(ring, MACHINE)
    keyring.create(ring, MACHINE, None)
    whole = ring.read_text()
    newer = json.dumps(json.loads(whole) | {"version": 2})
    for broken in (whole[:-5], "[]", "{}", '{"version":1,"slots":[{}]}', newer, '{"version":1,"slots":[1]}'):
        ring.write_text(broken)
        with pytest.raises(KeyringDamaged):
            keyring.unlock(ring, MACHINE)


@pytest.mark.parametrize("part", ["salt", "wrapped"])
def test_a_slot_of_which_any_character_rotted_gives_the_true_key_or_is_told(ring: Path, part: str) -> None:
    key = keyring.create(ring, MACHINE, None)
    whole = ring.read_text()
    value = json.loads(whole)["slots"][0][part]
    told = 0
    for at in range(len(value)):
        for other in {"A", "~"} - {value[at]}:
            ring.write_text(whole.replace(value, f"{value[:at]}{other}{value[at + 1 :]}"))
            assert not keyring.is_sound(ring)
            try:
                assert keyring.unlock(ring, MACHINE) == key  # a zero behind the salt makes no other key
            except (KeyringDamaged, SlotRefused):
                told += 1
    assert told > len(value)


def test_the_machine_key_comes_from_the_service_manager_or_a_named_file(tmp_path: Path) -> None:
    (tmp_path / "desk-key").write_bytes(MACHINE)
    (tmp_path / "other").write_text(MACHINE.hex() + "\n")
    assert keyring.machine_key({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == MACHINE
    assert keyring.machine_key({"GUANGAN_MACHINE_KEY_FILE": str(tmp_path / "other")}) == MACHINE
    (tmp_path / "other").write_text("short")
    for environment in (
        {},
        {"CREDENTIALS_DIRECTORY": "/nowhere"},
        {"GUANGAN_MACHINE_KEY_FILE": str(tmp_path / "other")},
    ):
        with pytest.raises(MachineKeyMissing):
            keyring.machine_key(environment)
