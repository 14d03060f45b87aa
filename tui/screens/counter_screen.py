"""The frame of every screen: title, what the screen is for, body, the answer line, status bar, key bar.

Laws:
- A call to the node never blocks the keys: it runs in a worker.
- What failed is said in the answer line, in the person's language; the screen stays as it was.
- Of practice every screen says so in its first line and in the bar below, whatever else is shown.
- A screen that is uncovered only to be left in the same moment asks the node for nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from tui.counter import Counter
from tui.errors import CounterError, NodeAway, NodeLocked, Refused
from tui.keymap import shown_for
from tui.widgets.editing import Cleared
from tui.widgets.key_bar import KeyBar
from tui.widgets.say_line import SayLine
from tui.widgets.status_bar import StandingBar
from tui.widgets.title_bar import TitleBar
from tui.wording import of, t

HOME = "home"
WITHOUT_CLERK = {"sign_in", "lock", "recovery", "practice"}

R = TypeVar("R")
T = TypeVar("T")


class AtCounter(Protocol):
    """What a screen needs of the app."""

    counter: Counter


class Given(Generic[T]):
    """An answer of the node that arrived; its absence means that the failure was said."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class CounterScreen(Screen[R]):
    """A screen of the counter; `place` names it in keymap, wording and help."""

    place: str = ""

    def help_first(self) -> str:
        """What help says before anything else."""
        return ""

    def compose(self) -> ComposeResult:
        yield TitleBar(self.caption(), self.whose(), practice=self.counter.practice)
        yield Static(of("purpose", self.place), id="purpose")
        with Vertical(id="body"):
            yield from self.body()
        yield SayLine(id="say")
        yield StandingBar()
        yield KeyBar(self.keys_shown())

    def caption(self) -> str:
        return of("title", self.place)

    def keys_shown(self) -> list[tuple[str, str]]:
        """What the key bar shows."""
        return shown_for(self.place)

    def body(self) -> ComposeResult:
        yield from ()

    @property
    def counter(self) -> Counter:
        return cast("AtCounter", self.app).counter

    def whose(self) -> str:
        """The station and the clerk, as far as they are known."""
        standing, clerk = self.counter.standing, self.counter.clerk
        return " · ".join(
            part for part in (standing.site_name if standing else "", clerk.name if clerk else "") if part
        )

    def on_screen_resume(self) -> None:
        if self.app.screen_stack[-1:] == [self]:
            self.show_standing()
            self.uncovered()

    def uncovered(self) -> None:
        """The screen is in front, for the first time or again."""

    def show_standing(self) -> None:
        """Show how things stand at this moment."""
        for bar in self.query(StandingBar):
            explained = self.counter.clerk is not None and self.place not in WITHOUT_CLERK
            bar.show(
                self.counter.standing, self.counter.away_since, explained=explained, locked=self.counter.node_locked
            )
        for title in self.query(TitleBar):
            title.whose = self.whose()

    def say(self, sentence: str, tone: str = "plain") -> None:
        for line in self.query(SayLine):
            line.say(sentence, tone)

    @on(Cleared)
    def _emptied(self, event: Cleared) -> None:
        """One key took a choice away: that is said, with the way back."""
        self.say(t("field.brought_back") if event.back else t("field.cleared"))

    async def attempt(self, call: Callable[[], Awaitable[T]]) -> Given[T] | None:
        """Ask the node; what goes wrong is said on this screen and None comes back."""
        try:
            return Given(await self.counter.ask(call))
        except CounterError as failure:
            self.say(sentence_of(failure), "error")
            return None

    async def attempt_without_lock(self, call: Callable[[], Awaitable[T]]) -> Given[T] | None:
        """Ask the node where nobody is signed in: a closed session is an answer here, not something to wait for."""
        try:
            return Given(await call())
        except CounterError as failure:
            self.say(sentence_of(failure), "error")
            return None

    async def put_away(self) -> None:
        """Send what is unsaved, because the program ends."""

    def action_back(self) -> None:
        self.dismiss(None)

    def action_nothing(self) -> None:
        """A key that a widget of the screen handles itself."""

    def action_go_home(self) -> None:
        """Leave everything that lies above the home screen."""
        places = [getattr(screen, "place", "") for screen in self.app.screen_stack]
        if HOME in places:
            for _ in places[places.index(HOME) + 1 :]:
                self.app.pop_screen()


def sentence_of(failure: CounterError) -> str:
    """The sentence for a person about a call that failed."""
    if isinstance(failure, Refused):
        return failure.sentence or t("say.refused", code=failure.reason)
    if isinstance(failure, NodeLocked):
        return t("sign_in.node_locked")
    if isinstance(failure, NodeAway):
        return t("say.node_away")
    return t("say.refused", code=failure.code)
