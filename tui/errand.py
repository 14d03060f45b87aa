"""Work that a screen does beside its keys: asking the node, then showing the answer.

Laws: one errand of a group at a time, the newest wins; a screen that left while its errand was away is told nothing,
and that is no fault of the program.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual import work
from textual.app import ScreenStackError
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.worker import Worker

P = ParamSpec("P")
S = TypeVar("S", bound=Screen[Any])


def in_place(screen: Screen[Any]) -> bool:
    """Is the screen still among those that are shown or covered?"""
    return screen.is_running and any(one is screen for one in screen.app.screen_stack)


def errand(
    group: str,
) -> Callable[[Callable[Concatenate[S, P], Coroutine[None, None, None]]], Callable[Concatenate[S, P], Worker[None]]]:
    """Make a method of a screen an errand of a group."""

    def made(
        method: Callable[Concatenate[S, P], Coroutine[None, None, None]],
    ) -> Callable[Concatenate[S, P], Worker[None]]:
        @wraps(method)
        async def run(screen: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
            try:
                await method(screen, *args, **kwargs)
            except (NoMatches, ScreenStackError):
                if in_place(screen):
                    raise

        return work(exclusive=True, group=group)(run)

    return made
