"""The fleet as the console shows it: a silent node is unknown, never fine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from casework.identifiers import region_covers
from city_gateway.acts import machines
from city_gateway.acts.gateway import CITY_REGION, Gateway
from city_gateway.ledger import nodes
from city_gateway.ledger.nodes import Node
from wire.messages import NodeReport

HEARD_WITHIN = timedelta(hours=24)
ALL, ALARMED = "all", "alarmed"


class Standing(StrEnum):
    """What can honestly be said of a node."""

    HEARD = "heard"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class FleetLine:
    """One node of the overview; `report` is what it last said, however long ago."""

    node: Node
    standing: Standing
    report: NodeReport | None
    two_machines: bool = False

    @property
    def alarms(self) -> list[str]:
        """What it last said is wrong with it."""
        return self.report.alarms if self.report is not None else []


@dataclass(frozen=True, slots=True)
class Asked:
    """Which nodes: those of a region, of one standing (or with alarms), with a word in name, id or region."""

    region: str = CITY_REGION
    which: str = ALL
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The nodes that were asked for, and how many there are of each kind in the region."""

    lines: list[FleetLine]
    counts: Mapping[str, int]
    which: str


def fleet(gateway: Gateway, asked: Asked | None = None) -> Fleet:
    """Every node that was ever enrolled and is asked for."""
    asked = asked or Asked()
    now = gateway.clock()
    revoked = gateway.revoked()
    with gateway.ledger.reading() as tx:
        everyone = [node for node in nodes.everyone(tx) if region_covers(asked.region, node.region)]
    lines = [
        FleetLine(node, _standing(node, now, node.node_id in revoked), _report(node), _two(node, now))
        for node in everyone
    ]
    counts = Counter(line.standing.value for line in lines)
    kinds = {ALL: len(lines), ALARMED: sum(_alarmed(line) for line in lines)}
    kinds |= {standing.value: counts[standing.value] for standing in Standing}
    which = asked.which if asked.which in kinds else ALL
    shown = [line for line in lines if _is_of(line, which) and _says(line, asked.text)]
    return Fleet(shown, kinds, which)


def _is_of(line: FleetLine, which: str) -> bool:
    return which in {ALL, line.standing.value} or (which == ALARMED and _alarmed(line))


def _alarmed(line: FleetLine) -> bool:
    return bool(line.alarms) or line.two_machines


def _says(line: FleetLine, text: str) -> bool:
    node = line.node
    said = (node.site_name, node.node_id, node.site, line.report.program_version if line.report else "")
    return any(text.casefold() in one.casefold() for one in said)


def _two(node: Node, now: datetime) -> bool:
    return machines.two_in_turn(node.report, now)


def _standing(node: Node, now: datetime, revoked: bool) -> Standing:  # noqa: FBT001 - a fact about the node
    if node.standing != nodes.ACTIVE:
        return Standing.STOPPED
    if revoked:
        return Standing.REVOKED
    if node.last_contact is None or now - node.last_contact > HEARD_WITHIN:
        return Standing.UNKNOWN
    return Standing.HEARD


def _report(node: Node) -> NodeReport | None:
    return NodeReport.model_validate_json(node.report) if node.report else None
