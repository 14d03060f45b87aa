"""Emergency notices as a counter reads them: what is ordered, from when to when, and what it does to limits."""

from typing import Literal

from pydantic import Field

from wire.fields import Day, Told

LimitEffect = Literal["shift", "no_shift", "unknown"]
LimitDoubt = Literal["", "open", "unstated"]


class MeasureView(Told):
    """One measure: its name in the catalog's vocabulary, empty where it has none, and what the notice itself says."""

    code: str
    name: str = ""
    summary: str = ""
    first: Day | None = None
    last: Day | None = None


class ChannelView(Told):
    """A channel or a contact; `at` None means that the notice names no number or address."""

    name: str
    at: str | None = None


class NoticeView(Told):
    """A notice in force; `last` None means that no end is known, no `places` every station of its regions, no `items`
    every item."""

    notice_id: str
    title: str
    issuer: str | None = None
    authority: str | None = None
    issued_on: Day | None = None
    first: Day
    last: Day | None = None
    regions: list[str] = Field(default_factory=list)
    places: list[str] = Field(default_factory=list)
    items: list[str] = Field(default_factory=list)
    scope_note: str = ""
    measures: list[MeasureView] = Field(default_factory=list)
    channels: list[ChannelView] = Field(default_factory=list)
    contacts: list[ChannelView] = Field(default_factory=list)
    entry_rules: list[str] = Field(default_factory=list)
    followup: str = ""
    shut_here: bool = False
    """Whether the window of this very station is shut today."""
    effect: LimitEffect | None = None
    """What it does to limits; None where it does not touch them."""
