"""The courier: moves sealed mail between this node and the city, and can read none of it.

It holds the transport key (signs HTTP requests) and no key of the desk. What the gateway has not
signed, it does not believe; what it cannot deliver now, it leaves lying where it lies.
"""

import sys
from typing import Any, cast

# httpx imports its command line (click, rich, pygments) wherever those are installed: 4 MiB that a program which runs
# for months would carry for nothing. httpx provides for its absence; a name set to None is Python's way to say so.
cast("dict[str, Any]", sys.modules).setdefault("httpx._main", None)
