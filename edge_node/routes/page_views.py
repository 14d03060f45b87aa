"""What a clerk reads of one application, line by line: lists, clocks, who must act.

Laws
- A light always has words; grey is the only light of a limit that is unknown, provisional, paused or not running.
- A list shows the masked name; the full file is opened on purpose, and that is recorded by the act that opens it.
- Nothing is invented: a material nobody recorded is "not recorded", a scan on its way is counted as on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from casework.catalog import ServiceItem
from edge_node.acts.time_lights import LIGHTS
from edge_node.printing.figures import clock_time, in_city, limit_words, size, when
from edge_node.routes.page_notices import clock_notes, list_note
from edge_node.routes.page_words import first_known
from edge_node.wording import known, sentence
from wire.counter import ApplicationBrief, ApplicationDetail, ClockView, DutyView, StatusBar

TONES: Final[Mapping[str, str]] = {
    "collected": "todo",
    "submitted": "todo",
    "pre_review": "todo",
    "returned": "warn",
    "suspended": "warn",
    "accepted": "good",
    "provisionally_accepted": "good",
    "decided": "good",
    "concluded": "good",
    "delivered": "good",
    "declined": "bad",
    "revoked": "bad",
}
LIGHT_OF: Final[Mapping[str, str]] = {standing.value: light for standing, light in LIGHTS.items()}
COUNTED: Final = frozenset({"running", "soon", "overdue"})
PLAIN_LIGHT: Final[Mapping[str, str]] = {
    "green": "page.light.running_plain",
    "yellow": "page.light.soon_plain",
    "red": "page.light.overdue_plain",
}

RegionName = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text."""

    label: str
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The place of this page and the parts of its status strip."""

    site_name: str
    parts: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One application in the queue."""

    application_id: str
    receipt_no: str
    item_name: str
    applicant: str
    state_words: str
    state_tone: str
    standing_words: str
    who_words: str
    light: str
    light_words: str
    due_words: str
    changed_words: str
    due_note: str = ""
    waiting_words: str = ""
    scans_words: str = ""


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock with its light."""

    name: str
    light: str
    light_words: str
    due_words: str
    deemed_words: str = ""
    notes: tuple[str, ...] = ()


def frame(bar: StatusBar) -> Frame:
    """The status strip: what is known now, and as of when."""
    parts = [
        Row(sentence("page.strip.line"), *_line(bar)),
        Row(sentence("page.strip.backlog"), *_backlog(bar)),
        Row(
            sentence("page.strip.receipt"),
            when(bar.last_receipt_at) if bar.last_receipt_at else sentence("page.strip.receipt.never"),
        ),
        Row(
            sentence("page.strip.clock"),
            sentence(f"page.strip.clock.{bar.clock_confidence}", {"now": when(bar.now)}),
            "" if bar.clock_confidence == "confirmed" else "fair",
        ),
        Row(sentence("page.strip.catalog"), *_catalog(bar)),
    ]
    if bar.relay_bags:
        words = sentence("page.strip.relay.some", {"bags": bar.relay_bags, "size": size(bar.relay_bytes)})
        parts.append(Row(sentence("page.strip.relay"), words))
    if bar.relay_problem is not None:
        parts.append(Row(sentence("page.strip.relay"), _not_relayed(bar.relay_problem), "fair"))
    if bar.stopped is not None:
        parts.append(Row(sentence("page.strip.stopped"), sentence("page.strip.stopped.told"), "bad"))
    if bar.alarms:
        words = sentence("page.strip.alarms.count", {"count": len(bar.alarms)})
        parts.append(Row(sentence("page.strip.alarms"), words, "bad"))
    return Frame(bar.site_name, tuple(parts))


def _not_relayed(code: str) -> str:
    key = f"relay.{code}"
    why = sentence(key if known(key) else "relay.otherwise")
    return sentence("page.strip.relay.problem", {"why": why, "code": code})


def _line(bar: StatusBar) -> tuple[str, str]:
    words = sentence(f"page.strip.line.{bar.line}")
    if bar.line == "up":
        return words, ""
    if bar.next_try is not None:
        words = sentence("page.strip.line.next", {"line": words, "next": clock_time(bar.next_try)})
    elif bar.line_since is not None:
        words = sentence("page.strip.line.since", {"line": words, "since": when(bar.line_since)})
    return words, "fair"


def _backlog(bar: StatusBar) -> tuple[str, str]:
    if not bar.backlog_ops and not bar.backlog_scans:
        return sentence("page.strip.backlog.none"), ""
    counts = {"ops": bar.backlog_ops, "scans": bar.backlog_scans, "size": size(bar.backlog_bytes)}
    kind = "some" if bar.backlog_ops and bar.backlog_scans else "ops" if bar.backlog_ops else "scans"
    return sentence(f"page.strip.backlog.{kind}", counts), "fair"


def _catalog(bar: StatusBar) -> tuple[str, str]:
    if bar.catalog_version is None:
        return sentence("page.strip.catalog.none"), "bad"
    age = bar.catalog_age_days
    key = "unknown_age" if age is None else "fresh" if age > 0 else "today"
    words = sentence(f"page.strip.catalog.{key}", {"version": bar.catalog_version, "days": age})
    return (sentence("page.strip.catalog.expired", {"words": words}), "fair") if bar.catalog_expired else (words, "")


def queue_row(brief: ApplicationBrief, region_name: RegionName) -> QueueRow:
    """One line of the queue."""
    return QueueRow(
        application_id=brief.application_id,
        receipt_no=brief.receipt_no,
        item_name=brief.item_name,
        applicant=brief.applicant_masked,
        state_words=state_words(brief.state),
        state_tone=TONES.get(brief.state, ""),
        standing_words=standing_words(brief),
        who_words=who_words(brief.who_must_act, region_name),
        light=brief.light,
        light_words=sentence(PLAIN_LIGHT.get(brief.light) or f"page.light.grey.{'due' if brief.due else 'none'}"),
        due_words=_due_words(brief.due, provisional=brief.light == "grey" or bool(brief.due_doubt)),
        due_note=list_note(brief),
        changed_words=sentence("page.queue.changed", {"when": when(brief.updated_at)}),
    )


def state_words(state: str) -> str:
    """The state in the words of the counter."""
    return sentence(f"state.{state}")


def standing_words(brief: ApplicationBrief) -> str:
    """How far this node's own last act has travelled; of what was erased, that it was."""
    if brief.erased_at is not None:
        return sentence("page.standing.erased")
    return "" if brief.standing == "confirmed" else sentence(f"page.standing.{brief.standing}")


def who_words(duty: DutyView | None, region_name: RegionName) -> str:
    """Who must act now."""
    if duty is None:
        return sentence("page.who.nobody")
    who = sentence(f"page.who.{duty.role}")
    region = region_name(duty.region) if duty.region else ""
    return sentence("page.who.of", {"who": who, "region": region}) if region else who


def clock_row(clock: ClockView, unit: str) -> ClockRow:
    """One clock; `unit` is that of its limit (`working_day`, `calendar_day` or empty)."""
    light = LIGHT_OF.get(clock.standing, "grey")
    provisional = clock.provisional or clock.standing == "provisional"
    if provisional:
        light = "grey"
    key = "provisional" if provisional else clock.standing
    days = abs(clock.remaining_days) if clock.remaining_days is not None else None
    if key in COUNTED and days is not None:
        words = sentence(f"page.light.{key}", {"days": days, "unit": sentence(f"page.light.unit.{unit or 'day'}")})
    else:
        words = first_known(f"page.light.{key}_plain", f"page.light.{key}")
    return ClockRow(
        name=sentence(f"page.clock.{clock.kind}"),
        light=light,
        light_words=words,
        due_words=sentence("page.due.not_started")
        if key == "not_started"
        else _due_words(clock.due, provisional=provisional),
        deemed_words=sentence("page.clock.deemed_accepted") if clock.deemed_accepted else "",
        notes=clock_notes(clock),
    )


def _due_words(due: date | None, *, provisional: bool) -> str:
    if due is None:
        return sentence("page.due.unknown")
    return sentence("page.due.provisional" if provisional else "page.due.on", {"date": due.isoformat()})


def limit_rows(item: ServiceItem) -> tuple[Row, ...]:
    """The limits that the guide names, and that it names none."""
    limits = {"statutory": item.statutory_limit, "promised": item.promised_limit}
    return tuple(Row(sentence(f"page.limit.{name}"), limit_words(limit)) for name, limit in limits.items())


def step_rows(detail: ApplicationDetail) -> tuple[Mapping[str, str], ...]:
    """The history, the latest first."""
    rows = []
    for step in reversed(detail.history):
        by = sentence(f"page.role.{step.role}")
        rows.append(
            {
                "words": first_known(f"event.{step.event}", "page.step.unnamed"),
                "when": when(step.at),
                "by": f"{by} · {sentence('page.step.pending')}" if step.pending else by,
                "note": step.note,
            }
        )
    return tuple(rows)


def warnings(detail: ApplicationDetail, item: ServiceItem, newest_version: int | None) -> Sequence[str]:
    """What a clerk must have noticed before acting."""
    words: list[str] = []
    if detail.refusal is not None:
        words.append(sentence("page.detail.refused", {"why": detail.refusal.message}))
        words.append(sentence("page.detail.refused_remedy", {"remedy": detail.refusal.remedy}))
    if detail.proxy != "active":
        words.append(sentence(f"page.detail.proxy_{detail.proxy}"))
    if any(not scan.arrived for scan in detail.scans):
        arrived = sum(scan.arrived for scan in detail.scans)
        words.append(sentence("page.detail.scans_coming", {"arrived": arrived, "total": len(detail.scans)}))
    if detail.erased_at is None and newest_version is not None and newest_version != detail.catalog_version:
        words.append(sentence("page.detail.newer_catalog", {"version": detail.catalog_version}))
    if item.raw.get("confidence") == "low":
        words.append(sentence("page.detail.low_confidence"))
    return words


def alarm_words(codes: Sequence[str]) -> tuple[str, ...]:
    """The alarms of this node, each in a sentence."""
    return tuple(
        sentence(f"state.alarm.{code}")
        if known(f"state.alarm.{code}")
        else sentence("page.catalog.alarm.unnamed", {"code": code})
        for code in codes
    )


def today_of(bar: StatusBar) -> date:
    """The day at the counter."""
    return in_city(bar.now).date()
