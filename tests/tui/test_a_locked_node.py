"""A node that was started and waits for a clerk: the screen says so, and signing in unlocks it."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from edge_node.app import counter_app, open_counter
from edge_node.language import ByHeader
from edge_node.locked import Lock, LockedCounter
from edge_node.settings import NodeSettings
from offline_store.desk import keyring
from offline_store.desk.keyring import ByClerk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from tests.edge_node.village import AGENT, PASSPHRASE

pytestmark = [pytest.mark.screen, pytest.mark.parametrize("node", ["real"], indirect=True)]


@pytest.fixture
def restart(node):
    """Start the node behind the screen anew, so that it waits for a clerk."""
    counter = node.village.counter
    counter.desk.let_clerk_open(counter.paths.keyring, ByClerk(AGENT, PASSPHRASE), os.urandom, ONLY_FOR_TESTS)
    keyring.drop_machine_slots(counter.paths.keyring)
    made = SimpleNamespace(lock=None)

    def opened(who):
        clock = node.village.clock
        made.counter = open_counter(counter.paths, who, clock=clock.machine(), settings=NodeSettings())
        return made.counter

    def anew():
        counter.desk.close()
        made.lock = Lock(opened, monotonic=lambda: node.village.clock.monotonic, randomness=os.urandom)
        node.app = ByHeader(LockedCounter(made.lock, counter_app))

    yield anew
    if made.lock is not None and made.lock.counter is not None:
        made.lock.counter.desk.close()


async def test_the_first_screen_says_that_the_machine_is_locked_and_signing_in_unlocks_it(at_the_screen, restart):
    restart()
    async with at_the_screen(signed_in=False) as agent:
        await agent.sees("本机已锁定，请输入口令解锁", "工号", "口令")
        await agent.sign_in()
        await agent.sees("办新件")
        await agent.until(lambda: "本机已锁定" not in agent.text())


async def test_who_forgot_at_a_locked_machine_is_told_who_can_help(at_the_screen, restart):
    restart()
    async with at_the_screen(signed_in=False) as agent:
        await agent.sees("本机已锁定，请输入口令解锁")
        await agent.type(agent.clerk)
        await agent.press("f2")
        await agent.sees("请另一位同事登录解锁", "找装机员")
        assert agent.screen.place == "sign_in"


async def test_a_restart_under_a_half_typed_form_asks_for_the_passphrase_and_goes_on(at_the_screen, node, restart):
    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.type("李样例")
        await agent.until(lambda: "李样例" in str(node.drafts))
        restart()
        await agent.type("花")
        await agent.at("lock")
        await agent.type(agent.passphrase)
        await agent.press("enter")
        await agent.at("wizard")
        await agent.sees("李样例花")
