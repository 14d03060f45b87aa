"""Finding a service item by what a villager calls it: title, alias, or the initials of their pinyin.

Tiers, best first: the title itself, its beginning, its middle, an alias, initials, initials of an alias, initials
with others between them (`sbk` for 社会保障卡), and only when no title matched the text of the guides. An item stands
once, in its best tier.

Laws: every item whose title or alias contains the text is found, from two characters on (and by a scan for one);
words separated by blanks must all be found; initials come with the catalog and are never computed here.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Integer, case, cast, delete, func, insert
from sqlmodel import Session, col, select

from offline_store.desk.grams import PAIR, folded, grams, phrase
from offline_store.desk.pages import Page
from offline_store.desk.tables import ItemLineRow, ItemTextRow
from wire.canonical import canonical_json, read_json

EXACT, BEGINS, CONTAINS, ALIAS, INITIALS_BEGIN, INITIALS, ALIAS_INITIALS, SCATTERED, GUIDE = range(9)
_BETWEEN: Final = "\n"  # between titles, and between initials: no match runs across


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item as a line of a list."""

    item_id: str
    name: str
    domain: str
    aliases: tuple[str, ...]
    service_mode: str
    proxy_mode: str
    promised: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Domain:
    """A subject area and how many items it holds."""

    domain: str
    items: int


def search(tx: Session, text: str, limit: int = 20, *, domain: str | None = None, offset: int = 0) -> Page[ItemLine]:
    """The items that answer to `text`, best first; all of them, by title, when there is no text."""
    terms = [term for word in text.split() for term in _terms(folded(word))]
    if not terms:
        return _browse(tx, domain, offset, limit)
    found = _all_of([_titled(tx, term) for term in terms]) or _all_of([_guided(tx, term) for term in terms])
    return _ranked(tx, found, domain, offset, limit)


def domains(tx: Session) -> list[Domain]:
    """The subject areas of the active catalog."""
    rows = tx.execute(
        select(ItemLineRow.domain, func.count())
        .group_by(col(ItemLineRow.domain))
        .order_by(func.min(ItemLineRow.number))
    )
    return [Domain(domain, items) for domain, items in rows]


def rebuild(tx: Session, items: Iterable[Mapping[str, Any]]) -> None:
    """Make the index anew for the items of the version that becomes active, in the same transaction."""
    for table in (ItemLineRow, ItemTextRow):
        tx.execute(delete(table))
    connection = tx.connection()
    connection.exec_driver_sql("INSERT INTO item_words (item_words) VALUES ('delete-all')")
    words, lines, texts = [], [], []
    for number, item in enumerate(items, start=1):
        titles = [folded(str(title)) for title in (item["name"], *(item.get("aliases") or ()))]
        lines.append(_row(number, item, titles))
        texts.append({"number": number, "line": _line(item), "guide": folded("".join(_guide_texts(item)))})
        words.append((number, grams(titles[0], PAIR), _aliases_apart(titles[1:])))
    if lines:
        tx.execute(insert(ItemLineRow), lines)
        tx.execute(insert(ItemTextRow), texts)
        connection.exec_driver_sql("INSERT INTO item_words (rowid, name, aliases) VALUES (?, ?, ?)", words)


def _row(number: int, item: Mapping[str, Any], titles: list[str]) -> dict[str, Any]:
    return {
        "number": number,
        "item_id": item["item_id"],
        "name": item["name"],
        "domain": item.get("domain") or "",
        "titles": _BETWEEN.join(titles),
        "initials": folded(item.get("initials") or ""),
        "alias_initials": _BETWEEN.join(folded(text) for text in item.get("initials_of_aliases") or ()),
    }


def _line(item: Mapping[str, Any]) -> str:
    line = ItemLine(
        item_id=item["item_id"],
        name=item["name"],
        domain=item.get("domain") or "",
        aliases=tuple(item.get("aliases") or ()),
        service_mode=item.get("service_mode") or "",
        proxy_mode=(item.get("agent_policy") or {}).get("mode") or "",
        promised=(item.get("time_limits") or {}).get("promised"),
    )
    return canonical_json(asdict(line)).decode()


def _guide_texts(item: Mapping[str, Any]) -> Iterable[str]:
    yield from item.get("conditions") or ()
    yield from item.get("life_events") or ()
    yield str(item.get("official_name") or "")
    for material in item.get("materials") or ():
        yield str(material.get("name") or "")
    for entry in item.get("faq") or ():
        yield f"{entry.get('q') or ''}{entry.get('a') or ''}"


def _aliases_apart(aliases: Iterable[str]) -> str:
    """Each alias in grams, with a mark between two that no query can contain."""
    return " zz ".join(grams(alias, PAIR) for alias in aliases)


def _terms(word: str) -> list[str]:
    """A word cut where Chinese and Latin meet, since only Latin letters can be initials."""
    terms: list[str] = []
    for sign in word:
        if terms and terms[-1][-1].isascii() == sign.isascii():
            terms[-1] += sign
        else:
            terms.append(sign)
    return terms


def _all_of(found: list[dict[int, int]]) -> dict[int, int]:
    """The items that every term found, each by its worst tier."""
    if len(found) == 1:
        return found[0]
    common = set.intersection(*(set(one) for one in found))
    return {number: max(one[number] for one in found) for number in common}


def _titled(tx: Session, term: str) -> dict[int, int]:
    tiers: dict[int, int] = {}
    for number, titles in _with_titles(tx, term):
        tiers[number] = min(_tier(term, place, title) for place, title in enumerate(titles.split(_BETWEEN)))
    if term.isascii():
        for number, tier in _with_initials(tx, term):
            tiers[number] = min(tier, tiers.get(number, tier))
    return tiers


def _with_titles(tx: Session, term: str) -> Iterable[tuple[int, str]]:
    expression = phrase(term, PAIR)
    if expression is None:
        rows = tx.execute(
            select(ItemLineRow.number, ItemLineRow.titles).where(
                col(ItemLineRow.titles).contains(term, autoescape=True)
            )
        )
        return [(number, titles) for number, titles in rows]
    matching = (
        "SELECT l.number, l.titles FROM item_words w JOIN item_line l ON l.number = w.rowid WHERE item_words MATCH ?"
    )
    return [(number, titles) for number, titles in tx.connection().exec_driver_sql(matching, (expression,))]


def _tier(term: str, place: int, title: str) -> int:
    if term not in title:
        return GUIDE
    if term == title:
        return EXACT
    if place:
        return ALIAS
    return BEGINS if title.startswith(term) else CONTAINS


def _with_initials(tx: Session, term: str) -> Iterable[tuple[int, int]]:
    """Tiers by initials; a term is letters and digits only, so that nothing in a pattern has to be escaped."""
    own, of_aliases = col(ItemLineRow.initials), col(ItemLineRow.alias_initials)
    scattered = "%" + "%".join(term) + "%"
    tier_of = case(
        (own.like(f"{term}%"), INITIALS_BEGIN),
        (own.like(f"%{term}%"), INITIALS),
        (of_aliases.like(f"%{term}%"), ALIAS_INITIALS),
        (own.like(scattered), SCATTERED),
        else_=GUIDE,
    )
    matching = select(ItemLineRow.number, tier_of, of_aliases).where(own.like(scattered) | of_aliases.like(scattered))
    for number, tier, aliases in tx.execute(matching).all():
        if tier == INITIALS_BEGIN:
            yield number, tier
        elif len(term) < PAIR:
            continue
        elif tier != GUIDE:
            yield number, tier
        elif any(_in_order(term, one) for one in aliases.split(_BETWEEN)):
            yield number, SCATTERED


def _in_order(term: str, text: str) -> bool:
    rest = iter(text)
    return all(sign in rest for sign in term)


def _guided(tx: Session, term: str) -> dict[int, int]:
    if len(term) < PAIR:
        return {}
    said = col(ItemTextRow.guide).contains(term, autoescape=True)
    return dict.fromkeys(tx.exec(select(ItemTextRow.number).where(said)).all(), GUIDE)


def _ranked(tx: Session, found: Mapping[int, int], domain: str | None, offset: int, limit: int) -> Page[ItemLine]:
    """By tier, then the shorter title, then the item id. What was found goes down as one value: a list of thousands of
    parameters takes longer to write than to answer."""
    tiers = func.json_each(json.dumps(found)).table_valued("key", "value")
    number = col(ItemLineRow.number)
    matching = select(number).join(tiers, number == cast(tiers.c.key, Integer))
    total = len(found)
    if domain is not None:
        matching = matching.where(ItemLineRow.domain == domain)
        total = tx.execute(select(func.count()).select_from(matching.subquery())).scalar_one()
    best = matching.order_by(tiers.c.value, func.length(ItemLineRow.name), col(ItemLineRow.item_id))
    return Page(_lines(tx, list(tx.exec(best.limit(limit).offset(offset)).all())), total, offset)


def _lines(tx: Session, numbers: list[int]) -> tuple[ItemLine, ...]:
    kept = select(ItemTextRow.number, ItemTextRow.line).where(col(ItemTextRow.number).in_(numbers))
    lines = dict(tx.exec(kept).all())
    return tuple(_read(lines[number]) for number in numbers)


def _browse(tx: Session, domain: str | None, offset: int, limit: int) -> Page[ItemLine]:
    within = [] if domain is None else [col(ItemLineRow.domain) == domain]
    total = tx.execute(select(func.count()).select_from(ItemLineRow).where(*within)).scalar_one()
    wanted = select(ItemLineRow.number).where(*within).order_by(col(ItemLineRow.number)).offset(offset).limit(limit)
    return Page(_lines(tx, list(tx.exec(wanted).all())), total, offset)


def _read(line: str) -> ItemLine:
    plain = read_json(line.encode(), "item_line")
    return ItemLine(**{**plain, "aliases": tuple(plain["aliases"])})
