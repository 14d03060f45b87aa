"""What an installer may set for this node: `node.toml` in the node's folder, every key with a safe default; what the
environment says (`GUANGAN_NODE_…`) goes before the file. Tables of the file belong to other programs.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from offline_store.node_toml import (
    DISK_RESERVE_MIB,
    FLAG,
    MEDIA_ROOT,
    MEDIA_ROOT_RULE,
    BadSetting,
    Rule,
    Rules,
    number,
    settled,
    written_in,
)

ENVIRONMENT: Final = "GUANGAN_NODE_"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The settings of one node."""

    disk_reserve_mib: int = DISK_RESERVE_MIB
    """Free space below which new scans are refused; typing, sending and erasing go on."""
    mail_poll_seconds: float = 0.3
    """How often the mailbox is looked at."""
    retention_days: int = 30
    """How long the papers of a concluded application stay on this node once the city has them safely."""
    rekey_days: int = 7
    """How long after an erasing the desk gets a new key at the latest, so that the old one opens nothing any more."""
    media_root: Path = MEDIA_ROOT
    media_folders: bool = False
    """For trials: plain folders below it count as sticks, too."""
    relay_mib: int = 512
    """How much mail of its villages a township carries at most; 0 carries none."""
    phone_port: int = 8443
    """Where the phone's door opens while a phone is invited; 0 keeps it shut."""
    phone_host: str = ""
    """The one address on which it opens; empty: every private address of this machine."""


def _address(said: object) -> object:
    if said == "":
        return said
    if isinstance(said, str):
        return str(ipaddress.IPv4Address(said))
    raise TypeError(said)


RULES: Final[Rules] = {
    "disk_reserve_mib": number(int, 16, 1_000_000),
    "mail_poll_seconds": number(float, 0.05, 60),
    "retention_days": number(int, 1, 36_500),
    "rekey_days": number(int, 1, 3_650),
    "media_root": MEDIA_ROOT_RULE,
    "media_folders": FLAG,
    "relay_mib": number(int, 0, 1_000_000),
    "phone_port": number(int, 0, 65_535),
    "phone_host": Rule(_address, "192.168.1.10"),
}
assert set(RULES) == {field.name for field in fields(NodeSettings)}  # noqa: S101 - one rule for each setting


def read_settings(toml_file: Path, environment: Mapping[str, str] = os.environ) -> NodeSettings:
    """The settings of the node whose settings file is `toml_file`; a missing file means the defaults."""
    said = {name: value for name, value in written_in(toml_file).items() if not isinstance(value, dict)}
    if unknown := sorted(set(said) - set(RULES)):
        raise BadSetting(unknown[0], ", ".join(RULES))
    return NodeSettings(**settled(said, RULES, environment, ENVIRONMENT))
