"""What needs no disk: grams, error codes, and which half of the store pulls in the database."""

import subprocess
import sys

import pytest
from hypothesis import given

from offline_store import errors
from offline_store.desk.grams import PAIR, TRIPLE, folded, grams, phrase
from offline_store.errors import StoreError
from tests.offline_store.drawn_applications import words

pytestmark = pytest.mark.fast


def classes(root: type[StoreError]) -> list[type[StoreError]]:
    return [root, *(below for child in root.__subclasses__() for below in classes(child))]


def test_every_failure_has_a_code_of_its_own_and_stands_in_the_tree() -> None:
    codes = [one.code for one in classes(StoreError)]
    assert len(codes) == len(set(codes))
    drawn = set((errors.__doc__ or "").split())
    assert [one.__name__ for one in classes(StoreError) if one.__name__ not in drawn] == []


@given(words, words, words)
def test_a_phrase_occurs_exactly_where_its_text_occurs(before: str, text: str, after: str) -> None:
    text, whole = folded(text), folded(before) + folded(text) + folded(after)
    for size in (PAIR, TRIPLE):
        wanted = phrase(text, size)
        if len(text) >= size:
            assert wanted is not None
            assert f" {wanted[1:-1]} " in f" {grams(whole, size)} "
            assert (f" {wanted[1:-1]} " in f" {grams(folded(after), size)} ") == (text in folded(after))
        else:
            assert wanted is None


@given(words)
def test_folding_twice_changes_nothing_more_and_leaves_nothing_to_escape(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert not set(once) & set("%_'\"*^:-\n\\ ")


def test_the_half_that_the_courier_uses_never_loads_the_database() -> None:
    program = (
        "import sys; import offline_store.mailbox.outgoing, offline_store.mailbox.incoming, offline_store.vault.scans\n"
        "import offline_store.paths, offline_store.node_file\n"
        "database = {'sqlalchemy', 'sqlmodel', 'sqlcipher3', 'alembic'}\n"
        "print([name for name in sys.modules if name.split('.')[0] in database or 'offline_store.desk' in name])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
