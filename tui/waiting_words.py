"""Why something is not at the city yet, in words: what, why, who must act, what happens next, and when.

Laws: every explanation of the node has words here, one of a newer node the family's own; a time that has passed
already is not promised.
"""

from collections.abc import Sequence
from datetime import datetime

from tui.city_clock import at_city
from tui.wording import of, t
from wire.counter import ApplicationBrief, WaitingView

WITH_CODE = {"city_refuses_node", "other_alarm"}
SELF_MOVING = "nobody"


def why_words(one: WaitingView) -> str:
    """The reason, with the code where the words need it."""
    why = of("why", one.why)
    return t("waiting.with_code", why=why, code=one.code) if one.why in WITH_CODE and one.code else why


def then_words(one: WaitingView, now: datetime) -> str:
    """What happens next, and when as far as anybody knows."""
    then = of("then", one.then)
    if one.when is None or one.when <= now:
        return then
    when, today = at_city(one.when), at_city(now)
    at = f"{when:%H:%M}" if when.date() == today.date() else f"{when:%m-%d %H:%M}"
    return t("waiting.at", then=then, at=at)


def what_words(one: WaitingView) -> str:
    """What waits: an act, or so many scans."""
    if one.scans:
        return t("waiting.scans", count=one.scans)
    return of("event", one.op) if one.op else ""


def waiting_lines(same: Sequence[WaitingView], now: datetime) -> tuple[str, str]:
    """Two lines for things with one explanation: what and why; who must act, what happens next, the other road."""
    one = same[0]
    what = t("list.comma").join(words for words in map(what_words, same) if words)
    first = t("waiting.what", what=what, why=why_words(one)) if what else why_words(one)
    parts = [of("who", one.who), then_words(one, now)]
    if one.stick:
        parts.append(t("waiting.by_stick"))
    return first, " · ".join(parts)


def short_words(waiting: Sequence[WaitingView], now: datetime) -> str:
    """One line for a list: the first reason and what follows, or who must act; empty when nothing waits."""
    if not waiting:
        return ""
    one = waiting[0]
    acts = then_words(one, now) if one.who == SELF_MOVING else of("who", one.who)
    return t("waiting.short", why=why_words(one), then=acts)


def scans_words(brief: ApplicationBrief, *, short: bool = False) -> str:
    """How many scans arrived, as long as some are missing."""
    if brief.scans_arrived >= brief.scans_total:
        return ""
    if short:
        return t("waiting.scans_short", arrived=brief.scans_arrived, total=brief.scans_total)
    return t("waiting.scans_arrived", arrived=brief.scans_arrived, total=brief.scans_total)
