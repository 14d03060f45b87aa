"""Begin, return, accept, decline and the others: fill in, check, do.

Laws
- `step` says which of the three; only `do` acts. What was sent is judged anew at every step.
- Every POST is answered with 303: what was typed stays with the session, and each step is a page of its own that the
  browser can go back to and reload. Nothing typed is lost on the way.
- A return names what the guide names; anything else is refused here, and again by the act.
- Reloading repeats nothing, and an act pressed twice is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from casework.errors import IllegalEvent
from edge_node.access import CounterHere
from edge_node.acts import reviewing
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.routes import page_acts, page_return_points
from edge_node.routes.page_acts import ACTS, WORDS_MAX, ActField, PageAct, Pick
from edge_node.routes.page_body import Posted
from edge_node.routes.page_open import ApplicationId, Opened, open_file
from edge_node.routes.page_refusals import SEE_OTHER
from edge_node.routes.page_return_points import Point
from edge_node.routes.page_session import Acting, Form, Looking, Visitor
from edge_node.routes.page_words import page
from wire.counter import Accept, AcceptProvisionally, Decline, Forward, NotRequired, ReturnOnce
from wire.fields import Asked

router = APIRouter(prefix="/review/{application_id}")

DO: Final = "do"
EDIT: Final = "edit"
CHECK: Final = "check"
MEND: Final = "mend"
"""The form again, with what is wrong; an address of its own, so that going back from the check leads to a form."""
REFUSED: Final = 422

BEGIN: Final = PageAct("begin", "begin", "begun", (), lambda _fields: Asked(), main=True)
RETURN: Final = PageAct("return", "return", "returned", (), lambda _fields: Asked(), grave=True)

Problems = Sequence[Mapping[str, str]]


@router.post("/begin")
def begin(counter: CounterHere, visitor: Acting, application_id: ApplicationId) -> Response:
    """Begin the pre-review."""
    return _done(counter, visitor, application_id, BEGIN, lambda: reviewing.begin(counter, visitor.who, application_id))


@router.get("/{path}")
def show_act(
    counter: CounterHere, visitor: Looking, application_id: ApplicationId, path: str, step: str = ""
) -> Response:
    """The form of an act with what was typed so far, or the page that shows it before it is done."""
    act = _act(path)
    opened = open_file(counter, visitor, application_id)
    if not _still_open(opened, act):
        return _gone_on(counter, visitor, application_id, act)
    typed = counter.sessions.typed(visitor.who, _where(application_id, act))
    form = Posted(typed or ())
    if act is RETURN:
        return _show_return(counter, visitor, opened, form, kept=typed is not None, step=step)
    picks = _picks(opened)
    if not act.has_fields:
        return _check_page(visitor, opened, act)
    fields = page_acts.filled(act, form, picks) if typed is not None else page_acts.empty(act, picks)
    judged = page_acts.judged(fields, form, opened.today)
    if typed is None or step not in {CHECK, MEND}:
        return _act_page(visitor, opened, act, fields, kept=typed is not None)
    if step == MEND or page_acts.problems(judged):
        return _act_page(visitor, opened, act, judged)
    return _check_page(visitor, opened, act, form=form, fields=fields)


@router.post("/{path}")
def do_act(counter: CounterHere, visitor: Acting, form: Form, application_id: ApplicationId, path: str) -> Response:
    """Keep what was typed and go on to the next step, or do the act."""
    act = _act(path)
    opened = open_file(counter, visitor, application_id)
    if not _still_open(opened, act):
        return _gone_on(counter, visitor, application_id, act)
    counter.sessions.keep_typed(visitor.who, _where(application_id, act), form.typed())
    step = form.text("step")
    if step == EDIT:
        return RedirectResponse(_where(application_id, act), SEE_OTHER)
    do = _ready(counter, visitor, opened, act, form)
    if do is None or step != DO:
        following = MEND if do is None else CHECK
        return RedirectResponse(f"{_where(application_id, act)}?step={following}", SEE_OTHER)
    return _done(counter, visitor, application_id, act, do)


def _ready(
    counter: Counter, visitor: Visitor, opened: Opened, act: PageAct, form: Posted
) -> Callable[[], object] | None:
    """What to do, when nothing is wrong with what was sent."""
    application_id = opened.view.application_id
    if act is RETURN:
        points = page_return_points.judged(page_return_points.filled(_points(counter, visitor, opened), form))
        if page_return_points.problems(points, form, again=bool(opened.view.rounds)):
            return None
        asked_points = ReturnOnce(points=page_return_points.asked(points)).points
        return lambda: reviewing.return_once(counter, visitor.who, application_id, asked_points)
    fields = page_acts.judged(page_acts.filled(act, form, _picks(opened)), form, opened.today)
    if page_acts.problems(fields):
        return None
    asked = act.ask({one.name: one for one in fields})
    return lambda: _do(counter, visitor.who, application_id, asked)


def _show_return(
    counter: Counter, visitor: Visitor, opened: Opened, form: Posted, *, kept: bool, step: str
) -> Response:
    points = page_return_points.filled(_points(counter, visitor, opened), form)
    if not kept or step not in {CHECK, MEND}:
        return _return_page(visitor, opened, points, kept=kept)
    points = page_return_points.judged(points)
    wrong = page_return_points.problems(points, form, again=bool(opened.view.rounds))
    if wrong or step == MEND:
        return _return_page(visitor, opened, points, wrong)
    return _check_page(visitor, opened, RETURN, form=form, points=[point for point in points if point.ticked])


def _do(counter: Counter, who: AtCounter, application_id: str, asked: Asked) -> object:
    match asked:
        case Accept():
            return reviewing.accept(counter, who, application_id, asked.limit_due)
        case AcceptProvisionally():
            return reviewing.accept_provisionally(
                counter, who, application_id, asked.deferred, asked.due, asked.promise
            )
        case Decline():
            return reviewing.decline(
                counter, who, application_id, asked.reason, asked.basis, asked.remedy, asked.elsewhere
            )
        case NotRequired():
            return reviewing.not_required(counter, who, application_id, asked.reason)
        case Forward():
            return reviewing.forward(counter, who, application_id, asked.to, asked.reason)
        case _:
            raise TypeError(type(asked).__name__)


def _still_open(opened: Opened, act: PageAct) -> bool:
    """Whether the act may still be done; a colleague may have been faster."""
    return any(link.path == act.path for link in opened.view.acts)


def _where(application_id: str, act: PageAct) -> str:
    """The address of an act, which is also the name of its form."""
    return f"/review/{application_id}/{act.path}"


def _gone_on(counter: Counter, visitor: Visitor, application_id: str, act: PageAct) -> Response:
    counter.sessions.drop_typed(visitor.who, _where(application_id, act))
    return RedirectResponse(f"/review/{application_id}?done=already", SEE_OTHER)


def _done(counter: Counter, visitor: Visitor, application_id: str, act: PageAct, do: Callable[[], object]) -> Response:
    """Do it and send the browser on; an act that the state no longer allows was done already, or by somebody else."""
    try:
        do()
    except IllegalEvent:
        return _gone_on(counter, visitor, application_id, act)
    counter.sessions.drop_typed(visitor.who, _where(application_id, act))
    return RedirectResponse(f"/review/{application_id}?done={act.done}", SEE_OTHER)


def _act(path: str) -> PageAct:
    act = RETURN if path == RETURN.path else ACTS.get(path)
    if act is None:
        raise HTTPException(404)
    return act


def _picks(opened: Opened) -> tuple[Pick, ...]:
    return tuple(Pick(one.material_id, one.name) for one in opened.laid.item.deferrable_materials)


def _points(counter: Counter, visitor: Visitor, opened: Opened) -> tuple[Point, ...]:
    guide = reviewing.guide(counter, visitor.who, opened.view.application_id)
    filled = {row.field_id: row.text for section in opened.view.sections for row in section.rows}
    return page_return_points.points_of(guide.points, filled)


def _return_page(
    visitor: Visitor, opened: Opened, points: Sequence[Point], wrong: Problems = (), *, kept: bool = False
) -> Response:
    return page(
        "return_form.html",
        REFUSED if wrong else 200,
        bar=opened.frame,
        visitor=visitor,
        view=opened.view,
        groups=page_return_points.groups(points, opened.laid.form),
        wrong=wrong,
        kept=kept,
        words_max=WORDS_MAX,
    )


def _act_page(
    visitor: Visitor, opened: Opened, act: PageAct, fields: Sequence[ActField], *, kept: bool = False
) -> Response:
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
        kept=kept,
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
