"""`python -m tests.faults.low_memory SCRATCH --mib M --scans N`: the real edge_node in a memory cgroup, large scans.

The cgroup is made by this program (version 1 or 2, whichever the machine has) and holds edge_node alone; swap does not
count in its favour. A scan of 20 MB is a picture as a scanner makes it; edge_node shrinks it. What was answered as kept
must be there afterwards, whole; a program that the kernel killed is started again, as the service manager would.
Prints the outcome as JSON; `"cgroup": null` where the machine lets nobody make one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from edge_node.acts import drafting
from offline_store.desk import scans
from tests.edge_node.village import AGENT, MACHINE_KEY, PASSPHRASE, Village

MIB = 1024 * 1024
WANTED_BYTES = 20_000_000
ROOT = Path(__file__).parents[2]


class Cgroup:
    """A group of one program with a limit."""

    def __init__(self, limit: int) -> None:
        v1, v2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
        self.version = 1 if (v1 / "memory.limit_in_bytes").exists() else 2
        self.folder = (v1 if self.version == 1 else v2) / f"guangan-{os.getpid()}"
        self.folder.mkdir()
        if self.version == 1:
            (self.folder / "memory.limit_in_bytes").write_text(str(limit))
            with contextlib.suppress(OSError):  # a kernel without accounting of swap
                (self.folder / "memory.memsw.limit_in_bytes").write_text(str(limit))
        else:
            (self.folder / "memory.max").write_text(str(limit))
            with contextlib.suppress(OSError):
                (self.folder / "memory.swap.max").write_text("0")

    def within(self, command: list[str]) -> list[str]:
        """The command, in the group from its first byte of memory."""
        return ["sh", "-c", f'echo $$ > "{self.folder}/cgroup.procs" && exec "$@"', "sh", *command]

    def peak(self) -> int:
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        with contextlib.suppress(OSError):
            return int((self.folder / name).read_text())
        return 0

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def large_picture() -> bytes:
    """A picture of noise that no compression makes small: about 20 MB of JPEG, 24 megapixels."""
    width, height = 6000, 4000
    noise = Image.effect_noise((width, height), 90).convert("RGB")
    for quality in (97, 93, 88, 80, 70, 60, 50):
        out = io.BytesIO()
        noise.save(out, "JPEG", quality=quality)
        if out.tell() <= WANTED_BYTES:
            return out.getvalue() + bytes(WANTED_BYTES - out.tell())
    raise AssertionError("no picture of that size")


class Node:
    """The program in its group, started again as often as it is killed."""

    def __init__(self, folder: Path, group: Cgroup, tries: int) -> None:
        self.folder, self.group, self.tries, self.killed = folder, group, tries, 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = dict(os.environ, GUANGAN_MACHINE_KEY_FILE=str(self.folder / "key"), PYTHONPATH=str(ROOT))
        environment |= {"MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            self.group.within([sys.executable, "-m", "edge_node", "--root", str(self.folder / "n")]),
            env=environment,
            stderr=subprocess.DEVNULL,
        )

    def client(self) -> httpx.Client:
        """A client that is signed in, as soon as the program answers."""
        transport = httpx.HTTPTransport(uds=str(self.folder / "n" / "run" / "counter.sock"))
        client = httpx.Client(transport=transport, base_url="http://counter", timeout=120)
        for _ in range(600):
            if self.process is None or self.process.poll() is not None:
                self.killed += self.process is not None and self.process.returncode == -signal.SIGKILL
                self.start()
            with contextlib.suppress(httpx.HTTPError):
                answer = client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE})
                if answer.is_success:
                    client.headers["Authorization"] = f"Bearer {answer.json()['session']}"
                    return client
            time.sleep(0.1)
        raise TimeoutError("the program does not come up")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)


def give(node: Node, draft: str, material: str, picture: bytes) -> str | None:
    """One scan, tried again after a kill as a person does; its name, or None when it was refused each time."""
    for _ in range(node.tries):
        with contextlib.closing(node.client()) as client:
            try:
                answer = client.post(
                    f"/counter/drafts/{draft}/scans", params={"material_id": material}, content=picture
                )
            except httpx.HTTPError:
                continue
            if answer.status_code == 201:
                return str(answer.json()["scan_hash"])
    return None


def run(scratch: Path, mib: int, count: int, tries: int) -> dict[str, Any]:
    scratch.mkdir(parents=True)
    (scratch / "key").write_bytes(MACHINE_KEY)
    village = Village.at(scratch / "n")
    draft = drafting.begin(village.counter, village.who, "GA-YB-001")
    with village.counter.desk.reading() as tx:
        item = village.counter.shelf.item(tx, draft.item_id, draft.catalog_version)
    material = next(one.material_id for one in item.materials if one.necessity == "required")
    village.counter.desk.close()
    picture = large_picture()
    try:
        group = Cgroup(mib * MIB)
    except OSError:
        return {"cgroup": None}
    node = Node(scratch, group, tries)
    try:
        told = [give(node, draft.draft_id, material, picture) for _ in range(count)]
        node.client().close()  # it is up, whatever happened
        alive = node.process is not None and node.process.poll() is None
    finally:
        node.stop()
        peak = group.peak()
        group.close()
    again = Village.at(scratch / "n", gateway=village.gateway)
    with again.counter.desk.reading() as tx:
        kept = scans.hashes(tx)
    lost = [one for one in told if one is not None and (one not in kept or not again.counter.vault.has(one))]
    for one in kept:
        again.counter.vault.check(one)
    problems = again.counter.desk.check()
    again.counter.desk.close()
    accepted = sum(one is not None for one in told)
    return {
        "cgroup": group.version,
        "bytes": len(picture),
        "accepted": accepted,
        "refused": count - accepted,
        "killed": node.killed,
        "lost": len(lost),
        "alive": alive,
        "desk": problems,
        "peak_mib": peak // MIB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--mib", type=int, required=True)
    parser.add_argument("--scans", type=int, required=True)
    parser.add_argument("--tries", type=int, default=4, help="how often a person tries again")
    asked = parser.parse_args()
    print(json.dumps(run(asked.scratch, asked.mib, asked.scans, asked.tries)))


if __name__ == "__main__":
    main()
