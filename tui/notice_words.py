"""An emergency notice in words: from when to when, what is ordered, where to turn, what it does to limits.

Laws: what the notice does not say is shown as not said; a measure that the vocabulary does not know is told in the
notice's own words.
"""

from collections.abc import Sequence

from tui.columns import shorten
from tui.guide_words import Chapter
from tui.wording import of, t
from wire.counter import ChannelView, ClockView, MeasureView, NoticeView

TITLE_CELLS = 36


def chapter(notice: NoticeView) -> Chapter:
    """A whole notice."""
    lines = [period(notice)]
    if notice.shut_here:
        lines.insert(0, t("notice.shut_here"))
    if notice.effect is not None:
        lines.append(of("notice_effect", notice.effect))
    lines += [t("notice.measure", words=_measure(one, notice)) for one in notice.measures]
    lines.append(t("notice.where", regions=t("list.comma").join(notice.regions)))
    if notice.items:
        lines.append(t("notice.items", items=t("list.comma").join(notice.items)))
    if notice.places:
        lines.append(t("notice.places", places=t("list.comma").join(notice.places)))
    if notice.scope_note:
        lines.append(notice.scope_note)
    lines += [t("notice.channel", words=_channel(one)) for one in notice.channels]
    lines += [t("notice.contact", words=_channel(one)) for one in notice.contacts]
    if not notice.contacts:
        lines.append(t("notice.contact", words=t("notice.unsaid")))
    lines += [t("notice.rule", words=rule) for rule in notice.entry_rules]
    lines.append(t("notice.issuer", issuer=notice.issuer or t("notice.unsaid")))
    lines += [words for words in (notice.authority, notice.followup) if words]
    return Chapter(t("guide.notice", title=notice.title), tuple(lines))


def period(notice: NoticeView) -> str:
    """From when to when it holds."""
    first = f"{notice.first:%Y-%m-%d}"
    if notice.last is None:
        return t("notice.since", first=first)
    return t("notice.between", first=first, last=f"{notice.last:%Y-%m-%d}")


def strip(notices: Sequence[NoticeView]) -> str:
    """The notices in one line; a shut window of this station first."""
    if not notices:
        return ""
    first = next((one for one in notices if one.shut_here), notices[0])
    since = f"{first.first:%m-%d}"
    until = t("notice.strip_open") if first.last is None else f"{first.last:%m-%d}"
    what = t("notice.strip_shut") if first.shut_here else shorten(first.title, TITLE_CELLS)
    more = t("notice.strip_more", count=len(notices)) if len(notices) > 1 else ""
    return t("notice.strip", what=what, since=since, until=until, more=more)


def shift_words(clock: ClockView) -> list[str]:
    """By how much notices moved a limit, and why it is not final on their account."""
    by = t("list.comma").join(clock.notices)
    words = []
    if clock.shifted_days:
        words.append(t("notice.shifted", days=days_words(clock.shifted_days, clock.unit), by=by))
    if clock.doubt:
        words.append(of("notice_doubt", clock.doubt, by=by))
    return words


def days_words(days: int, unit: str | None) -> str:
    """A count of days in the unit of its limit."""
    return of("unit", unit if unit in {"working_day", "calendar_day"} else "day", value=days)


def _measure(one: MeasureView, notice: NoticeView) -> str:
    said = one.summary or one.name or one.code
    words = t("notice.named", name=one.name, words=said) if one.name and one.summary else said
    if (one.first, one.last) == (notice.first, notice.last) or one.first is None:
        return words
    if one.last is None:
        return t("notice.since_words", words=words, first=f"{one.first:%m-%d}")
    return t("notice.between_words", words=words, first=f"{one.first:%m-%d}", last=f"{one.last:%m-%d}")


def _channel(one: ChannelView) -> str:
    return t("notice.at", name=one.name, at=one.at or t("notice.unsaid"))
