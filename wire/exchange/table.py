"""The one table of the exchange.

Laws: a step that is not in it raises IllegalStep and changes nothing. A step gives the new state and what must be done,
in order: keep first, speak afterwards.
"""

from collections.abc import Callable, Mapping
from typing import Any

from wire.errors import IllegalStep
from wire.exchange.consequences import NodeConsequence
from wire.exchange.happenings import Answered, Ask, Brought, NodeEvent, Resume, Silence
from wire.exchange.node import NodeExchange, answered, ask, brought, resume, silence
from wire.exchange.phases import Phase

__all__ = ["TRANSITIONS", "advance"]

Step = Callable[[Any, Any], Any]

TRANSITIONS: Mapping[Phase, Mapping[type, Step]] = {
    Phase.READY: {Ask: ask, Brought: brought},
    Phase.WAITING: {Answered: answered, Silence: silence, Brought: brought},
    Phase.HALTED: {Resume: resume},
}


def advance(exchange: NodeExchange, event: NodeEvent) -> tuple[NodeExchange, tuple[NodeConsequence, ...]]:
    """Take one step."""
    row = TRANSITIONS[exchange.phase]
    step = row.get(type(event))
    if step is None:
        raise IllegalStep(exchange.phase.value, type(event).__name__, tuple(sorted(kind.__name__ for kind in row)))
    outcome: tuple[NodeExchange, tuple[NodeConsequence, ...]] = step(exchange, event)
    return outcome
