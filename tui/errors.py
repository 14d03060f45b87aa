"""What can go wrong between the screen and the node; each failure has its own class and its stable code.

CounterError
|- NodeAway            nobody answers on the socket, or the answer is not the node's
|- SessionLocked       ten idle minutes: the passphrase is asked again, nothing typed is lost
|- SessionOver         the session ended (node restarted, signed out): sign in again
|  |- NodeLocked       the node was started and waits for a clerk's passphrase: sign in to unlock it
|- Refused             the node understood and said no, with a sentence for the person at the counter
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class CounterError(Exception):
    """A call to the node did not succeed."""

    code: ClassVar[str] = "counter"


class NodeAway(CounterError):
    """The node's service does not answer on this machine."""

    code: ClassVar[str] = "counter.node_away"


class SessionLocked(CounterError):
    """The session is locked after idle minutes."""

    code: ClassVar[str] = "session.locked"


class SessionOver(CounterError):
    """The session is no longer known to the node."""

    code: ClassVar[str] = "session.over"


class NodeLocked(SessionOver):
    """The node was started and nobody has unlocked it yet."""

    code: ClassVar[str] = "node.locked"


class Refused(CounterError):
    """The node refused the call and said why."""

    code: ClassVar[str] = "counter.refused"

    def __init__(
        self,
        reason: str,
        sentence: str,
        *,
        status: int,
        params: Mapping[str, Any] | None = None,
        fields: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sentence = sentence
        self.status = status
        self.params = dict(params or {})
        self.fields = tuple(fields)
