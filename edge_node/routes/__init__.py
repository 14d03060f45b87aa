"""HTTP only: a route parses, asks who is at the counter, calls one act, and shapes its answer.

The messages of the counter are declared without being built, because the screen needs few of them at its start; the
routes need them all, and FastAPI reads them when a route is declared. So they are built here, before any route.
"""

from __future__ import annotations

from pydantic import BaseModel

from wire import counter as _messages

for _name in _messages.__all__:
    _kind = getattr(_messages, _name)
    if isinstance(_kind, type) and issubclass(_kind, BaseModel):
        _kind.model_config["defer_build"] = False  # FastAPI's own adapters follow the model; they must not defer either
        _kind.model_rebuild()
