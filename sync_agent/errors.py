"""What the courier refuses when mail goes by carrier; one class each, with a stable code and no personal data."""

from __future__ import annotations

from typing import ClassVar


class CourierError(Exception):
    """Mail could not be given to a carrier, or taken from one."""

    code: ClassVar[str] = "courier"

    def __init__(self, **params: str | int) -> None:
        self.params: dict[str, str | int] = params
        super().__init__(f"{self.code} {params}" if params else self.code)


class CourierBusy(CourierError):
    """Another command is packing or reading a bundle of this node at this moment."""

    code = "courier.busy"


class StickFull(CourierError):
    """There is not even room for the mail on this stick; nothing was written."""

    code = "courier.stick_full"


class StickGone(CourierError):
    """The stick does not answer, or was pulled while it was written or read."""

    code = "courier.stick_gone"


class NoBundle(CourierError):
    """There is no finished bundle for this node on the stick."""

    code = "courier.no_bundle"


class NotForThisNode(CourierError):
    """The bundles on the stick are addressed to other nodes."""

    code = "courier.not_for_this_node"


class NodeFull(CourierError):
    """This node's own disk has no room for what the stick brings; nothing was taken in."""

    code = "courier.node_full"


class CourierHalted(CourierError):
    """The city's mark contradicts this node's journal: the machine was cloned or set back, and this identity stops."""

    code = "courier.halted"


class NoStick(CourierError):
    """The stick that was chosen is not mounted any more."""

    code = "courier.no_stick"


class OrderTooOld(CourierError):
    """The order is older than minutes; whoever gave it asks again."""

    code = "courier.too_late"
