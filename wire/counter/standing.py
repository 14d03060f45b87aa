"""Who is at the counter and how the node stands: sign-in and the status bar."""

from typing import Final, Literal

from pydantic import Field

from wire.counter.waiting import WaitingView
from wire.fields import Asked, Moment, NodeRole, Region, Told

IDLE_LOCK_SECONDS: Final = 600.0
"""After so long without a key or a click a session locks; the screen covers itself at the same moment."""

Role = Literal["agent", "clerk", "department", "city", "administrator"]


class StoppedView(Told):
    """This identity is stopped: since when, why (a code), what waits here, and by which id the city knows it."""

    why: str
    at: Moment | None = None
    node_id: str
    waiting_ops: int


class StatusBar(Told):
    """What the status bar shows; every figure is as the node knows it now."""

    site_name: str
    region: Region
    role: NodeRole = Field(strict=False)
    now: Moment
    clock_confidence: Literal["confirmed", "estimated", "doubtful"]
    line: Literal["up", "down", "unknown"]
    line_since: Moment | None = None
    next_try: Moment | None = None
    backlog_ops: int
    backlog_scans: int
    backlog_bytes: int
    last_receipt_at: Moment | None = None
    catalog_version: int | None = None
    catalog_age_days: int | None = None
    catalog_expired: bool = False
    relay_bags: int = 0
    relay_bytes: int = 0
    relay_at: Moment | None = None
    relay_problem: str | None = None
    alarms: list[str] = Field(default_factory=list)
    conditions: list[WaitingView] = Field(default_factory=list)
    """How the node stands, explained: the road and whatever else people must know, the most urgent first."""
    stopped: StoppedView | None = None
    practice: bool = False
    """A practice store: nothing waits to be sent, because nothing of it is ever sent."""


class SignIn(Asked):
    """A clerk signs in at this node."""

    clerk: str = Field(min_length=1, max_length=40)
    passphrase: str = Field(min_length=1, max_length=200, repr=False)


class Unlock(Asked):
    """The same clerk returns after an idle lock."""

    passphrase: str = Field(min_length=1, max_length=200, repr=False)


class ClerkView(Told):
    """Who is at the counter."""

    id: str
    name: str
    role: Role


class SignedIn(Told):
    """A session, to be sent as `Authorization: Bearer <session>`."""

    session: str = Field(repr=False)
    clerk: ClerkView


class AskRecovery(Asked):
    """A clerk who forgot the passphrase asks for a challenge to read out; while one is open the same comes again."""

    clerk: str = Field(min_length=1, max_length=40)


class RecoveryView(Told):
    """The challenge, for whom it is, and how long and how often it takes an answer."""

    clerk: str
    challenge: str
    minutes_left: int
    attempts_left: int


class AnswerRecovery(Asked):
    """The answer that was read back, and the new passphrase."""

    clerk: str = Field(min_length=1, max_length=40)
    answer: str = Field(min_length=1, max_length=100, repr=False)
    passphrase: str = Field(min_length=1, max_length=200, repr=False)
