"""What an invited phone sees: one page with one button, and the way in for what it photographs.

Laws: the token stands behind the `#` of the address, which no browser sends and nothing logs; it comes as a bearer
header. Nothing of an application can be read here. A body is received like any scan: checked first, in memory only.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from edge_node import faults
from edge_node.access import CounterHere, Token
from edge_node.acts import intake, phoning
from edge_node.counter.counter import Counter
from edge_node.language import ENGLISH, ByHeader, speaking
from edge_node.routes.counter_scans import ROUTE_MAX_BYTES, received
from edge_node.routes.page_headers import PageHeaders
from edge_node.routes.page_index import STATIC
from edge_node.routes.page_words import environment
from edge_node.wording import LANGUAGE

PAGES: Final = {"/": LANGUAGE, f"/{ENGLISH}": ENGLISH}
"""One for each language: the screen knows which is spoken here, a phone only its maker's."""
CODES: Final = ("sending", "taken", "failed", "unreachable")


def phone_app(counter: Counter, receiving: object) -> FastAPI:
    """The application behind the phone's door; `receiving` is the counter's own limit of scans at once."""
    app = FastAPI(
        title="phone", docs_url=None, redoc_url=None, openapi_url=None, telemetry={"auto_configure": False},
        redirect_slashes=False, max_body_size=ROUTE_MAX_BYTES,
    )  # fmt: skip
    app.state.counter, app.state.receiving = counter, receiving
    faults.install(app)
    for path, language in PAGES.items():
        app.add_api_route(path, partial(page, language), methods=["GET"])
    app.add_api_route("/asked", asked, methods=["GET"])
    app.add_api_route("/pages", take_in, methods=["POST"])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(faults.LastResort)
    app.add_middleware(PageHeaders)
    app.add_middleware(ByHeader)
    return app


def page(language: str) -> Response:
    """The one page; what it is for is asked with the token."""
    with speaking(language):
        return HTMLResponse(environment().get_template("phone.html").render(codes=CODES))


def asked(counter: CounterHere, token: Token) -> Response:
    """Which material, and how many pages of it are there."""
    told = phoning.asked(counter, token)
    return JSONResponse({"material": told.material, "pages": told.pages}, headers=faults.NO_STORE)


async def take_in(request: Request, counter: CounterHere, token: Token) -> Response:
    """Take in one page."""
    await run_in_threadpool(phoning.asked, counter, token)
    await run_in_threadpool(intake.check_room, counter)
    async with request.app.state.receiving:
        data = await received(request)
        number = await run_in_threadpool(phoning.take_in, counter, token, data)
    return JSONResponse({"page": number}, 201, faults.NO_STORE)
