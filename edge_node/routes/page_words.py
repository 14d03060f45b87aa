"""How the page is written: one Jinja environment that escapes everything.

Laws
- Every value is escaped; the only markup handed in from Python is the square code of a receipt number, drawn by us.
- A name that a template misspells is an error, not an empty place.
- Every word comes from the wording file; a template holds keys.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from edge_node.wording import SPEAKING, known, sentence

HTML_NAMES: Final = {"zh_CN": "zh-CN", "en": "en"}
TEMPLATES: Final = Path(__file__).parent.parent / "templates"


@cache
def environment() -> Environment:
    """The one environment of the page."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["say"] = sentence
    made.globals["spoken"] = lambda: HTML_NAMES[SPEAKING.get()]
    return made


def page(template: str, status: int = 200, /, **values: object) -> HTMLResponse:
    """One page; `bar`, `visitor`, `here`, `done` and `locked` may be left out."""
    framed = {"bar": None, "visitor": None, "here": "", "done": "", "locked": False, **values}
    return HTMLResponse(environment().get_template(template).render(framed), status)


def first_known(*keys: str) -> str:
    """The sentence of the first key that has one."""
    return sentence(next((key for key in keys if known(key)), keys[-1]))
