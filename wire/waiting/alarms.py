"""What a node's programs raise when something is wrong that people must know, and why anything waits because of it.

Laws: an alarm's code is stable, for screens of other releases show it; one without a reason of its own, and one of a
newer program, is `OTHER_ALARM` with its code.
"""

from collections.abc import Mapping
from enum import StrEnum

from wire.waiting.reasons import Reason

__all__ = ["ALARMS", "Alarm"]


class Alarm(StrEnum):
    """What is wrong."""

    FORKED = "forked"
    REVOKED = "revoked"
    CITY_REFUSED = "city_refused"
    DISK_FULL = "disk_full"
    DISK_RESERVE = "disk_reserve"
    MAIL_FAILED = "mail_failed"
    MAIL_DAMAGED = "mail_damaged"
    RECEIPT_REFUSED = "receipt_refused"
    FEED_BROKEN = "feed_broken"
    FEED_NOT_UNDERSTOOD = "feed_not_understood"
    DICTIONARY_MISSING = "dictionary_missing"
    CATALOG_REFUSED = "catalog_refused"
    CATALOG_EXPIRED = "catalog_expired"
    SCAN_NOT_OPENED = "scan_not_opened"
    SCAN_DAMAGED = "scan_damaged"
    MACHINE_CHANGED = "machine_changed"
    CLOCK_DOUBTFUL = "clock_doubtful"
    RENEWAL_REFUSED = "renewal_refused"
    ASKED_FOR_ERASED = "asked_for_purged"
    KEY_CHANGE_WAITS = "rekey_waits"
    LOG_DAMAGED = "desk_log_damaged"
    KEYRING_DAMAGED = "keyring_damaged"


ALARMS: Mapping[str, Reason] = {
    Alarm.FORKED: Reason.IDENTITY_STOPPED,
    Alarm.REVOKED: Reason.RIGHT_WITHDRAWN,
    Alarm.CITY_REFUSED: Reason.CITY_REFUSES_NODE,
    Alarm.DISK_FULL: Reason.DISK_FULL,
    Alarm.MAIL_FAILED: Reason.MAIL_FAILED,
    Alarm.RECEIPT_REFUSED: Reason.RECEIPT_NOT_BELIEVED,
    Alarm.FEED_BROKEN: Reason.ANSWER_NOT_BELIEVED,
    Alarm.FEED_NOT_UNDERSTOOD: Reason.PROGRAM_TOO_OLD,
    Alarm.CATALOG_REFUSED: Reason.CATALOG_REFUSED,
    Alarm.SCAN_NOT_OPENED: Reason.SCAN_NOT_OPENED,
    Alarm.SCAN_DAMAGED: Reason.SCAN_DAMAGED,
    Alarm.MACHINE_CHANGED: Reason.MACHINE_CHANGED,
    Alarm.DISK_RESERVE: Reason.DISK_RESERVE,
    Alarm.CATALOG_EXPIRED: Reason.CATALOG_EXPIRED,
    Alarm.CLOCK_DOUBTFUL: Reason.CLOCK_DOUBTFUL,
    Alarm.RENEWAL_REFUSED: Reason.RENEWAL_REFUSED,
    Alarm.ASKED_FOR_ERASED: Reason.ASKED_FOR_ERASED,
    Alarm.KEY_CHANGE_WAITS: Reason.KEY_CHANGE_WAITS,
    Alarm.DICTIONARY_MISSING: Reason.ANSWER_WAITS_FOR_CATALOG,
}
"""The alarms that are a reason of their own."""
