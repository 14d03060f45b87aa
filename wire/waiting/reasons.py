"""The words of the vocabulary: why, who must act, what happens next; and what belongs to each reason.

Laws: `Reason` is ordered by urgency; a reason that passes by itself names nobody, one that does not names somebody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["RULES", "Explanation", "Reason", "Rule", "Then", "Who"]


class Reason(StrEnum):
    """Why; the most urgent first."""

    NOT_APPLIED = "not_applied"  # the city refused this act
    IDENTITY_STOPPED = "identity_stopped"  # a clone, or a machine that was set back
    NODE_REVOKED = "node_revoked"
    RIGHT_WITHDRAWN = "right_withdrawn"  # on the signed list: heard, and held for a person at the city
    CITY_REFUSES_NODE = "city_refuses_node"  # a signed refusal of everything this node says
    DISK_FULL = "disk_full"
    COURIER_SILENT = "courier_silent"
    MAIL_FAILED = "mail_failed"
    BAD_SETTINGS = "bad_settings"  # no scan goes out until they are put right
    SCAN_DAMAGED = "scan_damaged"
    RECEIPT_NOT_BELIEVED = "receipt_not_believed"
    ANSWER_NOT_BELIEVED = "answer_not_believed"
    PROGRAM_TOO_OLD = "program_too_old"
    RENEWAL_REFUSED = "renewal_refused"
    CATALOG_REFUSED = "catalog_refused"
    SCAN_NOT_OPENED = "scan_not_opened"
    MACHINE_CHANGED = "machine_changed"
    OTHER_ALARM = "other_alarm"
    ASKED_FOR_ERASED = "asked_for_erased"  # the city asks again for what was erased here after its time
    DISK_RESERVE = "disk_reserve"
    OPERATIONS_ONLY = "operations_only"
    CATALOG_EXPIRED = "catalog_expired"
    STRANGER_ANSWERS = "stranger_answers"  # a captive portal, a proxy, an answer that is not the gateway's
    CLOCK_DOUBTFUL = "clock_doubtful"
    LINE_DOWN = "line_down"
    BY_RELAY = "by_relay"  # no way to the city from here; the township carries it
    CITY_BUSY = "city_busy"
    CLOCK_CORRECTED = "clock_corrected"  # the city refused the time of the question; the next one carries its time
    NOT_TRIED_YET = "not_tried_yet"
    KEY_CHANGE_WAITS = "key_change_waits"
    DAILY_CAP = "daily_cap"
    QUIET_HOURS = "quiet_hours"
    ANSWER_WAITS_FOR_CATALOG = "answer_waits_for_catalog"
    BEHIND_ANOTHER_STEP = "behind_another_step"  # parked: a step before it has not reached the city
    SCAN_ELSEWHERE = "scan_elsewhere"  # another station has not brought it to the city yet
    AT_CITY = "at_city"
    BEING_FETCHED = "being_fetched"
    BEING_LAID = "being_laid"  # saved, on its way into the mailbox
    BEING_SENT = "being_sent"
    LINE_GOOD = "line_good"


class Who(StrEnum):
    """Who must act."""

    NOBODY = "nobody"
    COUNTER = "counter"  # the person at this counter: the agent, in the township the clerk
    INSTALLER = "installer"
    CITY = "city"


class Then(StrEnum):
    """What happens next."""

    TRIED_AGAIN = "tried_again"
    DONE_LATER = "done_later"
    SENT_AT_ONCE = "sent_at_once"
    GOES_ON = "goes_on"
    ANSWER_COMES = "answer_comes"
    AFTER_ANOTHER = "after_another"
    COMES_BY_ITSELF = "comes_by_itself"
    NEXT_CONTACT = "next_contact"
    ENROLLED_ANEW = "enrolled_anew"
    CITY_RESTORES = "city_restores"
    CITY_LOOKS_AT_IT = "city_looks_at_it"
    LOOKED_INTO = "looked_into"
    ROOM_IS_MADE = "room_is_made"
    STARTED_AGAIN = "started_again"
    SETTINGS_MENDED = "settings_mended"
    DONE_ANEW = "done_anew"
    SCANNED_AGAIN = "scanned_again"
    LINE_FREED = "line_freed"
    CATALOG_RENEWED = "catalog_renewed"
    PROGRAM_UPDATED = "program_updated"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a reason means for people; `stick` says that a USB stick may carry it meanwhile."""

    who: Who
    then: Then
    stick: bool = False


RULES: Mapping[Reason, Rule] = {
    Reason.NOT_APPLIED: Rule(Who.COUNTER, Then.DONE_ANEW),
    Reason.IDENTITY_STOPPED: Rule(Who.INSTALLER, Then.ENROLLED_ANEW),
    Reason.NODE_REVOKED: Rule(Who.CITY, Then.CITY_RESTORES),
    Reason.RIGHT_WITHDRAWN: Rule(Who.CITY, Then.CITY_LOOKS_AT_IT),
    Reason.CITY_REFUSES_NODE: Rule(Who.INSTALLER, Then.LOOKED_INTO),
    Reason.DISK_FULL: Rule(Who.INSTALLER, Then.ROOM_IS_MADE),
    Reason.COURIER_SILENT: Rule(Who.INSTALLER, Then.STARTED_AGAIN, stick=True),
    Reason.MAIL_FAILED: Rule(Who.INSTALLER, Then.LOOKED_INTO),
    Reason.BAD_SETTINGS: Rule(Who.INSTALLER, Then.SETTINGS_MENDED, stick=True),
    Reason.SCAN_DAMAGED: Rule(Who.COUNTER, Then.SCANNED_AGAIN),
    Reason.RECEIPT_NOT_BELIEVED: Rule(Who.CITY, Then.LOOKED_INTO),
    Reason.ANSWER_NOT_BELIEVED: Rule(Who.CITY, Then.LOOKED_INTO),
    Reason.PROGRAM_TOO_OLD: Rule(Who.INSTALLER, Then.PROGRAM_UPDATED),
    Reason.RENEWAL_REFUSED: Rule(Who.CITY, Then.LOOKED_INTO),
    Reason.CATALOG_REFUSED: Rule(Who.CITY, Then.CATALOG_RENEWED),
    Reason.SCAN_NOT_OPENED: Rule(Who.CITY, Then.LOOKED_INTO),
    Reason.MACHINE_CHANGED: Rule(Who.INSTALLER, Then.LOOKED_INTO),
    Reason.OTHER_ALARM: Rule(Who.INSTALLER, Then.LOOKED_INTO),
    Reason.ASKED_FOR_ERASED: Rule(Who.CITY, Then.LOOKED_INTO),
    Reason.DISK_RESERVE: Rule(Who.INSTALLER, Then.ROOM_IS_MADE),
    Reason.OPERATIONS_ONLY: Rule(Who.INSTALLER, Then.SETTINGS_MENDED, stick=True),
    Reason.CATALOG_EXPIRED: Rule(Who.CITY, Then.CATALOG_RENEWED),
    Reason.STRANGER_ANSWERS: Rule(Who.COUNTER, Then.LINE_FREED, stick=True),
    Reason.CLOCK_DOUBTFUL: Rule(Who.NOBODY, Then.NEXT_CONTACT),
    Reason.LINE_DOWN: Rule(Who.NOBODY, Then.TRIED_AGAIN, stick=True),
    Reason.BY_RELAY: Rule(Who.NOBODY, Then.ANSWER_COMES),
    Reason.CITY_BUSY: Rule(Who.NOBODY, Then.TRIED_AGAIN, stick=True),
    Reason.CLOCK_CORRECTED: Rule(Who.NOBODY, Then.TRIED_AGAIN),
    Reason.NOT_TRIED_YET: Rule(Who.NOBODY, Then.TRIED_AGAIN),
    Reason.KEY_CHANGE_WAITS: Rule(Who.NOBODY, Then.DONE_LATER),
    Reason.DAILY_CAP: Rule(Who.NOBODY, Then.GOES_ON, stick=True),
    Reason.QUIET_HOURS: Rule(Who.NOBODY, Then.GOES_ON),
    Reason.ANSWER_WAITS_FOR_CATALOG: Rule(Who.NOBODY, Then.NEXT_CONTACT),
    Reason.BEHIND_ANOTHER_STEP: Rule(Who.NOBODY, Then.AFTER_ANOTHER),
    Reason.SCAN_ELSEWHERE: Rule(Who.NOBODY, Then.COMES_BY_ITSELF),
    Reason.AT_CITY: Rule(Who.NOBODY, Then.ANSWER_COMES),
    Reason.BEING_FETCHED: Rule(Who.NOBODY, Then.COMES_BY_ITSELF),
    Reason.BEING_LAID: Rule(Who.NOBODY, Then.SENT_AT_ONCE),
    Reason.BEING_SENT: Rule(Who.NOBODY, Then.SENT_AT_ONCE),
    Reason.LINE_GOOD: Rule(Who.NOBODY, Then.SENT_AT_ONCE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One answer; `when` is None where nobody can know, `code` is the cause's own code where there is one."""

    reason: Reason
    who: Who
    then: Then
    when: datetime | None = None
    stick: bool = False
    code: str = ""
