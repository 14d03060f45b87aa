"""What both ends decide about single operations: pure, so that a simulator puts the same decisions through its faults.

Laws:
- Known op_id and same body: the first outcome again. Known op_id and another body: a conflict; the first counts (I1,
  I3).
- An operation that its author based on a step which the city does not have (the city was restored, others have not sent
  again) waits, with what the same author did after it on that application; it is never refused for that (I6).
- What cannot be sorted is refused alone, and delays nothing else (I12).
- A node erases only what is stable and answered (I5).
- An entry of the feed moves an application once; a feed that is told anew begins each application anew.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum
from typing import TypeVar

__all__ = ["Telling", "Verdict", "judge_entry", "judge_operation", "may_be_purged", "sort_apart"]

T = TypeVar("T")
R = TypeVar("R")


class Verdict(Enum):
    """What the city does with an operation that it stores."""

    TRY = "try"
    AGAIN = "again"
    CONFLICT = "conflict"
    WAIT = "wait"


def judge_operation(
    body_hash: bytes,
    known_body_hash: bytes | None,
    *,
    may_wait: bool,
    basis: int,
    case_seq: int,
    seq: int,
    lane: Collection[int],
) -> Verdict:
    """What becomes of it: `known_body_hash` is that of the first under this op_id, `case_seq` how far its application
    has come, `lane` the numbers under which the same author waits for the same application.

    >>> judge_operation(b"a", None, may_wait=True, basis=3, case_seq=2, seq=9, lane=())
    <Verdict.WAIT: 'wait'>
    >>> judge_operation(b"a", b"b", may_wait=True, basis=3, case_seq=2, seq=9, lane=())
    <Verdict.CONFLICT: 'conflict'>
    """
    if known_body_hash is not None:
        return Verdict.AGAIN if known_body_hash == body_hash else Verdict.CONFLICT
    if may_wait and (basis > case_seq or any(waiting < seq for waiting in lane)):
        return Verdict.WAIT
    return Verdict.TRY


def sort_apart(
    batch: Sequence[T],
    sort: Callable[[Sequence[T]], R],
    shut: Callable[[T, Exception], T],
    outages: tuple[type[BaseException], ...] = (),
) -> Iterable[R]:
    """Sort all at once; if that fails, one by one, and what fails again as shut. `sort` leaves nothing when it fails.

    An outage of what the city runs on is nobody's poison: it is raised.
    """
    try:
        return [sort(batch)]
    except outages:
        raise
    except Exception:  # noqa: BLE001 - whoever sent it chose what is in it
        return [_alone(one, sort, shut, outages) for one in batch]


def _alone(
    one: T,
    sort: Callable[[Sequence[T]], R],
    shut: Callable[[T, Exception], T],
    outages: tuple[type[BaseException], ...],
) -> R:
    try:
        return sort([one])
    except outages:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return sort([shut(one, error)])


def may_be_purged(seq: int, outcome: str | None, stable_hwm: int) -> bool:
    """The one rule: an operation's body may go once a verified backup of the city holds it and its outcome is known.

    >>> may_be_purged(7, "applied", 7), may_be_purged(7, None, 7), may_be_purged(8, "applied", 7)
    (True, False, False)
    """
    return seq <= stable_hwm and outcome is not None


class Telling(Enum):
    """What an entry of the feed does to an application of the node."""

    MOVES = "moves"
    BEGINS = "begins"
    KNOWN = "known"


def judge_entry(case_seq: int, known_case_seq: int | None, *, told_anew: bool) -> Telling:
    """Whether it moves the application from where it stands, begins it anew, or says what is known.

    `known_case_seq` is the last step that was folded in, None for an application that is not known; `told_anew` when
    the feed began anew since this application was last mentioned.

    >>> judge_entry(1, 4, told_anew=True)
    <Telling.BEGINS: 'begins'>
    """
    if known_case_seq is None or told_anew:
        return Telling.BEGINS
    return Telling.MOVES if case_seq > known_case_seq else Telling.KNOWN
