"""The conversation between a node and the city, as a machine without sockets, disk, clock or chance.

The driver (sync_agent, edge_node, city_gateway, a simulator, a test) does the consequences and feeds back what
happened. When to ask is not decided here: that is the rhythm of the driver.
"""

from wire.errors import FORK
from wire.exchange.city import FORGED, STOPPED, CityExchange, feeds_part
from wire.exchange.consequences import (
    Answer,
    CityConsequence,
    DeliverFeed,
    Doubt,
    GoBack,
    GoBackInFeed,
    Halt,
    KeepReceipt,
    LeadBack,
    NodeConsequence,
    Refuse,
    Send,
    Stop,
    Store,
    Tell,
    TurnPage,
    WaitFor,
)
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
from wire.exchange.node import Epoch, NodeExchange
from wire.exchange.phases import Phase
from wire.exchange.table import TRANSITIONS, advance
from wire.exchange.verdicts import Telling, Verdict, judge_entry, judge_operation, may_be_purged, sort_apart

__all__ = [
    "FORGED",
    "FORK",
    "STOPPED",
    "TRANSITIONS",
    "Answer",
    "Answered",
    "Ask",
    "Asked",
    "BackedUp",
    "Brought",
    "CityConsequence",
    "CityEvent",
    "CityExchange",
    "DeliverFeed",
    "Doubt",
    "Epoch",
    "GoBack",
    "GoBackInFeed",
    "Halt",
    "KeepReceipt",
    "Kept",
    "LeadBack",
    "NodeConsequence",
    "NodeEvent",
    "NodeExchange",
    "Phase",
    "Refuse",
    "Restored",
    "Resume",
    "Send",
    "Silence",
    "StoodDown",
    "Stop",
    "Store",
    "Tell",
    "Telling",
    "TurnPage",
    "Undone",
    "Verdict",
    "WaitFor",
    "advance",
    "feeds_part",
    "judge_entry",
    "judge_operation",
    "may_be_purged",
    "sort_apart",
]
