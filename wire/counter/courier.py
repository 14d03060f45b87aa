"""Mail by stick as the screen sees it: what waits, which sticks are there, what the courier is doing with one."""

from typing import Any, Literal

from pydantic import Field

from wire.fields import Asked, Hex32, Told


class MediumView(Told):
    """A stick that is mounted on this machine."""

    name: str
    free_bytes: int


class CourierJob(Told):
    """The newest order to the courier. `code` with `params` says what came of it when the phase is done or failed."""

    order_id: Hex32
    way: Literal["out", "in"]
    medium: str
    phase: Literal["waiting", "working", "done", "failed"]
    files: int = 0
    files_all: int = 0
    bytes: int = 0
    bytes_all: int = 0
    code: str = ""
    params: dict[str, Any] = Field(default_factory=dict)


class CourierView(Told):
    """What waits for the city, the sticks, and the newest order."""

    waiting_ops: int
    waiting_scans: int
    waiting_bytes: int
    media: list[MediumView] = Field(default_factory=list)
    job: CourierJob | None = None


class AskCourier(Asked):
    """Write this node's mail onto a stick, or take in what the city wrote; `again` begins every scan anew."""

    way: Literal["out", "in"]
    medium: str = Field(min_length=1, max_length=100)
    again: bool = False
