"""How often one request is tried within a pass: bounded by count *and* by time.

Longer absences are the rhythm's affair; this only bridges the second in which a line drops and comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

ATTEMPTS = 3
TOTAL_S = 20.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 3.0

Answer = TypeVar("Answer")


async def tried_again(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run `call`, trying again after transport errors; the last error is raised as it was."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(httpx.TransportError),
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(TOTAL_S),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S),
        reraise=True,
    )

    async def once() -> Answer:  # tenacity awaits coroutine functions, not a lambda that returns an awaitable
        return await call()

    return await retrying(once)
