"""Begin, return, accept, decline and the others: fill in, check, do.

Laws
- `step` says which of the three; only `do` acts. What was sent is judged anew at every step.
- A return names what the guide names; anything else is refused here, and again by the act.
- After an act the browser is sent on with 303: reloading repeats nothing. An act pressed twice is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from casework.errors import AddedRequirement, IllegalEvent, VagueReturn
from edge_node.access import CounterHere
from edge_node.acts import reviewing
from edge_node.acts.counter import Counter
from edge_node.acts.sessions import AtCounter
from edge_node.routes import page_acts, page_return_points
from edge_node.routes.page_acts import ACTS, WORDS_MAX, ActField, PageAct, Pick
from edge_node.routes.page_body import Posted
from edge_node.routes.page_open import ApplicationId, Opened, open_file
from edge_node.routes.page_refusals import SEE_OTHER
from edge_node.routes.page_return_points import Point
from edge_node.routes.page_session import Acting, Form, Looking, Visitor
from edge_node.routes.page_words import page
from edge_node.wording import sentence
from wire.counter import Accept, AcceptProvisionally, Decline, Forward, NotRequired, ReturnOnce
from wire.fields import Asked

router = APIRouter(prefix="/review/{application_id}")

DO: Final = "do"
EDIT: Final = "edit"
REFUSED: Final = 422

BEGIN: Final = PageAct("begin", "begin", "begun", (), lambda _fields: Asked(), main=True)
RETURN: Final = PageAct("return", "return", "returned", (), lambda _fields: Asked(), grave=True)

Problems = Sequence[Mapping[str, str]]


@router.post("/begin")
def begin(counter: CounterHere, visitor: Acting, application_id: ApplicationId) -> Response:
    """Begin the pre-review."""
    return _done(application_id, BEGIN, lambda: reviewing.begin(counter, visitor.who, application_id))


@router.get("/return")
def show_return(counter: CounterHere, visitor: Looking, application_id: ApplicationId) -> Response:
    """The return form, empty."""
    opened = open_file(counter, visitor, application_id)
    if not _still_open(opened, RETURN):
        return _gone_on(application_id)
    return _return_page(visitor, opened, _points(counter, visitor, opened))


@router.post("/return")
def return_once(counter: CounterHere, visitor: Acting, form: Form, application_id: ApplicationId) -> Response:
    """Return once, with everything: check it, or do it."""
    opened = open_file(counter, visitor, application_id)
    if not _still_open(opened, RETURN):
        return _gone_on(application_id)
    points = page_return_points.filled(_points(counter, visitor, opened), form)
    if form.text("step") == EDIT:
        return _return_page(visitor, opened, points)
    points = page_return_points.judged(points)
    wrong = page_return_points.problems(points, form)
    if wrong:
        return _return_page(visitor, opened, points, wrong)
    if form.text("step") != DO:
        ticked = [point for point in points if point.ticked]
        return _check_page(visitor, opened, RETURN, form=form, points=ticked)
    asked = ReturnOnce(points=page_return_points.asked(points))
    try:
        return _done(
            application_id,
            RETURN,
            lambda: reviewing.return_once(counter, visitor.who, application_id, asked.points),
        )
    except (AddedRequirement, VagueReturn) as refused:
        words = sentence("page.return.wrong.added", {"what": refused.params["ref"]})
        return _return_page(visitor, opened, points, [{"field": "", "message": words}])


@router.get("/{path}")
def show_act(counter: CounterHere, visitor: Looking, application_id: ApplicationId, path: str) -> Response:
    """The form of an act, empty; an act without a form is checked at once."""
    act = _act(path)
    opened = open_file(counter, visitor, application_id)
    if not _still_open(opened, act):
        return _gone_on(application_id)
    if not act.has_fields:
        return _check_page(visitor, opened, act)
    return _act_page(visitor, opened, act, page_acts.empty(act, _picks(opened)))


@router.post("/{path}")
def do_act(counter: CounterHere, visitor: Acting, form: Form, application_id: ApplicationId, path: str) -> Response:
    """Check an act, or do it."""
    act = _act(path)
    opened = open_file(counter, visitor, application_id)
    if not _still_open(opened, act):
        return _gone_on(application_id)
    fields = page_acts.filled(act, form, _picks(opened))
    if form.text("step") == EDIT:
        return _act_page(visitor, opened, act, fields)
    fields = page_acts.judged(fields, form, opened.today)
    if page_acts.problems(fields):
        return _act_page(visitor, opened, act, fields)
    if form.text("step") != DO:
        return _check_page(visitor, opened, act, form=form, fields=fields)
    asked = act.ask({one.name: one for one in fields})
    return _done(application_id, act, lambda: _do(counter, visitor.who, application_id, asked))


def _do(counter: Counter, who: AtCounter, application_id: str, asked: Asked) -> object:
    match asked:
        case Accept():
            return reviewing.accept(counter, who, application_id, asked.limit_due)
        case AcceptProvisionally():
            return reviewing.accept_provisionally(
                counter, who, application_id, asked.deferred, asked.due, asked.promise
            )
        case Decline():
            return reviewing.decline(counter, who, application_id, asked.reason, asked.basis, asked.remedy)
        case NotRequired():
            return reviewing.not_required(counter, who, application_id, asked.reason)
        case Forward():
            return reviewing.forward(counter, who, application_id, asked.to, asked.reason)
        case _:
            raise TypeError(type(asked).__name__)


def _still_open(opened: Opened, act: PageAct) -> bool:
    """Whether the act may still be done; a colleague may have been faster."""
    return any(link.path == act.path for link in opened.view.acts)


def _gone_on(application_id: str) -> Response:
    return RedirectResponse(f"/review/{application_id}?done=already", SEE_OTHER)


def _done(application_id: str, act: PageAct, do: Callable[[], object]) -> Response:
    """Do it and send the browser on; an act that the state no longer allows was done already, or by somebody else."""
    try:
        do()
    except IllegalEvent:
        return _gone_on(application_id)
    return RedirectResponse(f"/review/{application_id}?done={act.done}", SEE_OTHER)


def _act(path: str) -> PageAct:
    act = ACTS.get(path)
    if act is None:
        raise HTTPException(404)
    return act


def _picks(opened: Opened) -> tuple[Pick, ...]:
    return tuple(Pick(one.material_id, one.name) for one in opened.laid.item.materials if one.deferrable is True)


def _points(counter: Counter, visitor: Visitor, opened: Opened) -> tuple[Point, ...]:
    guide = reviewing.guide(counter, visitor.who, opened.view.application_id)
    filled = {row.field_id: row.text for section in opened.view.sections for row in section.rows}
    return page_return_points.points_of(guide.points, filled)


def _return_page(visitor: Visitor, opened: Opened, points: Sequence[Point], wrong: Problems = ()) -> Response:
    return page(
        "return_form.html",
        REFUSED if wrong else 200,
        bar=opened.frame,
        visitor=visitor,
        view=opened.view,
        groups=page_return_points.groups(points, opened.laid.form),
        wrong=wrong,
        words_max=WORDS_MAX,
    )


def _act_page(visitor: Visitor, opened: Opened, act: PageAct, fields: Sequence[ActField]) -> Response:
    wrong = page_acts.problems(fields)
    return page(
        "act_form.html",
        REFUSED if wrong else 200,
        bar=opened.frame,
        visitor=visitor,
        view=opened.view,
        act=act,
        fields=fields,
        wrong=wrong,
        words_max=WORDS_MAX,
    )


def _check_page(
    visitor: Visitor,
    opened: Opened,
    act: PageAct,
    *,
    form: Posted | None = None,
    fields: Sequence[ActField] = (),
    points: Sequence[Point] = (),
) -> Response:
    return page(
        "act_check.html",
        bar=opened.frame,
        visitor=visitor,
        view=opened.view,
        act=act,
        summary=page_acts.summary(fields),
        points=points,
        kept=form.typed() if form is not None else (),
    )
