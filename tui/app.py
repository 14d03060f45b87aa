"""The composition of the screen: what is handed to it, what runs beside the screens, what works everywhere.

Laws:
- Clock, transport and scan folder come from outside; nothing here reads the environment.
- How things stand is asked every two seconds, whatever screen is shown; the answer is drawn at once.
- A screen of practice never stays on a true node, nor a true one on a practice store: it ends and says so.
- After idle minutes the lock screen covers everything; what lies below stays as it was. Idle is counted by `uptime`,
  which no wall clock moves.
"""

import asyncio
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from httpx import AsyncBaseTransport
from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key, Paste

from tui.counter import Counter
from tui.counter_client import CounterClient
from tui.screens.counter_screen import CounterScreen
from tui.screens.help import HelpScreen
from tui.screens.line import LineScreen
from tui.screens.lock import LockScreen
from tui.screens.practice import PracticeScreen
from tui.screens.sign_in import SignInScreen
from tui.wording import t
from wire.counter import IDLE_LOCK_SECONDS

LOOK_SECONDS = 2.0
LANDING_SECONDS = 0.1
LANDINGS = 3  # key to widget, widget to screen, screen to the next widget
WRONG_STORE = 2


class CounterApp(App[None]):
    """The village agent's program."""

    CSS_PATH = "styles/counter.tcss"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", show=False, priority=True),
        Binding("ctrl+q", "leave", show=False, priority=True),
        Binding("f8,ctrl+l", "lock", show=False, priority=True),
        Binding("f3,ctrl+t", "line", show=False, priority=True),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]

    def __init__(
        self,
        transport: AsyncBaseTransport,
        *,
        now: Callable[[], datetime],
        uptime: Callable[[], float],
        scan_folder: Path,
        idle_seconds: float = IDLE_LOCK_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        practice: bool = False,
        offers_practice: bool = False,
        print_command: str = "",
    ) -> None:
        super().__init__()
        self.counter = Counter(
            CounterClient(transport),
            now,
            scan_folder,
            lock=self.action_lock,
            practice=practice,
            offers_practice=offers_practice,
            print_command=print_command,
        )
        self._idle_seconds = idle_seconds
        self._look_seconds = look_seconds
        self._uptime = uptime
        self._touched = uptime()
        self._locked = False

    async def on_mount(self) -> None:
        self.title = t("app.title")
        await self.push_screen(PracticeScreen() if self.counter.practice else SignInScreen())
        self.look()
        self.set_interval(self._look_seconds, self._tick)

    async def on_unmount(self) -> None:
        await self.counter.client.close()

    def _tick(self) -> None:
        self.look()
        idle = self._uptime() - self._touched
        if self.counter.clerk is not None and idle > self._idle_seconds:
            self.action_lock()

    @work(group="look", exclusive=True)
    async def look(self) -> None:
        """Ask how things stand and draw it."""
        await self.counter.look()
        if self.counter.is_elsewhere:
            self.exit(return_code=WRONG_STORE, message=t("practice.wrong_store"))
            return
        for screen in self.screen_stack[-1:]:
            if isinstance(screen, CounterScreen):
                screen.show_standing()

    async def on_event(self, event: object) -> None:
        if isinstance(event, Key | Paste):
            self._touched = self._uptime()
        await super().on_event(event)  # type: ignore[arg-type]
        if isinstance(event, Key):
            await self._let_it_land()

    async def _let_it_land(self) -> None:
        """Wait until a key has done its work before the next one is taken.

        A card reader or a slow serial line delivers a number and its Enter at once; the keys after Enter belong to
        the next field. A screen that is busy longer is not waited for.
        """
        for _ in range(LANDINGS):
            for pump in (self.focused, self.screen):
                landed = asyncio.Event()
                if pump is None or not pump.call_later(landed.set):
                    continue
                try:
                    await asyncio.wait_for(landed.wait(), LANDING_SECONDS)
                except TimeoutError:
                    return

    def _fatal_error(self) -> None:
        """Say where the program broke, once: what breaks after the first fault is its consequence.

        Textual would print the values of all variables, people's data among them, and advice for developers.
        """
        kind, _, trace = sys.exc_info()
        places = traceback.extract_tb(trace)
        where = f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "?"
        self.bell()
        if not self._exit_renderables:
            self._exit_renderables.append(t("app.broken", kind=kind.__name__ if kind else "?", where=where))
        self._close_messages_no_wait()

    def action_lock(self) -> None:
        """Cover everything until the clerk is back."""
        if self.counter.clerk is None or self._locked:
            return
        self._locked = True
        self.push_screen(LockScreen(), self._unlocked)

    def _unlocked(self, _: None) -> None:
        self._locked = False
        self._touched = self._uptime()

    def action_help(self) -> None:
        """Explain the screen in front."""
        screen = self.screen
        if isinstance(screen, HelpScreen):
            screen.dismiss(None)
        elif isinstance(screen, CounterScreen):
            self.push_screen(HelpScreen(screen.place, screen.help_first(), screen.keys_shown()))

    def action_line(self) -> None:
        """Say why something is not at the city yet; only to somebody who is signed in."""
        screen = self.screen
        if isinstance(screen, LineScreen):
            screen.dismiss(None)
        elif self.counter.clerk is not None and not self._locked and isinstance(screen, CounterScreen):
            self.push_screen(LineScreen())

    async def action_leave(self) -> None:
        """End the program, whatever is shown; unsaved text is sent first by the screens that have some."""
        for screen in self.screen_stack:
            if isinstance(screen, CounterScreen):
                await screen.put_away()
        self.exit()
