"""The fleet as the console shows it: a silent node is unknown, never fine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from city_gateway.acts import machines
from city_gateway.acts.gateway import Gateway
from city_gateway.ledger import nodes
from city_gateway.ledger.nodes import Node
from wire.messages import NodeReport

HEARD_WITHIN = timedelta(hours=24)


class Standing(StrEnum):
    """What can honestly be said of a node."""

    HEARD = "heard"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class FleetLine:
    """One node of the overview; `report` is what it last said, however long ago."""

    node: Node
    standing: Standing
    report: NodeReport | None
    two_machines: bool = False


def fleet(gateway: Gateway) -> list[FleetLine]:
    """Every node that was ever enrolled."""
    now = gateway.clock()
    with gateway.ledger.reading() as tx:
        everyone = nodes.everyone(tx)
    return [
        FleetLine(node, _standing(node, now), _report(node), machines.two_in_turn(node.report, now))
        for node in everyone
    ]


def _standing(node: Node, now: datetime) -> Standing:
    if node.standing != nodes.ACTIVE:
        return Standing.STOPPED
    if node.last_contact is None or now - node.last_contact > HEARD_WITHIN:
        return Standing.UNKNOWN
    return Standing.HEARD


def _report(node: Node) -> NodeReport | None:
    return NodeReport.model_validate_json(node.report) if node.report else None
