"""The conversation between a node and the city, as a machine without sockets, disk, clock or chance.

The driver (sync_agent, edge_node, city_gateway, a simulator, a test) does the consequences and feeds back what
happened. When to ask is not decided here: that is the rhythm of the driver.
"""

from wire.exchange.consequences import (
    DeliverFeed,
    Doubt,
    GoBack,
    GoBackInFeed,
    Halt,
    KeepReceipt,
    NodeConsequence,
    Send,
    Tell,
    WaitFor,
)
from wire.exchange.happenings import Answered, Ask, Brought, NodeEvent, Resume, Silence
from wire.exchange.node import Epoch, NodeExchange
from wire.exchange.phases import Phase
from wire.exchange.table import TRANSITIONS, advance

__all__ = [
    "TRANSITIONS",
    "Answered",
    "Ask",
    "Brought",
    "DeliverFeed",
    "Doubt",
    "Epoch",
    "GoBack",
    "GoBackInFeed",
    "Halt",
    "KeepReceipt",
    "NodeConsequence",
    "NodeEvent",
    "NodeExchange",
    "Phase",
    "Resume",
    "Send",
    "Silence",
    "Tell",
    "WaitFor",
    "advance",
]
