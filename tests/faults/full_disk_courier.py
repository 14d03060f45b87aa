"""`python -m tests.faults.full_disk_courier SCRATCH [--without-reserve]`: a courier whose disk has not a byte left.

Run in a mount namespace of its own. The node's folder is a small tmpfs, full to the last block; the city is elsewhere.
Prints how many rounds it took until everything had arrived and the node held the city's word for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
from pathlib import Path

from offline_store.reserve import Reserve
from tests.simulators.post import posted

DISK_MIB = 16
ROUNDS = 8


async def carry(scratch: Path) -> dict[str, object]:
    node = scratch / "node"
    async with posted(scratch) as post:
        for number in range(3):
            post.file(bytes([number]) * 40_000)
        ballast = node / "ballast"
        room = os.statvfs(node)
        with ballast.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, room.f_bavail * room.f_frsize)
        heard = [await post.rounds.make_one() for _ in range(ROUNDS)]
        arrived = post.receipt() is not None
        if arrived:
            post.everything_arrived_once()
        ballast.unlink()
        await post.drain()  # there is room again: the same process goes on
        post.everything_arrived_once()
        return {"heard": any(one.ok for one in heard), "arrived": arrived, "held": post.paths.agent_reserve.exists()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--without-reserve", action="store_true", help="the control")
    asked = parser.parse_args()
    node = asked.scratch / "node"
    node.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "village", node], check=True)
    if asked.without_reserve:
        Reserve.take = lambda _self, _spare: False
    print(json.dumps(asyncio.run(carry(asked.scratch))))


if __name__ == "__main__":
    main()
