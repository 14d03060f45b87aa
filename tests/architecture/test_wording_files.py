"""Every sentence has one wording in each language: no key twice in a file, no key in one language only."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.test_tree import PROJECT

pytestmark = pytest.mark.fast

FILES = sorted(PROJECT.glob("*/locale/zh_CN/LC_MESSAGES/*.po"))


def keys(text: str) -> Counter[str]:
    """How often each key is given words."""
    return Counter(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))


def twice(text: str) -> list[str]:
    return [key for key, times in keys(text).items() if times > 1]


def test_there_are_files_of_every_room_that_speaks() -> None:
    assert [path.stem for path in FILES] == ["city_gateway", "edge_node", "provisioning", "sync_agent", "tui"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_key_has_two_wordings(path: Path) -> None:
    english = Path(str(path).replace("zh_CN", "en"))
    assert (twice(path.read_text("utf-8")), twice(english.read_text("utf-8"))) == ([], [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_languages_have_words_for_the_same_keys(path: Path) -> None:
    english = Path(str(path).replace("zh_CN", "en"))
    assert keys(path.read_text("utf-8")).keys() == keys(english.read_text("utf-8")).keys()


def test_the_rule_bites() -> None:
    assert twice('msgid "a"\nmsgstr "x"\n\nmsgid "a"\nmsgstr "y"\n') == ["a"]
