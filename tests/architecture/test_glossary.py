"""Glossary is law: classes, functions and modules of the product use no synonym that `docs/glossary.md` forbids.

A few of these words mean something else in a room, too; each such sense is named here, with the rooms it is for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_tree import PROJECT, ROOMS, product_files

pytestmark = pytest.mark.fast

ANYWHERE = frozenset(ROOMS)
OTHER_SENSES = {
    "service": ("part of `ServiceItem`, the glossary's own name", frozenset({"casework"})),
    "case": ("the city's ledger calls the fold of an application a case", frozenset({"city_gateway"})),
    "request": ("a request of HTTP or of the exchange", ANYWHERE),
    "message": ("a message of the wire", frozenset({"wire"})),
    "order": ("a sequence", ANYWHERE),
    "document": ("a signed document of the wire, a document of the catalog", ANYWHERE),
    "receive": ("bytes that come in", ANYWHERE),
    "update": ("feeding a hash, as the libraries name it", frozenset({"wire"})),
    "close": ("letting go of a file or a line", ANYWHERE),
    "register": ("the register (登记簿) that stays", ANYWHERE),
    "queue": ("the township's queue of applications", frozenset({"edge_node", "provisioning"})),
    "cursor": ("how far a feed was read", frozenset({"offline_store", "wire"})),
    "snapshot": ("a copy of the ledger before a backup is whole", frozenset({"city_gateway"})),
    "dump": ("what PostgreSQL calls its own copy", frozenset({"city_gateway"})),
    "log": ("what a program writes for its operator, a write-ahead log", ANYWHERE),
}


def forbidden() -> set[str]:
    """The words of the glossary's third column."""
    lines = [line for line in (PROJECT / "docs" / "glossary.md").read_text("utf-8").splitlines() if line[:2] == "| "]
    cells = [line.split("|")[3] for line in lines[1:]]
    words = {word.strip(" `").lower() for cell in cells for word in re.split(r"[,/、]", cell)}
    return {word for word in words if word.isascii() and word.isalpha()}


def words_of(name: str) -> set[str]:
    """The words of an identifier, singular."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower() for word in found} | {word.lower().removesuffix("s") for word in found}


def named(source: str) -> Iterator[str]:
    """Every class and function that a module defines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def synonyms_in(path: Path, source: str) -> list[str]:
    room = path.relative_to(PROJECT).parts[0]
    banned = {word for word in forbidden() if room not in OTHER_SENSES.get(word, ("", frozenset()))[1]}
    return [f"{path.relative_to(PROJECT)}: {name}" for name in (path.stem, *named(source)) if words_of(name) & banned]


def test_no_name_of_the_product_is_a_forbidden_synonym() -> None:
    assert [found for path in product_files() for found in synonyms_in(path, path.read_text("utf-8"))] == []


def test_a_forbidden_synonym_is_found() -> None:
    source = "class Attachment: ...\ndef load_users(): ...\nasync def reject_it(): ...\n"
    assert len(synonyms_in(PROJECT / "wire" / "town.py", source)) == 4
    assert synonyms_in(PROJECT / "tui" / "waiting.py", "class CaseView: ...")
    assert synonyms_in(PROJECT / "tui" / "waiting.py", "def fixture_of_a_prefix(): ...") == []


def test_every_other_sense_is_still_of_a_forbidden_word() -> None:
    assert set(OTHER_SENSES) <= forbidden()
