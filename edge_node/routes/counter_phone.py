"""Inviting a phone to photograph pages, and ending that."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from edge_node.access import Clerk, CounterHere
from edge_node.acts import phoning
from edge_node.counter.errors import PhoneOff
from edge_node.counter.invitations import INVITED_SECONDS
from edge_node.routes.phone import PAGES
from edge_node.wording import SPEAKING
from wire.counter import PhoneView

router = APIRouter()


@router.post("/drafts/{draft_id}/phone", status_code=201)
async def invite(
    request: Request,
    counter: CounterHere,
    who: Clerk,
    draft_id: str,
    material_id: Annotated[str, Query(min_length=1, max_length=80)],
) -> PhoneView:
    """Open the phone's door and say where it is."""
    door = request.app.state.phone
    if door is None:
        raise PhoneOff
    token = await run_in_threadpool(phoning.invite, counter, who, draft_id, material_id)
    try:
        addresses = await door.open()
    except BaseException:
        counter.invitations.withdraw(who)
        raise
    page = next(path for path, language in PAGES.items() if language == SPEAKING.get())
    return PhoneView(urls=[f"{address}{page}#{token}" for address in addresses], seconds=INVITED_SECONDS)


@router.delete("/phone", status_code=204)
async def end(request: Request, counter: CounterHere, who: Clerk) -> Response:
    """Take back this clerk's invitation; the door closes behind the last one."""
    counter.invitations.withdraw(who)
    if request.app.state.phone is not None and not counter.invitations.anyone_invited():
        await request.app.state.phone.close()
    return Response(status_code=204)
