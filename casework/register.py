"""The register's line (登记簿): what is left of an application on a node after its papers were erased.

Laws
- Kept: its number, item, region, days, how often it was returned, how it ended, and every step with its day; the
  applicant's name only masked.
- Not kept: what was typed, handed in, answered, promised or said of a person, and every free text: a reason may name
  somebody.
- A line of the register is an application still: an event that comes late (a revocation) moves it like any other, and
  making the line of a line changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casework.application import NOBODY, Application
from casework.masking import mask_name


def register_line(application: Application) -> Application:
    """Reduce an application to its line of the register.

    >>> from casework.lifecycle import draft
    >>> typed = replace(draft("0" * 32), applicant=replace(NOBODY, name="张测试", id_no="511602180001010014"),
    ...     form={"applicant_name": "张测试"}, outcome_reason="张测试的材料不全")
    >>> line = register_line(typed)
    >>> line.applicant.name, line.applicant.id_no, dict(line.form), line.outcome_reason
    ('张**', '', {}, '')
    >>> register_line(line) == line
    True
    """
    decision = application.decision
    return replace(
        application,
        applicant=replace(NOBODY, name=mask_name(application.applicant.name)),
        form={},
        handed_in=(),
        scans=(),
        return_points=(),
        answers={},
        rounds=(),
        deferred=(),
        promise="",
        pauses=(),
        decision=None if decision is None else replace(decision, reason="", document_name="", document_no=""),
        outcome_reason="",
        outcome_basis="",
        outcome_remedy="",
        outcome_elsewhere="",
        forwarded_to="",
        receiver="",
        delivery_way="",
        history=tuple(replace(step, note="") for step in application.history),
        extra={},
    )


def ended_at(application: Application) -> datetime | None:
    """The moment from which the time of keeping runs: nothing is left to do, or the result was handed over.

    >>> from casework.lifecycle import draft
    >>> ended_at(draft("0" * 32)) is None
    True
    """
    return application.closed_at or application.delivered_at
