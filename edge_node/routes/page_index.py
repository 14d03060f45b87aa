"""The township page as a whole: its routes, its assets, its refusals and its headers, on one application.

`page_app` makes the application that listens on the LAN; `register` puts the page onto one that exists already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from edge_node.counter.counter import Counter
from edge_node.language import ByChoice
from edge_node.routes import (
    page_catalog,
    page_detail,
    page_handling,
    page_print,
    page_queue,
    page_recovery,
    page_refusals,
    page_register,
    page_report,
    page_sign_in,
    page_waiting,
    relay,
)
from edge_node.routes.page_body import BODY_MAX_BYTES
from edge_node.routes.page_headers import PageHeaders

STATIC: Final = Path(__file__).parent.parent / "static"


def register(app: FastAPI, counter: Counter) -> None:
    """Put the page onto `app`."""
    app.state.counter = counter
    page_refusals.install(app)
    for part in (
        page_sign_in,
        page_recovery,
        page_queue,
        page_register,
        page_report,
        page_catalog,
        page_detail,
        page_print,
        page_handling,
        page_waiting,
    ):
        app.include_router(part.router)
    app.include_router(relay.router, max_body_size=relay.BODY_MAX_BYTES)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(page_refusals.CalmDefects)
    app.add_middleware(PageHeaders)
    app.add_middleware(ByChoice)


def page_app(counter: Counter) -> FastAPI:
    """The application of the page alone: nothing of the counter API can be reached through it."""
    app = FastAPI(
        title="township page",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"auto_configure": False},
        max_body_size=BODY_MAX_BYTES,
        redirect_slashes=False,
    )
    register(app, counter)
    return app
