"""This identity is stopped: what happened, that nothing is lost, what still goes, who must act, what to say.

Everything an agent needs is on this one screen, so that it can be read out over the telephone.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui.city_clock import at_city
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import of, t
from wire.counter import StatusBar

SPOKEN_DIGITS = 8  # of the node's id: enough to find it in the city's list, short enough to be read out


class StoppedScreen(CounterScreen[None]):
    """Read, telephone, go on filling in drafts."""

    place = "stopped"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("stopped")

    def body(self) -> ComposeResult:
        standing = self.counter.standing
        with ReadingScroll():
            yield Static(told(standing) if standing else t("say.loading"), id="told", markup=False)

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()


def told(standing: StatusBar) -> str:
    """The whole page."""
    stopped = standing.stopped
    if stopped is None:
        return t("stopped.over")
    why = of("stopped_why", stopped.why)
    since = f"{at_city(stopped.at):%m-%d %H:%M}" if stopped.at else t("value.unknown")
    node = stopped.node_id[:SPOKEN_DIGITS]
    parts = (
        t("stopped.happened", since=since, why=why),
        t("stopped.nothing_lost", ops=stopped.waiting_ops),
        t("stopped.goes_on"),
        t("stopped.who"),
        t("stopped.phone", site=standing.site_name, node=node, why=why),
    )
    return "\n\n".join(parts)
