"""Crashes: every durable write of every program passes here, and may be the last thing that the program does."""

from __future__ import annotations

from dataclasses import dataclass, field


class Crash(Exception):
    """The program is gone; what was written is written, what was only known is not."""


@dataclass(slots=True)
class Fuses:
    """At most one fuse for each program; it burns down with each durable write, before and after it."""

    left: dict[str, int] = field(default_factory=dict)
    blown: int = 0

    def arm(self, who: str, touches: int) -> None:
        """Let `who` die at its `touches`-th moment beside a write."""
        self.left[who] = touches

    def touch(self, who: str) -> None:
        """A moment beside a durable write of `who`."""
        if who in self.left:
            self.left[who] -= 1
            if self.left[who] <= 0:
                del self.left[who]
                self.blown += 1
                raise Crash(who)

    def clear(self) -> None:
        """Faults stop."""
        self.left.clear()
