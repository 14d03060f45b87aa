"""Each failure has one class, one stable code, one sentence; the page that lists them is the code's own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.errors_page import failures, page

pytestmark = pytest.mark.fast

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def test_no_code_stands_for_two_failures_of_one_room() -> None:
    twice = [key for key, times in Counter((f.room, f.code) for f in failures()).items() if times > 1]
    assert twice == []


def test_every_failure_says_in_a_sentence_what_it_is() -> None:
    assert [f.name for f in failures() if not f.sentence] == []


def test_the_page_of_errors_is_the_one_the_code_draws() -> None:
    assert PAGE.read_text() == page()
