"""The city in a reconnect storm: gateway processes on one ledger that can be killed, a clerk who looks at pages, and
the reckoning afterwards.

lost = saved without an effect in the ledger; duplicated = an effect twice; phantom = an effect of nothing that was
saved; false sent = acknowledged with a signed receipt and without an effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import httpx
import sqlalchemy as sa

from city_gateway.acts.gateway import CITY_REGION, Gateway
from city_gateway.acts.office import add_clerk
from city_gateway.app import Settings, open_gateway
from city_gateway.keys import make_keys
from city_gateway.ledger.tables import CASE_ENTRIES
from provisioning.demo_world import Program, free_port
from tests.simulators.storm_mail import Mail
from tests.simulators.storm_nodes import StormNode

START_S = 90.0
PAGE_EVERY_S = 0.25
PAGE_TIMEOUT_S = 30.0
CLERK, PASSPHRASE = "storm", "storm-office-2026"
OPEN_FILES = 16_384


@dataclass(slots=True)
class StormCity:
    """One ledger, one folder, some processes; `program` may be a wrapper that took a protection away."""

    folder: Path
    url: str
    processes: int = 1
    program: str = "city_gateway"
    environment: dict[str, str] = field(default_factory=dict)
    programs: list[Program] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    peak_kib: int = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        make_keys(self.folder / "keys", os.urandom)
        for number in range(self.processes):
            port = free_port()
            self.urls.append(f"http://127.0.0.1:{port}")
            at = ("serve", "--database", self.url, "--folder", str(self.folder))
            listening = ("--listen", f"127.0.0.1:{port}", "--public-url", self.urls[0])
            environment = dict(os.environ) | self.environment
            log = self.folder / f"gateway-{number}.log"
            self.programs.append(Program(f"gateway-{number}", (self.program, *at, *listening), environment, log))
        return self

    def __exit__(self, *_why: object) -> None:
        for program in self.programs:
            program.stop()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Gateway]:
        """The ledger and keys in this process, for founding and for the reckoning."""
        gateway = open_gateway(Settings(self.url, self.folder, self.urls[0]), clock=lambda: datetime.now(UTC))
        try:
            yield gateway
        finally:
            gateway.ledger.close()

    def hire(self, gateway: Gateway) -> None:
        """The clerk of the back office."""
        add_clerk(
            gateway.ledger,
            clerk_id=CLERK,
            name="演练",
            department="演练部门",
            region=CITY_REGION,
            passphrase=PASSPHRASE,
            randomness=os.urandom,
        )

    async def start(self) -> None:
        """Start all processes, wait until all answer."""
        for program in self.programs:
            program.start()
        async with httpx.AsyncClient(trust_env=False) as client:
            for url, program in zip(self.urls, self.programs, strict=True):
                await _answers(client, url, program)

    def kill(self) -> None:
        """SIGKILL for all of them."""
        self.look_at_memory()
        for program in self.programs:
            program.kill()

    def look_at_memory(self) -> None:
        """The most that one process ever had resident."""
        for program in self.programs:
            if program.process is not None:
                status = Path(f"/proc/{program.process.pid}/status").read_text("ascii")
                peak = re.search(r"VmHWM:\s+(\d+) kB", status)
                self.peak_kib = max(self.peak_kib, int(peak[1]) if peak else 0)


async def _answers(client: httpx.AsyncClient, url: str, program: Program) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        program.must_live()
        with contextlib.suppress(httpx.HTTPError):
            if (await client.get(f"{url}/v1/health")).is_success:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError(program.name)


@dataclass(slots=True)
class Clerk:
    """Somebody in the back office who looks at a page again and again meanwhile."""

    url: str
    seconds: list[float] = field(default_factory=list)
    unanswered: int = 0

    async def look(self, stop: asyncio.Event) -> None:
        """Sign in and look until told to stop."""
        async with httpx.AsyncClient(base_url=self.url, timeout=PAGE_TIMEOUT_S, trust_env=False) as client:
            said = {"clerk_id": CLERK, "passphrase": PASSPHRASE}
            answer = await client.post("/office/sign-in", data=said)
            if answer.status_code != 303:
                raise RuntimeError(f"sign-in: {answer.status_code}")
            while not stop.is_set():
                begun = time.monotonic()
                try:
                    page = await client.get("/office/")
                except httpx.HTTPError:
                    self.unanswered += 1
                else:
                    if page.status_code == 200:
                        self.seconds.append(time.monotonic() - begun)
                    else:
                        self.unanswered += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAGE_EVERY_S)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What it came to."""

    effects: int
    lost: int
    duplicated: int
    phantom: int
    false_sent: int

    @property
    def is_good(self) -> bool:
        """Nothing went wrong."""
        return not (self.lost or self.duplicated or self.phantom or self.false_sent)


def reckon(gateway: Gateway, mails: Sequence[Mail], nodes: Sequence[StormNode]) -> Reckoning:
    """Compare what was saved and acknowledged with what the ledger has."""
    asked = sa.select(CASE_ENTRIES.c.op_id).where(CASE_ENTRIES.c.op_id.is_not(None))
    with gateway.ledger.reading() as tx:
        effects = Counter(str(op_id) for op_id in tx.execute(asked).scalars())
    saved = {op_id for mail in mails for op_id in mail.op_ids}
    sent = {op_id for node in nodes for op_id in node.mail.op_ids[: node.hwm]}
    return Reckoning(
        effects=sum(effects.values()),
        lost=len(saved - set(effects)),
        duplicated=sum(number - 1 for number in effects.values()),
        phantom=len(set(effects) - saved),
        false_sent=len(sent - set(effects)),
    )


def raise_open_files() -> None:
    """Thousands of connections at once need as many descriptors, here and in the programs that are started."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
