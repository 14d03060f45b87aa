"""The lines of the benchmark: rate, round trip, loss, and when they are down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MBIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """One line. Rates are bits a second of IP packets; loss is the share of packets lost, each way; `cut_s` of every
    `every_s` the line is down, and every connection over it is reset."""

    name: str
    up_bit_s: int
    down_bit_s: int
    round_trip_s: float
    loss: float = 0.0
    every_s: float = 0.0
    cut_s: float = 0.0

    @property
    def share_up(self) -> float:
        """The share of the time in which the line carries anything."""
        return 1 - self.cut_s / self.every_s if self.every_s else 1.0

    def seconds_for(self, payload: int) -> float:
        """How long these bytes take at least, if nothing but they were sent."""
        return payload * 8 / self.up_bit_s / self.share_up


SHAPES: Final = {
    one.name: one
    for one in (
        Shape("lan", 50 * MBIT, 50 * MBIT, 0.002),
        Shape("rural4g", 4 * MBIT, 4 * MBIT, 0.120, 0.01),
        Shape("poor", 512_000, 1 * MBIT, 0.400, 0.03),
        Shape("flap", 4 * MBIT, 4 * MBIT, 0.120, 0.01, every_s=20.0, cut_s=5.0),
    )
}
