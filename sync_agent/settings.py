"""How this courier behaves: `node.toml`, table `[agent]`, then the environment (`GUANGAN_AGENT_…`), then defaults for a
village's metered line.

Laws:
- Who starts the courier anyway (`run` does: operations must flow) gets `cautious()`: no scan goes out until a person
  has put the settings right, for a typing mistake must not cost a village its data volume.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from offline_store.node_toml import FLAG, BadSetting, Rule, Rules, number, settled, written_in
from sync_agent.quiet_hours import QuietHours, read_quiet_hours

TABLE = "agent"
ENVIRONMENT = "GUANGAN_AGENT_"
KIB = 1024


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """Times are seconds, sizes bytes."""

    gateway_url: str | None = None
    """Another way to the same gateway (a tunnel, a relay of the county); the enrolment's address when not set. Who
    answers there is believed for its signature alone."""
    relay_url: str | None = None
    """The township's machine on the LAN, `http://HOST:PORT`: mail goes there while the city does not answer. It is
    believed in nothing."""
    relay_ask_s: float = 600.0
    """How often a village that has nothing to send asks the city for news over the relay: the bag goes over the
    township's line."""
    idle_s: float = 60.0
    """Rest between two questions when nothing waits and the city does not hold requests."""
    hold_s: int = 900
    """How long one question is left open at the city for news; 0 asks each `idle_s` instead. A question held and
    answered weighs 1.7 KiB, so an idle hour weighs 7; each 300 s it would be 20."""
    first_contact_s: float = 120.0
    """A node that was enrolled before makes its first contact within so long after a start, at a random moment."""
    catalog_s: float = 900.0
    """Rest between two looks at the catalog while the city does not say whether it changed."""
    connections: int = 4
    """Scans under way at once: on a lossy line one connection reaches a third of it."""
    piece_bytes: int = 256 * KIB
    """How much of a scan goes in one request: a scan of the usual size goes in one; of a cut request the gateway keeps
    what arrived, so this bounds how long an envelope may wait behind a scan, not what is sent again."""
    batch_envelopes: int = 200
    batch_bytes: int = 512 * KIB
    answer_s: float = 60.0
    """How long an answer may take before the line counts as down."""
    quiet_hours: QuietHours = ()
    """Hours of the day, by the city's time, in which no scan is moved; operations and news go on."""
    scan_mib_per_day: int | None = None
    """How many MiB of scans may move in a day of the city, both ways; None is without limit."""
    operations_only: bool = False
    """Scans stay here until a person allows them again."""
    problem: str | None = None
    """Why these are the cautious settings; set by `cautious` alone."""

    def cautious(self, problem: str) -> AgentSettings:
        """What may be done while a person has to look at the settings."""
        return replace(self, operations_only=True, problem=problem)


def _address(said: object) -> object:
    if isinstance(said, str) and said.startswith(("http://", "https://")):
        return said
    raise ValueError(said)


DAY_S = 86_400
RULES: Rules = {
    "gateway_url": Rule(_address, "https://…"),
    "relay_url": Rule(_address, "http://…"),
    "relay_ask_s": number(float, 1, DAY_S),
    "idle_s": number(float, 0.05, DAY_S),
    "hold_s": number(int, 0, 3600),
    "first_contact_s": number(float, 0, 3600),
    "catalog_s": number(float, 0.05, 7 * DAY_S),
    "connections": number(int, 1, 16),
    "piece_bytes": number(int, 4 * KIB, 8 * KIB * KIB),
    "batch_envelopes": number(int, 1, 1000),
    "batch_bytes": number(int, 16 * KIB, 8 * KIB * KIB),
    "answer_s": number(float, 0.05, 3600),
    "quiet_hours": Rule(read_quiet_hours, "08:00-18:00, 19:30-21:00"),
    "scan_mib_per_day": number(int, 1, 1_000_000),
    "operations_only": FLAG,
}


def read_settings(toml_file: Path, environment: Mapping[str, str] = os.environ) -> AgentSettings:
    """The settings of the node whose settings file this is; a missing file means the defaults."""
    said = written_in(toml_file).get(TABLE, {})
    if not isinstance(said, dict):
        raise BadSetting(TABLE, f"[{TABLE}]")
    if unknown := sorted(set(said) - set(RULES)):
        raise BadSetting(unknown[0], ", ".join(RULES))
    return AgentSettings(**settled(said, RULES, environment, ENVIRONMENT))


assert set(RULES) == {field.name for field in fields(AgentSettings)} - {"problem"}  # noqa: S101 - one rule a setting
