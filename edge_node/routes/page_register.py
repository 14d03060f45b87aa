"""The register on the page: looked through, narrowed, and handed out as a workbook.

Laws
- What was searched for is posted and kept with the session; it stands in no address.
- Before anything is handed out the page says what leaves the node, how many lines, and with which names; names in full
  are asked for once more.
- The form that is sent off says itself what is handed out, so another window's search changes nothing about it.
- The journal entry is committed before the first byte goes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response, StreamingResponse

from casework.masking import mask_name
from casework.register_entry import Entry
from edge_node.access import CounterHere
from edge_node.acts import opening, registering
from edge_node.acts.registering import FULL, MASKED, PURPOSES, SHOWS, Asked
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from edge_node.printing import register_words
from edge_node.printing.figures import in_city
from edge_node.printing.sheets import MEDIA_TYPE
from edge_node.routes.page_body import Posted
from edge_node.routes.page_open import frame_of
from edge_node.routes.page_refusals import SEE_OTHER
from edge_node.routes.page_session import Acting, Form, Looking
from edge_node.routes.page_views import TONES, Row, state_words
from edge_node.routes.page_words import page
from edge_node.wording import LANGUAGE, known, sentence

router = APIRouter()

REGISTER: Final = "/register"
EXPORT: Final = "/register/export"
PAGE_ROWS: Final = 20
TEXT_MAX: Final = 60
CODE_MAX: Final = 80
OFFSET_MAX: Final = 10_000_000
DO: Final = "do"


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One line of the register on the page."""

    entry: Entry
    item_name: str
    applicant: str
    site: str
    proxy: str
    agent: str
    state_words: str
    state_tone: str
    timeliness: str
    outcome: str
    rated: str


@router.get(REGISTER)
def show_register(
    counter: CounterHere,
    visitor: Looking,
    show: str = "",
    item: str = "",
    site: str = "",
    first: str = "",
    last: str = "",
    offset: Annotated[str, Query()] = "0",
    sought: str = "",
) -> Response:
    """The register, searched for what this session sought last if the address says so."""
    text = dict(counter.sessions.typed(visitor.who, REGISTER) or ()).get("q", "") if sought else ""
    asked = _asked({"show": show, "item": item, "site": site, "first": first, "last": last, "q": text})
    start = min(int(offset), OFFSET_MAX) if offset.isascii() and offset.isdigit() and len(offset) < 12 else 0
    found = registering.page(counter, visitor.who, asked, offset=start, limit=PAGE_ROWS)
    if not found.rows and start:
        return RedirectResponse(_at(asked, 0), SEE_OTHER)
    choices, regions = registering.choices(counter, visitor.who), opening.region_names(counter)
    later = start + PAGE_ROWS
    return page(
        "register.html",
        bar=frame_of(counter),
        visitor=visitor,
        here="register",
        rows=[_row(entry, choices.items, regions) for entry in found.rows],
        asked=asked,
        narrowed=asked != Asked(),
        kept=_kept(asked),
        shows=_shows(),
        items=choices.items,
        sites={code: opening.named(regions, code) or code for code in choices.sites},
        total=found.total,
        first=start + 1,
        last=start + len(found.rows),
        earlier=_at(asked, max(0, start - PAGE_ROWS)) if start else None,
        later=_at(asked, later) if later < found.total else None,
    )


@router.post(REGISTER)
def search_register(counter: CounterHere, visitor: Acting, form: Form) -> Response:
    """Keep what is sought, and lead to the list."""
    asked = _asked_by(form)
    counter.sessions.keep_typed(visitor.who, REGISTER, (("q", asked.text),))
    return RedirectResponse(_at(asked, 0), SEE_OTHER)


@router.post(EXPORT)
def export(counter: CounterHere, visitor: Acting, form: Form) -> Response:
    """Say what would leave the node, ask once more for names in full, and hand it out."""
    asked, names, purpose = _asked_by(form), form.text("names"), form.text("purpose")
    wrong = names == FULL and purpose not in PURPOSES
    confirmed = form.text("confirmed") == purpose and bool(purpose)
    if form.text("step") == DO and not wrong and (names == MASKED or (names == FULL and confirmed)):
        return _download(counter, visitor.who, asked, names, purpose if names == FULL else "")
    chosen = form.text("step") == DO
    return page(
        "register_export.html",
        422 if chosen and wrong else 200,
        bar=frame_of(counter),
        visitor=visitor,
        here="register",
        back=_at(asked, 0),
        count=registering.count(counter, visitor.who, asked),
        narrowed=_narrowed(counter, asked, registering.choices(counter, visitor.who).items),
        kept=_kept(asked),
        purposes=PURPOSES,
        purpose=purpose,
        full=names == FULL,
        confirm=chosen and names == FULL and not wrong,
        wrong=[{"field": "purpose", "message": sentence("error.export.purpose")}] if chosen and wrong else [],
    )


@router.get(EXPORT)
def back_to_register(visitor: Looking) -> Response:  # noqa: ARG001 - whoever is not signed in is sent to the door
    """The way back after a locked page: the register."""
    return RedirectResponse(REGISTER, SEE_OTHER)


def _download(counter: Counter, who: AtCounter, asked: Asked, names: str, purpose: str) -> Response:
    from edge_node.printing.workbook import streamed  # loaded at its first use: 8 MiB

    handed_out = registering.hand_out(counter, who, asked, names=names, purpose=purpose)
    regions = opening.region_names(counter)
    said = sentence(
        f"page.register.names.{names}",
        {"purpose": sentence(f"page.register.purpose.{purpose}", language=LANGUAGE) if purpose else ""},
        language=LANGUAGE,
    )
    sheets = register_words.register_book(
        registering.entries(counter, handed_out),
        len(handed_out.rows),
        items=handed_out.item_names,
        site_name=lambda code: opening.named(regions, code),
        full=handed_out.full_names,
        provenance=register_words.Provenance(
            counter.node.site_name,
            handed_out.at,
            "；".join(f"{row.label} {row.text}" for row in _narrowed(counter, asked, handed_out.item_names, LANGUAGE)),
            said,
        ),
    )
    day = in_city(handed_out.at)
    title = sentence("page.register.title", language=LANGUAGE)
    name = f"{title}-{counter.node.site_name}-{day:%Y%m%d-%H%M}.xlsx"
    plain = f"register-{day:%Y%m%d-%H%M}.xlsx"
    body: Iterator[bytes] = streamed(sheets, author=counter.node.site_name, at=handed_out.at)
    return StreamingResponse(
        body,
        media_type=MEDIA_TYPE,
        headers={"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"},
    )


def _asked_by(form: Posted) -> Asked:
    return _asked({name: form.text(name) for name in ("show", "item", "site", "first", "last", "q")})


def _asked(said: Mapping[str, str]) -> Asked:
    """A strange filter is taken as none."""
    return Asked(
        show=said["show"] if said["show"] in SHOWS else "all",
        item_id=said["item"][:CODE_MAX],
        site=said["site"][:CODE_MAX],
        first=_day(said["first"]),
        last=_day(said["last"]),
        text=said["q"].strip()[:TEXT_MAX],
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _fields(asked: Asked) -> dict[str, str]:
    """The filter as the fields of a form."""
    return {
        "show": "" if asked.show == "all" else asked.show,
        "item": asked.item_id,
        "site": asked.site,
        "first": asked.first.isoformat() if asked.first else "",
        "last": asked.last.isoformat() if asked.last else "",
        "q": asked.text,
    }


def _kept(asked: Asked) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in _fields(asked).items() if value)


def _at(asked: Asked, offset: int) -> str:
    """The address of a page of the same list; what was searched for is not in it."""
    said = {**_fields(asked), "q": "", "sought": "1" if asked.text else "", "offset": str(offset) if offset else ""}
    stated = {name: value for name, value in said.items() if value}
    return f"{REGISTER}?{urlencode(stated)}" if stated else REGISTER


def _shows() -> tuple[tuple[str, str], ...]:
    return tuple((show, _show_words(show)) for show in SHOWS)


def _show_words(show: str, language: str | None = None) -> str:
    group = f"page.register.show.{show}"
    return sentence(group if known(group) else f"state.{show}", language=language)


def _narrowed(counter: Counter, asked: Asked, items: Mapping[str, str], language: str | None = None) -> tuple[Row, ...]:
    """The filter in words; of a search only that there was one."""
    regions = opening.region_names(counter)
    site = (opening.named(regions, asked.site) or asked.site) if asked.site else ""
    said = {
        "show": _show_words(asked.show, language),
        "item": items.get(asked.item_id, asked.item_id),
        "site": site,
        "first": asked.first.isoformat() if asked.first else "",
        "last": asked.last.isoformat() if asked.last else "",
        "searched": sentence("page.register.searched", language=language) if asked.text else "",
    }
    return tuple(
        Row(sentence(f"page.register.by.{name}", language=language), text) for name, text in said.items() if text
    )


def _row(entry: Entry, items: Mapping[str, str], regions: Mapping[str, str]) -> RegisterRow:
    return RegisterRow(
        entry=entry,
        item_name=items.get(entry.item_id, entry.item_id),
        applicant=mask_name(entry.applicant),
        site=opening.named(regions, entry.site) or entry.site,
        proxy=register_words.proxy_words(entry),
        agent=register_words.agent_words(entry),
        state_words=state_words(entry.state.value),
        state_tone=TONES.get(entry.state.value, ""),
        timeliness=register_words.timeliness_words(entry),
        outcome=register_words.outcome_words(entry),
        rated=register_words.rated_words(entry),
    )
