"""From facts to an explanation: for one item, and for the node as a whole.

Laws: total and pure; what stops everything is said before what stops one thing; a scan that rests by a setting says
so even while the line is down, for the line's return would not free it.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from wire.errors import FORK_CODES
from wire.waiting.alarms import ALARMS, Alarm
from wire.waiting.facts import Facts, Hold, Item, Place, Road
from wire.waiting.reasons import RULES, Explanation, Reason, Then

__all__ = ["conditions", "explain", "most_urgent"]

IDENTITY_CODES = FORK_CODES | {"enrolment.over"}
REVOKED_CODES = frozenset({"node.stopped"})
BUSY_CODES = frozenset({"gateway.busy", "receipt.busy"})
TIME_CODES = frozenset({"request.stale", "request.replayed"})
STRANGE = ("not_the_gateway", "wire.", "receipt.", "envelope.", "exchange.")
PASSING_STATUSES = frozenset({408, 425, 429})
_STATUS = re.compile(r"http_(\d{3})")
_SIGNED_REFUSAL = re.compile(r"[a-z_]+\.[a-z_.]+")

HOLDS = {
    Hold.QUIET_HOURS: Reason.QUIET_HOURS,
    Hold.DAILY_CAP: Reason.DAILY_CAP,
    Hold.OPERATIONS_ONLY: Reason.OPERATIONS_ONLY,
    Hold.BAD_SETTINGS: Reason.BAD_SETTINGS,
}
TIMED = frozenset({Then.TRIED_AGAIN, Then.LINE_FREED, Then.ANSWER_COMES, Then.NEXT_CONTACT, Then.COMES_BY_ITSELF})
"""What the courier's next question brings on; only these say when that is."""
_ORDER = {reason: at for at, reason in enumerate(Reason)}


def explain(item: Item, facts: Facts) -> Explanation:
    """Why this item is not where it should be.

    >>> one = explain(Item(place=Place.HERE), Facts(road=Road.DOWN, error="ConnectError"))
    >>> one.reason.value, one.who.value, one.then.value
    ('line_down', 'nobody', 'tried_again')
    """
    match item.place:
        case Place.REFUSED:
            return _say(Reason.NOT_APPLIED, facts, item.code)
        case Place.DAMAGED:
            return _say(Reason.SCAN_DAMAGED, facts, item.code)
    if stopped := _stopped(facts):
        return stopped
    match item.place:
        case Place.SAVED:
            return _say(Reason.MAIL_FAILED if Alarm.MAIL_FAILED in facts.alarms else Reason.BEING_LAID, facts)
        case Place.AT_CITY | Place.BEHIND:
            return _answer(item, facts)
        case Place.ELSEWHERE:
            return _say(Reason.SCAN_ELSEWHERE, facts)
        case Place.COMING:
            full = Alarm.DISK_FULL in facts.alarms
            coming = _say(Reason.DISK_FULL, facts) if full else _moving(item, facts, Reason.BEING_FETCHED)
            return replace(coming, stick=False)  # nothing of it lies here that could be carried
    return _moving(item, facts, Reason.BEING_SENT)


def conditions(facts: Facts) -> tuple[Explanation, ...]:
    """How the node stands: the road, and whatever else people must know; the most urgent first."""
    found = {(one.reason, one.code): one for one in (_stopped(facts) or _road(facts, Reason.LINE_GOOD),)}
    if facts.hold is not None and facts.road is not Road.SILENT:
        held = _held(facts.hold, facts)
        found[held.reason, held.code] = held
    for alarm in sorted(facts.alarms):
        reason = ALARMS.get(alarm, Reason.OTHER_ALARM)
        code = alarm if reason is Reason.OTHER_ALARM else ""
        if reason not in {one.reason for one in found.values()} or code:
            found[reason, code] = _say(reason, facts, code)
    return tuple(sorted(found.values(), key=lambda one: (_ORDER[one.reason], one.code)))


def most_urgent(found: Iterable[Explanation]) -> Explanation | None:
    """The first that a person should read."""
    return min(found, key=lambda one: _ORDER[one.reason], default=None)


def _stopped(facts: Facts) -> Explanation | None:
    """What stops everything that this node says."""
    if Alarm.FORKED in facts.alarms or facts.error in IDENTITY_CODES:
        return _say(Reason.IDENTITY_STOPPED, facts)
    if facts.road is Road.SILENT:
        return None
    if facts.error in REVOKED_CODES:
        return _say(Reason.NODE_REVOKED, facts)
    if facts.road is Road.DOWN and _cause(facts.error) is Reason.CITY_REFUSES_NODE:
        return _say(Reason.CITY_REFUSES_NODE, facts, facts.error)
    return _say(Reason.CITY_REFUSES_NODE, facts) if Alarm.CITY_REFUSED in facts.alarms else None


def _answer(item: Item, facts: Facts) -> Explanation:
    if Alarm.FEED_BROKEN in facts.alarms:
        return _say(Reason.ANSWER_NOT_BELIEVED, facts)
    if Alarm.DICTIONARY_MISSING in facts.alarms:
        return _say(Reason.ANSWER_WAITS_FOR_CATALOG, facts)
    if Alarm.REVOKED in facts.alarms:
        return _say(Reason.RIGHT_WITHDRAWN, facts)
    return _say(Reason.BEHIND_ANOTHER_STEP if item.place is Place.BEHIND else Reason.AT_CITY, facts)


def _moving(item: Item, facts: Facts, on_the_way: Reason) -> Explanation:
    if item.scan and facts.hold is not None and facts.road is not Road.SILENT:
        return _held(facts.hold, facts)
    return _road(facts, on_the_way)


def _held(hold: Hold, facts: Facts) -> Explanation:
    reason = HOLDS[hold]
    rule = RULES[reason]
    return Explanation(reason=reason, who=rule.who, then=rule.then, when=facts.hold_until, stick=rule.stick)


def _road(facts: Facts, when_up: Reason) -> Explanation:
    match facts.road:
        case Road.SILENT:
            return _say(Reason.COURIER_SILENT, facts)
        case Road.NOT_TRIED:
            return _say(Reason.NOT_TRIED_YET, facts)
        case Road.DOWN:
            cause = _cause(facts.error)
            by_relay = facts.relay and cause in {Reason.LINE_DOWN, Reason.STRANGER_ANSWERS, Reason.CITY_BUSY}
            return _say(Reason.BY_RELAY if by_relay else cause, facts, facts.error)
    return _say(when_up, facts)


def _cause(error: str) -> Reason:
    """What kind of failure a code is; what is not known is the line's."""
    if status := _STATUS.fullmatch(error):
        number = int(status[1])
        return Reason.CITY_BUSY if number >= 500 or number in PASSING_STATUSES else Reason.STRANGER_ANSWERS
    if error in BUSY_CODES:
        return Reason.CITY_BUSY
    if error in TIME_CODES:
        return Reason.CLOCK_CORRECTED
    if error.startswith(STRANGE):
        return Reason.STRANGER_ANSWERS
    if _SIGNED_REFUSAL.fullmatch(error) and not error.startswith("catalog."):
        return Reason.CITY_REFUSES_NODE
    return Reason.LINE_DOWN


def _say(reason: Reason, facts: Facts, code: str = "") -> Explanation:
    rule = RULES[reason]
    known = rule.then in TIMED and facts.road is not Road.SILENT and not facts.listening
    when = facts.next_try if known else None
    return Explanation(reason=reason, who=rule.who, then=rule.then, when=when, stick=rule.stick, code=code)
