"""What every page of the office has in common: who is signed in, the frame of a page, the fields of a form.

Laws: pages work without script; every form carries the session's secret; nothing is cached, framed or loaded from
elsewhere. A page is for one duty: papers for a department's clerk, the console for an administrator.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from city_gateway.access import gateway_of, limited
from city_gateway.acts import office
from city_gateway.acts.office import SignedIn
from city_gateway.errors import OfficeFormRefused, OfficeNotForYou
from city_gateway.faults import OFFICE_HEADERS as HEADERS
from city_gateway.wording import say

COOKIE = "office"
FORM_BYTES = 16 * 1024


async def signed_in(request: Request) -> SignedIn:
    """The person of this session; for every page but the sign-in."""
    return await run_in_threadpool(office.session, gateway_of(request), request.cookies.get(COOKIE))


SomebodySignedIn = Annotated[SignedIn, Depends(signed_in)]


async def department_clerk(somebody: SomebodySignedIn) -> SignedIn:
    """A department's clerk, or OfficeNotForYou."""
    if somebody.administers:
        raise OfficeNotForYou
    return somebody


async def administrator(somebody: SomebodySignedIn) -> SignedIn:
    """An administrator, or OfficeNotForYou."""
    if not somebody.administers:
        raise OfficeNotForYou
    return somebody


Clerk = Annotated[SignedIn, Depends(department_clerk)]
Administrator = Annotated[SignedIn, Depends(administrator)]


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, or OfficeFormRefused."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise OfficeFormRefused(field="content-type")
    body = b"".join([piece async for piece in limited(request, FORM_BYTES)])
    if b"\0" in body or b"%00" in body:
        raise OfficeFormRefused(field="form")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=50))
    except ValueError:
        raise OfficeFormRefused(field="form") from None


def page_of(request: Request, template: str, somebody: SignedIn | None, **values: object) -> HTMLResponse:
    """A page in the frame of the office."""
    templates: Environment = request.app.state.templates
    page = templates.get_template(template).render(
        clerk=somebody.clerk if somebody else None,
        administers=somebody.administers if somebody else False,
        form_secret=somebody.form_secret if somebody else "",
        shown=template.removesuffix(".html"),
        title=say(f"{template.removesuffix('.html')}.title"),
        **values,
    )
    return HTMLResponse(page, headers=HEADERS)
