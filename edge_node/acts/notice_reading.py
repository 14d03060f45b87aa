"""Emergency notices at this counter: which are in force, and what they do to the limits of an application.

Laws: notices are those of the catalog in use, whatever version an application was filed under; a station is named in a
notice by the name it was enrolled with. What a notice does not say stays None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from casework.application import Application
from casework.notices import DEADLINE_POLICY, InForce, Notices
from casework.standstill import Standstill
from casework.working_days import city_day
from edge_node.counter.counter import Counter
from edge_node.counter.errors import NoCatalog
from edge_node.counter.trusted_clock import Reading
from offline_store.desk.database import Transaction
from wire.counter import ChannelView, MeasureView, NoticeView


def for_item(counter: Counter, tx: Transaction, item_id: str, region: str, day: date) -> list[NoticeView]:
    """Those that hold today for this item in this region."""
    notices = counter.shelf.notices(tx)
    return [_view(counter, tx, notices, one, day) for one in notices.in_force(item_id, region, day)]


def at_this_counter(counter: Counter) -> list[NoticeView]:
    """Those that hold today for anything that may come to this counter."""
    today = city_day(counter.clock.read().now)
    with counter.desk.reading() as tx:
        try:
            notices = counter.shelf.notices(tx)
        except NoCatalog:
            return []
        return [_view(counter, tx, notices, one, today) for one in notices.reaching(counter.node.site, today)]


def standstills(
    counter: Counter, tx: Transaction, application: Application, reading: Reading
) -> tuple[Standstill, ...]:
    """What the notices do to the limits of this application, as far as is known today."""
    notices = counter.shelf.notices(tx)
    return notices.standstills(application.item_id, application.site, city_day(reading.now))


def titles(counter: Counter, tx: Transaction, notice_ids: Iterable[str]) -> list[str]:
    """What these notices are called."""
    notices = counter.shelf.notices(tx)
    return [notices.title(one) for one in notice_ids]


def _view(counter: Counter, tx: Transaction, notices: Notices, held: InForce, day: date) -> NoticeView:
    notice, raw = held.notice, held.notice.raw
    names = counter.shelf.region_names(tx)
    measures = []
    for one in notice.measures:
        policy = one.code == DEADLINE_POLICY  # its effect is told in words of its own
        if policy and not one.summary:
            continue
        first, last = held.days_of(one)
        measures.append(
            MeasureView(
                code=one.code,
                name="" if policy else notices.vocabulary.get(one.code, ""),
                summary=one.summary,
                first=first,
                last=last,
            )
        )
    effect = held.effect
    return NoticeView(
        notice_id=notice.notice_id,
        title=notice.title,
        issuer=_said(raw, "issuer"),
        authority=_said(raw, "legal_authority"),
        issued_on=notice.issued_on,
        first=held.first,
        last=held.last,
        regions=[names.get(code, code) for code in notice.regions],
        places=list(notice.places),
        items=[counter.shelf.item_name(tx, one) for one in sorted(notice.items or ())],
        scope_note=str((raw.get("scope") or {}).get("note") or ""),
        measures=measures,
        channels=[_channel(one) for one in raw.get("channels") or ()],
        contacts=[_channel(one) for one in raw.get("contacts") or ()],
        entry_rules=[str(one) for one in raw.get("entry_rules") or ()],
        followup=str(raw.get("followup") or ""),
        shut_here=held.shuts(day, counter.node.site_name),
        effect=effect.value if effect is not None else None,
    )


def _said(raw: Mapping[str, Any], key: str) -> str | None:
    return str(raw[key]) if raw.get(key) else None


def _channel(plain: object) -> ChannelView:
    if not isinstance(plain, Mapping):
        return ChannelView(name=str(plain))
    at = next((str(plain[key]) for key in ("number", "phone", "url", "address") if plain.get(key)), None)
    return ChannelView(name=str(plain.get("name") or plain.get("id") or ""), at=at)
