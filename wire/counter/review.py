"""The township's review: what may be asked, and the answers."""

from pydantic import Field

from casework.application import ReturnKind
from wire.counter.drafts import ReturnPointView, WhyText
from wire.fields import Asked, Day, Told


class ReturnablePoint(Told):
    """Something the guide names and a return may therefore name."""

    kind: ReturnKind
    ref: str
    label: str


class ReviewGuide(Told):
    """What the township may ask for, and which materials may be deferred."""

    points: list[ReturnablePoint]
    deferrable: list[str] = Field(default_factory=list)
    may_accept_provisionally: bool = False


class ReturnOnce(Asked):
    """The one return with everything that must be put right."""

    points: list[ReturnPointView] = Field(min_length=1, max_length=100)


class Accept(Asked):
    """Accept; the limit is counted by the node when no day is given."""

    limit_due: Day | None = None


class AcceptProvisionally(Asked):
    """Accept although deferrable materials are missing, on the applicant's promise."""

    deferred: list[str] = Field(min_length=1)
    due: Day
    promise: WhyText


class Decline(Asked):
    """Decline, with the reason, its legal basis and the remedies."""

    reason: WhyText
    basis: WhyText
    remedy: WhyText
    elsewhere: str = Field(default="", max_length=120)


class NotRequired(Asked):
    """No application is needed."""

    reason: WhyText


class Forward(Asked):
    """Another body is competent."""

    to: str = Field(min_length=1, max_length=120)
    reason: WhyText
