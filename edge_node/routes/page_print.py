"""The papers of one application, ready for A4."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from edge_node.access import CounterHere
from edge_node.language import speaking
from edge_node.printing.papers import PAPERS
from edge_node.routes.page_open import ApplicationId, open_file
from edge_node.routes.page_session import Looking
from edge_node.routes.page_words import page
from edge_node.wording import LANGUAGE

router = APIRouter(prefix="/review/{application_id}/print")


@router.get("/{name}")
def show_paper(counter: CounterHere, visitor: Looking, application_id: ApplicationId, name: str) -> Response:
    """One paper, if this application can have it by now."""
    with speaking(LANGUAGE):  # a paper is the citizen's
        opened = open_file(counter, visitor, application_id)
        if name not in opened.view.prints:
            raise HTTPException(404)
        return page(f"print/{name}.html", doc=PAPERS[name](opened.paper_source()), back=f"/review/{application_id}")
