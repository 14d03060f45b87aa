"""Emergency notices on the page: the strip over the lists and forms, the whole notice, the words beside a limit.

Law: what a notice does not say is shown as not said; a measure that the vocabulary does not know is told in the
words of the notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from edge_node.printing.figures import days_words
from edge_node.wording import sentence
from wire.counter import ApplicationBrief, ChannelView, ClockView, MeasureView, NoticeView


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice as the templates show it."""

    title: str
    period: str
    shut: bool
    effect: str
    measures: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def notice_rows(notices: Sequence[NoticeView]) -> tuple[NoticeRow, ...]:
    """The notices in force, each in full."""
    return tuple(_row(one) for one in notices)


def clock_notes(clock: ClockView) -> tuple[str, ...]:
    """By how much notices moved a limit, and why it is not final on their account."""
    by = sentence("page.comma").join(clock.notices)
    notes = []
    if clock.shifted_days:
        notes.append(sentence("page.notice.shifted", {"days": days_words(clock.shifted_days, clock.unit), "by": by}))
    if clock.doubt:
        notes.append(sentence(f"page.notice.doubt.{clock.doubt}", {"by": by}))
    return tuple(notes)


def list_note(brief: ApplicationBrief) -> str:
    """The same in a list, short."""
    if brief.due is None:
        return ""
    if brief.shifted_days:
        key = "page.notice.shifted_so_far" if brief.due_doubt else "page.notice.shifted_short"
        return sentence(key, {"days": days_words(brief.shifted_days, brief.due_unit)})
    return sentence("page.notice.doubt_short") if brief.due_doubt else ""


def _row(notice: NoticeView) -> NoticeRow:
    contacts = [_channel(one) for one in notice.contacts] or [sentence("page.notice.unsaid")]
    lists = {
        "where": notice.regions,
        "items": notice.items or [sentence("page.notice.every_item")],
        "places": notice.places,
        "note": [notice.scope_note],
        "channels": [_channel(one) for one in notice.channels],
        "contacts": contacts,
        "rules": notice.entry_rules,
        "issuer": [notice.issuer or sentence("page.notice.unsaid")],
        "authority": [notice.authority or ""],
        "followup": [notice.followup],
    }
    facts = [(sentence(f"page.notice.{name}"), sentence("page.semicolon").join(words)) for name, words in lists.items()]
    return NoticeRow(
        title=notice.title,
        period=_period(notice.first, notice.last),
        shut=notice.shut_here,
        effect=sentence(f"page.notice.effect.{notice.effect}") if notice.effect else "",
        measures=tuple(_measure(one, notice) for one in notice.measures),
        facts=tuple((label, words) for label, words in facts if words),
    )


def _period(first: date, last: date | None) -> str:
    if last is None:
        return sentence("page.notice.since", {"first": first.isoformat()})
    return sentence("page.notice.between", {"first": first.isoformat(), "last": last.isoformat()})


def _measure(one: MeasureView, notice: NoticeView) -> str:
    said = one.summary or one.name or one.code
    words = sentence("page.notice.named", {"name": one.name, "words": said}) if one.name and one.summary else said
    if one.first is None or (one.first, one.last) == (notice.first, notice.last):
        return words
    return sentence("page.notice.own_days", {"words": words, "period": _period(one.first, one.last)})


def _channel(one: ChannelView) -> str:
    return sentence("page.notice.at", {"name": one.name, "at": one.at or sentence("page.notice.unsaid")})
