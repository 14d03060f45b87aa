"""The first screen of practice: what it is, what must not be typed, and how to begin.

Nobody is asked for a passphrase here: who types his own from habit would type it into the wrong program.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.screens.home import HomeScreen
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import t
from wire.practice import CLERK, PASSPHRASE


class PracticeScreen(CounterScreen[None]):
    """Read, then begin."""

    place = "practice"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("practice")

    def body(self) -> ComposeResult:
        with ReadingScroll():
            yield Static(t("practice.explained", passphrase=PASSPHRASE), id="told", markup=False)

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()

    @errand("sign-in")
    async def action_begin(self) -> None:
        given = await self.attempt_without_lock(lambda: self.counter.client.sign_in(CLERK, PASSPHRASE))
        if given is None:
            return
        self.say("")
        self.counter.clerk = given.value.clerk
        await self.app.push_screen(HomeScreen(), self._came_back)

    def _came_back(self, _: None) -> None:
        self.counter.clerk = None
        self.show_standing()

    def action_back(self) -> None:
        """There is nothing behind the first screen."""
