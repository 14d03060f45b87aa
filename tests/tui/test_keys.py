"""Keys: every key shown does what it says; no screen takes away F1 or Esc."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

from tests.simulators.agents_work import ON_THE_FAKE
from tui import screens
from tui.actions import ACTIONS
from tui.app import CounterApp
from tui.keymap import KEYMAP, shown_for
from tui.screens.counter_screen import CounterScreen
from tui.wording import of

pytestmark = pytest.mark.screen


def all_screens():
    for module in pkgutil.iter_modules(screens.__path__):
        for thing in vars(importlib.import_module(f"tui.screens.{module.name}")).values():
            if isinstance(thing, type) and issubclass(thing, CounterScreen) and thing.place:
                yield thing


def test_every_key_of_a_screen_has_its_act():
    for screen in all_screens():
        for bound in KEYMAP[screen.place]:
            where, _, act = ACTIONS[bound.action].does.partition(".")
            owner = CounterApp if where == "app" else screen
            assert hasattr(owner, "action_" + act.partition("(")[0]), f"{screen.__name__} {bound.shown}"


def test_every_place_has_a_screen_and_every_action_a_key():
    assert {screen.place for screen in all_screens()} | {"table_row"} == set(KEYMAP)
    assert {bound.action for keys in KEYMAP.values() for bound in keys} == set(ACTIONS)


def test_a_key_means_one_thing_on_a_screen():
    for place, keys in KEYMAP.items():
        names = [name for bound in keys for name in bound.keys.split(",") if name]
        assert len(names) == len(set(names)), place


def test_help_is_on_every_screen_and_the_bar_is_never_longer_than_two_lines():
    for place in KEYMAP:
        shown = shown_for(place)
        assert place == "help" or shown[0] == ("F1", "帮助")
        assert all(key and words for key, words in shown)


@ON_THE_FAKE
async def test_f1_explains_the_screen_in_front_and_esc_returns(at_the_screen):
    async with at_the_screen() as agent:
        for keys, place in ((("1",), "search"), (("1",), "guide")):
            await agent.press(*keys)
            await agent.at(place)
            await agent.press("f1")
            await agent.at("help")
            await agent.sees("按键", "任何画面")
            await agent.press("escape")
            await agent.at(place)


@ON_THE_FAKE
async def test_leaving_sends_what_is_unsaved_first(at_the_screen, node):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.pilot.press(*"李样例", "ctrl+q")
        await agent.until(lambda: "李样例" in str(node.drafts))


def test_the_manual_lists_every_key_of_every_screen():
    manual = (Path(__file__).parents[2] / "docs" / "manual" / "agent.md").read_text("utf-8")
    for place in KEYMAP:
        keys = "；".join(f"{key} {words}" for key, words in shown_for(place))
        assert f"| {of('title', place)} | {keys} |" in manual, place
