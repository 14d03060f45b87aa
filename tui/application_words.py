"""An application in words: where it stands, who must act, by when. Saved here is never called received there."""

from tui.notice_words import days_words, shift_words
from tui.wording import of, t
from wire.counter import ApplicationBrief, ApplicationDetail, ClockView

LIGHTS = {"green": "$text-success", "yellow": "$text-warning", "red": "bold $text-error", "grey": "$text-muted"}


def standing_words(brief: ApplicationBrief) -> str:
    """State and standing: a state that the city has not confirmed is shown together with where it is saved."""
    state = of("state", brief.state)
    if brief.erased_at is not None:
        return t("application.unconfirmed", state=state, standing=of("standing", "erased"))
    if brief.standing == "confirmed":
        return state
    return t("application.unconfirmed", state=state, standing=of("standing", brief.standing))


def due_words(brief: ApplicationBrief) -> str:
    """The day by which somebody must act; unknown stays unknown, and where nobody must act there is none."""
    if brief.due:
        words = t("application.due", day=f"{brief.due:%m-%d}")
        if brief.due_doubt and brief.shifted_days:
            return t("application.due_shifted_open", words=words, days=brief.shifted_days)
        if brief.shifted_days:
            return t("application.due_shifted", words=words, days=brief.shifted_days)
        return t("application.due_open", words=words) if brief.due_doubt else words
    return t("application.no_due") if brief.who_must_act is not None else ""


def duty_words(brief: ApplicationBrief) -> str:
    """Who must act now, and what is to be done."""
    if brief.standing == "refused":
        return of("who", "counter")
    duty = brief.who_must_act
    if duty is None:
        return t("application.nobody")
    return t("application.must_act", who=of("role", duty.role), what=of("duty", duty.what.removeprefix("duty.")))


def clock_words(clock: ClockView) -> str:
    """One of the two clocks."""
    kind, standing = of("clock_kind", clock.kind), of("clock_standing", clock.standing)
    parts = [t("application.clock", kind=kind, standing=standing)]
    if clock.due:
        parts.append(t("application.clock_due", day=f"{clock.due:%Y-%m-%d}"))
    if clock.remaining_days is not None and clock.standing in {"running", "soon", "due_today"}:
        parts.append(t("application.clock_left", left=days_words(clock.remaining_days, clock.unit)))
    parts += shift_words(clock)
    if clock.provisional and not clock.doubt:
        parts.append(t("application.provisional"))
    return " · ".join(parts)


def outcome_lines(detail: ApplicationDetail) -> list[str]:
    """Why it ended as it did, on what basis, who is competent instead and what the applicant can do, a line each.

    The reason of a ruling stands in the ruling's own line.
    """
    ruled = detail.decision is not None and detail.decision.reason == detail.outcome_reason
    said = (
        ("" if ruled else detail.outcome_reason, t("application.reason", reason=detail.outcome_reason)),
        (detail.outcome_basis, t("application.basis", basis=detail.outcome_basis)),
        (detail.outcome_elsewhere, t("application.elsewhere", body=detail.outcome_elsewhere)),
        (detail.forwarded_to, t("application.forwarded", body=detail.forwarded_to)),
        (detail.outcome_remedy, t("application.legal_remedy", remedy=detail.outcome_remedy)),
    )
    return [words for content, words in said if content]


def decision_words(detail: ApplicationDetail) -> str:
    """The ruling in one line."""
    ruling = detail.decision
    if ruling is None:
        return ""
    verdict = t("application.granted") if ruling.granted else t("application.refused")
    paper = f"{ruling.document_name} {ruling.document_no}".strip()
    return t("application.ruling", verdict=verdict, reason=ruling.reason or "—", paper=paper or "—")
