"""The gateway as the acts see it: everything that the composition root hands in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from casework.application import Actor, Role
from city_gateway.catalog.carrying import CarriedRelease
from city_gateway.folder import GatewayFolder
from city_gateway.keys import GatewayKeys
from city_gateway.ledger import journal
from city_gateway.ledger.database import Ledger
from city_gateway.ledger.journal import Outcome
from city_gateway.scan_store.store import ScanStore
from wire.envelope import Dictionary

CITY_REGION = "511600000000"


class Register(Protocol):
    """Recognises operations by op_id: the guard that makes a re-sent operation take effect once."""

    def outcomes(self, tx: Connection, op_ids: Sequence[str]) -> dict[str, Outcome]:
        """What became of those that were seen before."""

    def remember(self, tx: Connection, found: Iterable[Outcome]) -> None:
        """Keep what became of those seen for the first time."""


class LedgerRegister:
    """The register kept in the ledger."""

    def outcomes(self, tx: Connection, op_ids: Sequence[str]) -> dict[str, Outcome]:
        """What became of those that were seen before."""
        return journal.outcomes(tx, op_ids)

    def remember(self, tx: Connection, found: Iterable[Outcome]) -> None:
        """Keep what became of those seen for the first time."""
        journal.remember(tx, found)


@dataclass(slots=True)
class DictionaryShelf:
    """Every compression dictionary that was published; looked up again when an envelope names an unknown one."""

    read: Callable[[], Mapping[int, bytes]]
    _known: dict[int, Dictionary] = field(default_factory=dict)

    @property
    def known(self) -> Mapping[int, Dictionary]:
        """Those that were looked up."""
        return self._known

    def look_again(self) -> None:
        """A release may have brought a new one."""
        self._known = {number: Dictionary(number, data) for number, data in self.read().items()}


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway process; clock and chance are handed in."""

    ledger: Ledger
    keys: GatewayKeys
    folder: GatewayFolder
    scans: ScanStore
    public_url: str
    clock: Callable[[], datetime]
    randomness: Callable[[int], bytes]
    dictionaries: DictionaryShelf
    first_root: Callable[[], bytes | None]
    register: Register = field(default_factory=LedgerRegister)
    news: Callable[[Iterable[str]], None] = lambda _node_ids: None
    revoked: Callable[[], AbstractSet[str]] = frozenset
    carried_catalog: Callable[[str, Mapping[str, int]], CarriedRelease | None] = lambda _county, _held: None

    @property
    def city(self) -> Actor:
        """In whose name the gateway itself moves an application."""
        return Actor(Role.CITY, "", self.keys.gateway_id, CITY_REGION)
