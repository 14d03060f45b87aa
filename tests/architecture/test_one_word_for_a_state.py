"""A state of an application has one name: on the agent's screen, on the township's page and in the back office."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from casework.states import State

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
SAID = ("tui", "edge_node", "city_gateway")


def words(room: str, language: str) -> dict[str, str]:
    path = ROOT / room / "locale" / language / "LC_MESSAGES" / f"{room}.po"
    with path.open("rb") as file:
        known = {str(one.id): str(one.string) for one in read_po(file)}
    return {state.value: known[f"state.{state.value}"] for state in State}


def differing(said: list[dict[str, str]]) -> list[str]:
    return [state for state in said[0] if len({one[state] for one in said}) > 1]


def test_a_state_has_one_chinese_name_in_every_room() -> None:
    assert differing([words(room, "zh_CN") for room in SAID]) == []


def test_another_name_in_one_room_is_found() -> None:
    said = [words(room, "zh_CN") for room in SAID]
    said[1]["submitted"] = "已上报"
    assert differing(said) == ["submitted"]
