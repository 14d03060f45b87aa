"""The city's hand on a keyring: with the two functions of `wire` that `city_gateway keys rescue` uses."""

from __future__ import annotations

from pathlib import Path

from wire.keys import SealingKey, key_id
from wire.recovery_key import city_slots, open_slot


def opened_by_city(ring: Path, own: SealingKey) -> list[bytes]:
    """Every desk key that the city's key opens, in the order of the slots."""
    mine = [slot for slot in city_slots(ring.read_bytes()) if slot.owner == key_id(own.public).hex()]
    return [open_slot("city", slot.owner, slot.wrapped, own) for slot in mine]
