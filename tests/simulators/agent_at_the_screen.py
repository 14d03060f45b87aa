"""An agent who works the screen by keys alone and reads what is on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

from tests.simulators.screen_text import text_of
from tui.app import CounterApp
from tui.screens.home import HomeScreen

PATIENCE_SECONDS = 8.0
LOOK_SECONDS = 0.005


class Agent:
    """Presses keys, waits for words."""

    def __init__(self, app: CounterApp, pilot: Pilot[Any], clerk: str, passphrase: str) -> None:
        self.app = app
        self.pilot = pilot
        self.clerk, self.passphrase = clerk, passphrase

    @property
    def screen(self) -> Any:
        return self.app.screen

    def text(self) -> str:
        return text_of(self.app)

    async def settle(self) -> None:
        await self.pilot.pause(LOOK_SECONDS)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, words: str) -> None:
        await self.pilot.press(*words)
        await self.settle()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, or fail with what is on the screen."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + PATIENCE_SECONDS
        while not holds():
            assert loop.time() < limit, "never held; on the screen:\n" + self.text()
            await self.pilot.pause(LOOK_SECONDS)

    async def sees(self, *words: str) -> None:
        await self.until(lambda: all(one in self.text() for one in words))

    async def misses(self, words: str) -> None:
        await self.until(lambda: words not in self.text())

    async def at(self, place: str) -> None:
        """Wait until a screen is in front and something on it has the focus."""
        await self.until(lambda: getattr(self.screen, "place", "") == place and self.screen.focused is not None)
        await self.settle()

    async def focus_on(self, field_id: str) -> None:
        await self.until(lambda: bool(self.screen.query(f"#field-{field_id}")))
        self.screen.query_one(f"#field-{field_id}").editor.focus()
        await self.settle()

    async def sign_in(self) -> None:
        await self.type(self.clerk)
        await self.press("enter")
        await self.type(self.passphrase)
        await self.press("enter")
        await self.at("home")

    async def begin_at_home(self) -> None:
        """Be signed in already; signing in by keys has its own test."""
        counter = self.app.counter
        counter.clerk = (await counter.client.sign_in(self.clerk, self.passphrase)).clerk
        await self.app.push_screen(HomeScreen())
        await self.at("home")

    async def begin(self, item_words: str) -> None:
        """Search an item, read its guide, begin."""
        await self.press("1")
        await self.at("search")
        await self.type(item_words)
        await self.until(lambda: len(self.screen.query_one("NumberedList").rows) == 1)
        await self.press("1")
        await self.at("guide")
        await self.sees("可以登记")
        await self.press("enter")
        await self.at("wizard")
        await self.until(lambda: bool(self.screen.query("FieldFrame")))
