"""The one table of the exchange: the node's phases and the city's.

Laws: a step that is not in it raises IllegalStep and changes nothing. A step gives the new state and what must be done,
in order: keep first, speak afterwards. The drawing in `docs/machines/exchange.md` is made from this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, overload

from wire.errors import IllegalStep
from wire.exchange import city, node
from wire.exchange.city import CityExchange, CityOutcome
from wire.exchange.happenings import (
    Answered,
    Ask,
    Asked,
    BackedUp,
    Brought,
    CityEvent,
    Kept,
    NodeEvent,
    Restored,
    Resume,
    Silence,
    StoodDown,
    Undone,
)
from wire.exchange.node import NodeExchange, NodeOutcome
from wire.exchange.phases import Phase

__all__ = ["TRANSITIONS", "advance"]

Step = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Move:
    """A step, and the phases that it may lead to."""

    step: Step
    to: tuple[Phase, ...]


TRANSITIONS: Mapping[Phase, Mapping[type, Move]] = {
    Phase.READY: {
        Ask: Move(node.ask, (Phase.WAITING,)),
        Brought: Move(node.brought, (Phase.READY, Phase.HALTED)),
    },
    Phase.WAITING: {
        Answered: Move(node.answered, (Phase.READY, Phase.HALTED)),
        Silence: Move(node.silence, (Phase.READY,)),
        Brought: Move(node.brought, (Phase.WAITING, Phase.HALTED)),
    },
    Phase.HALTED: {
        Resume: Move(node.resume, (Phase.READY,)),
    },
    Phase.SERVING: {
        Asked: Move(city.asked, (Phase.KEEPING, Phase.SERVING)),
        BackedUp: Move(city.backed_up, (Phase.SERVING,)),
        StoodDown: Move(city.stood_down, (Phase.STOPPED,)),
        Restored: Move(city.restored, (Phase.SERVING, Phase.STOPPED)),
    },
    Phase.KEEPING: {
        Kept: Move(city.kept, (Phase.SERVING, Phase.STOPPED)),
        Undone: Move(city.undone, (Phase.SERVING,)),
        Restored: Move(city.restored, (Phase.SERVING, Phase.STOPPED)),
    },
    Phase.STOPPED: {
        Asked: Move(city.refused, (Phase.STOPPED,)),
        BackedUp: Move(city.backed_up, (Phase.STOPPED,)),
        Restored: Move(city.restored, (Phase.SERVING, Phase.STOPPED)),
    },
}


@overload
def advance(exchange: NodeExchange, event: NodeEvent) -> NodeOutcome:
    """Take one step of the node."""


@overload
def advance(exchange: CityExchange, event: CityEvent) -> CityOutcome:
    """Take one step of the city."""


def advance(exchange: NodeExchange | CityExchange, event: NodeEvent | CityEvent) -> NodeOutcome | CityOutcome:
    """Take one step."""
    row = TRANSITIONS[exchange.phase]
    move = row.get(type(event))
    if move is None:
        raise IllegalStep(exchange.phase.value, type(event).__name__, tuple(sorted(kind.__name__ for kind in row)))
    outcome: NodeOutcome | CityOutcome = move.step(exchange, event)
    return outcome
