"""What a support bundle says of the machine: versions, disk, memory, clock; and what the running service answers.

Law: no name of a host, a user or a network, no serial number; only what is on a list.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import sys
import time
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import httpx

from offline_store.errors import StoreError
from offline_store.mailbox.outgoing import Outgoing
from offline_store.paths import NodePaths
from provisioning import allowed

PACKAGES: Final = (
    "cryptography", "fastapi", "httpx", "pillow", "pydantic", "sqlalchemy", "sqlcipher3", "sqlmodel", "starlette",
    "textual", "tuf", "uvicorn",
)  # fmt: skip
SYSTEMS: Final = frozenset({"debian", "ubuntu", "openeuler", "kylin", "uos", "deepin", "fedora", "centos", "raspbian"})
MACHINES: Final = frozenset({"x86_64", "aarch64", "armv7l", "loongarch64", "riscv64", "mips64"})
FILE_SYSTEMS: Final = frozenset(
    {"ext4", "ext3", "xfs", "btrfs", "f2fs", "overlay", "tmpfs", "vfat", "nfs", "nfs4", "zfs"}
)
OPTIONS: Final = frozenset(
    {
        "rw",
        "ro",
        "relatime",
        "noatime",
        "nodiratime",
        "sync",
        "discard",
        "nobarrier",
        "barrier=0",
        "data=ordered",
        "data=writeback",
        "data=journal",
        "errors=remount-ro",
    }
)
MEMORY: Final = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
ANSWER_S: Final = 3.0
COUNTER_NUMBERS: Final = ("backlog_ops", "backlog_scans", "backlog_bytes", "catalog_version", "catalog_age_days")


def versions(paths: NodePaths) -> dict[str, Any]:
    """What runs here."""
    system = platform.freedesktop_os_release()
    return {
        "program": allowed.version(_program(paths)),
        "python": allowed.version(platform.python_version()),
        "kernel": allowed.version(re.split(r"[^0-9.]", platform.release())[0].rstrip(".")),
        "machine": platform.machine() if platform.machine() in MACHINES else allowed.OTHER,
        "system": system.get("ID") if system.get("ID") in SYSTEMS else allowed.OTHER,
        "system_version": allowed.version(f"{system.get('VERSION_ID', '')}.0"),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "packages": {name: _version_of(name) for name in PACKAGES},
    }


def machine(paths: NodePaths) -> dict[str, Any]:
    """Disk, memory and clock."""
    usage, inodes = shutil.disk_usage(paths.root), os.statvfs(paths.root)
    kind, options = _mount(paths.root)
    return {
        "disk": {
            "total": usage.total,
            "free": usage.free,
            "inodes_free": inodes.f_favail,
            "file_system": kind,
            "options": options,
        },
        "memory_kib": _memory(),
        "processors": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "up_hours": int(time.clock_gettime(time.CLOCK_BOOTTIME) // 3600),
        "clock": {
            "wall": datetime.now().astimezone().isoformat(timespec="seconds"),
            "zone_minutes": -time.timezone // 60,
        },
    }


def counter(paths: NodePaths) -> dict[str, Any]:
    """What the service's own status says, if it answers."""
    try:
        _knock(paths.counter_socket)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(paths.counter_socket)), timeout=ANSWER_S) as client:
            said = client.get("http://counter/counter/status").json()
    except (httpx.HTTPError, OSError, ValueError) as failure:
        return {"answers": False, "why": allowed.code(type(failure).__name__)}
    return {
        "answers": True,
        "line": allowed.code(said.get("line")),
        "clock": allowed.code(said.get("clock_confidence")),
        "alarms": [allowed.code(one) for one in said.get("alarms", [])],
        "conditions": [
            {name: allowed.code(one.get(name)) for name in ("why", "who", "then", "code")}
            for one in said.get("conditions", [])
        ],
        "last_receipt_at": allowed.moment(said.get("last_receipt_at")),
        **{name: allowed.number(said.get(name)) for name in COUNTER_NUMBERS},
    }


def _knock(door: Path) -> None:
    """Whether anybody listens; httpx leaves its socket open where nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        tried.settimeout(ANSWER_S)
        tried.connect(str(door))


def _program(paths: NodePaths) -> str:
    try:
        facts = Outgoing(paths.outgoing).facts()
    except StoreError:
        return ""
    return facts.program_version if facts else ""


def _version_of(name: str) -> str:
    try:
        return allowed.version(metadata.version(name))
    except metadata.PackageNotFoundError:
        return ""


def _mount(folder: Path) -> tuple[str, list[str]]:
    """The file system under a folder and those of its options that matter here."""
    best: tuple[int, str, list[str]] = (-1, allowed.OTHER, [])
    there = str(folder.resolve())
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
        left, _, right = line.partition(" - ")
        point, mine, theirs = left.split()[4], left.split()[5], right.split()
        inside = there == point or there.startswith(point.rstrip("/") + "/")
        if inside and len(point) > best[0]:
            options = [*mine.split(","), *theirs[2].split(",")]
            best = (len(point), theirs[0], sorted({one for one in options if one in OPTIONS}))
    return best[1] if best[1] in FILE_SYSTEMS else allowed.OTHER, best[2]


def _memory() -> dict[str, int]:
    found = {}
    for line in Path("/proc/meminfo").read_text("ascii", "replace").splitlines():
        name, _, rest = line.partition(":")
        if name in MEMORY:
            found[name] = int(rest.split()[0])
    return found
