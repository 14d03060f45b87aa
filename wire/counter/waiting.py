"""Why something waits, as the screens read it: codes of `wire.waiting`, worded by each surface."""

from collections.abc import Iterable

from wire.fields import Moment, Told
from wire.waiting import Explanation


class WaitingView(Told):
    """One explanation. `op` is the event of an act, empty otherwise; `scans` is how many scans this speaks of.

    `answered` says that the city has spoken its last word on it, so that only a person moves it on.
    """

    why: str
    who: str
    then: str
    when: Moment | None = None
    stick: bool = False
    code: str = ""
    op: str = ""
    scans: int = 0
    answered: bool = False

    @classmethod
    def of(cls, one: Explanation, *, op: str = "", scans: int = 0, answered: bool = False) -> "WaitingView":
        """An explanation with what it is about."""
        return cls(
            why=one.reason.value,
            who=one.who.value,
            then=one.then.value,
            when=one.when,
            stick=one.stick,
            code=one.code,
            op=op,
            scans=scans,
            answered=answered,
        )


def together(waiting: Iterable[WaitingView]) -> list[list[WaitingView]]:
    """What has the same explanation, to be told once; in the order in which each comes first."""
    found: dict[WaitingView, list[WaitingView]] = {}
    for one in waiting:
        found.setdefault(one.model_copy(update={"op": "", "scans": 0}), []).append(one)
    return list(found.values())
