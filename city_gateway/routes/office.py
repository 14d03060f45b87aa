"""/office/: the back office, where a department's clerk rules.

Laws: an applicant's papers are shown only on the page of the application, masked in lists, and only after an entry in
the city's audit chain says to whom. A clerk sees what lies in the own region, as may be ruled on; anything else is,
for that clerk, not there. An administrator sees no papers.
"""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from casework.application import Application
from casework.events import Event
from casework.identifiers import region_covers
from casework.states import State
from city_gateway.access import gateway_of
from city_gateway.acts import office, office_audit, scan_shelf
from city_gateway.acts.catalog_words import words_of
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office import SignedIn
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.acts.reading_scans import plain_scan
from city_gateway.acts.rule import department, rule
from city_gateway.acts.ruling_forms import events_from_form, rulings_now
from city_gateway.errors import ApplicationUnknown, OfficeFormRefused, OfficeSignInRefused, ScanUnknown
from city_gateway.faults import OFFICE_HEADERS as HEADERS
from city_gateway.ledger import cases
from city_gateway.routes.office_frame import COOKIE, Clerk, SomebodySignedIn, page_of, read_form
from city_gateway.wording import say

PAGE = 20
CLERK_ID_MOST = 64
SHOWN = frozenset({"image/webp", "image/jpeg", "image/png", "application/pdf"})
SCAN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
OPEN = (
    State.ACCEPTED,
    State.PROVISIONALLY_ACCEPTED,
    State.UNDER_REVIEW,
    State.SUSPENDED,
    State.EXTENDED,
    State.DECIDED,
)
STATES = {"open": OPEN, "concluded": (State.CONCLUDED, State.DELIVERED, State.RATED), "all": ()}

router = APIRouter(prefix="/office")


@router.get("")
def without_slash() -> Response:
    """The address as people type it."""
    return RedirectResponse("/office/", 303, HEADERS)


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Where a clerk says who he is."""
    return page_of(request, "sign_in.html", None, sentence=None, clerk_id="")


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begin a session."""
    values = await read_form(request)
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise OfficeFormRefused(field="origin")
    clerk_id = values.get("clerk_id", "").strip()[:CLERK_ID_MOST]
    try:
        token = await run_in_threadpool(office.sign_in, gateway_of(request), clerk_id, values.get("passphrase", ""))
    except OfficeSignInRefused as refused:
        page = page_of(request, "sign_in.html", None, sentence=say(f"error.{refused.code}"), clerk_id=clerk_id)
        page.status_code = refused.status
        return page
    answer = RedirectResponse("/office/", 303, HEADERS)
    answer.set_cookie(
        COOKIE,
        token,
        path="/office",
        httponly=True,
        samesite="strict",
        secure=gateway_of(request).public_url.startswith("https:"),
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, somebody: SomebodySignedIn) -> Response:
    """End the session."""
    office.check_form(somebody, (await read_form(request)).get("form_secret", ""))
    await run_in_threadpool(office.sign_out, gateway_of(request), somebody, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/office/sign-in", 303, HEADERS)
    answer.delete_cookie(COOKIE, path="/office")
    return answer


@router.get("/")
def applications(
    request: Request, clerk: SomebodySignedIn, which: str = "open", text: str = "", page: int = 1
) -> Response:
    """What waits for the department, oldest first; an administrator's first page is the fleet."""
    if clerk.administers:
        return RedirectResponse("/office/nodes", 303, HEADERS)
    chosen = which if which in STATES else "open"
    page = max(1, min(page, 10_000))
    with gateway_of(request).ledger.reading() as tx:
        found, total = cases.page(
            tx,
            states=STATES[chosen],
            text=text.replace("\0", "").strip()[:64],
            region=clerk.clerk.region,
            offset=(page - 1) * PAGE,
            limit=PAGE,
        )
    pages = max(1, -(-total // PAGE))
    return page_of(
        request,
        "applications.html",
        clerk,
        cases=found,
        words=words_of(gateway_of(request).folder.root),
        total=total,
        which=chosen,
        choices=list(STATES),
        text=text,
        page=page,
        pages=pages,
    )


@router.get("/applications/{application_id}")
def application(request: Request, clerk: Clerk, application_id: str) -> Response:
    """One application, and the rulings that are possible now."""
    gateway = gateway_of(request)
    one = _own(gateway, clerk, application_id)
    office_audit.noted(gateway, clerk.clerk, OfficeAct.OPENED, application_id)
    return page_of(
        request,
        "application.html",
        clerk,
        one=one,
        here=set(scan_shelf.stored(gateway, [scan.scan_hash for scan in one.scans])),
        words=words_of(gateway.folder.root, one.form_id),
        rulings=rulings_now(one),
    )


@router.get("/applications/{application_id}/scans/{scan_hash}")
def scan(request: Request, clerk: Clerk, application_id: str, scan_hash: str) -> Response:
    """One page of the papers, as nothing but a picture or a PDF."""
    gateway = gateway_of(request)
    known = next((one for one in _own(gateway, clerk, application_id).scans if one.scan_hash == scan_hash), None)
    if known is None:
        raise ScanUnknown
    shown = known.media_type in SHOWN
    headers = HEADERS | {
        "content-security-policy": SCAN_POLICY,
        "content-disposition": f'{"inline" if shown else "attachment"}; filename="scan"',
    }
    plain = plain_scan(gateway, application_id, scan_hash)
    office_audit.noted(gateway, clerk.clerk, OfficeAct.SCAN_OPENED, application_id, scan_hash)
    return Response(plain, 200, headers, media_type=known.media_type if shown else "application/octet-stream")


@router.post("/applications/{application_id}/rulings/{code}")
async def make_ruling(request: Request, clerk: Clerk, application_id: str, code: str) -> Response:
    """Rule."""
    values = await read_form(request)
    office.check_form(clerk, values.get("form_secret", ""))
    gateway = gateway_of(request)
    await run_in_threadpool(_own, gateway, clerk, application_id)
    by = department(clerk.clerk.clerk_id, clerk.clerk.region, gateway)

    def witness(tx: Connection, done: str) -> None:
        office_audit.note(gateway, tx, clerk.clerk, OfficeAct.RULED, application_id, done)

    def ruling(_now: Application, at: datetime) -> list[Event]:
        return events_from_form(code, values, by, at)

    await run_in_threadpool(rule, gateway, application_id, ruling, witness)
    return RedirectResponse(f"/office/applications/{application_id}", 303, HEADERS)


def _own(gateway: Gateway, clerk: SignedIn, application_id: str) -> Application:
    """An application of the clerk's own region, or ApplicationUnknown."""
    with gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
    if case is None or not region_covers(clerk.clerk.region, case.application.site):
        raise ApplicationUnknown
    return case.application
