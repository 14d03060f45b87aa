"""A page that names a test as proof names one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")
PAGES = sorted(path for path in ROOT.joinpath("docs").rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    absent = []
    for file, test in NAMED.findall(page.read_text("utf-8")):
        path = ROOT / file
        if not path.exists() or (
            test and not re.search(rf"^(async )?def {test}\(", path.read_text("utf-8"), re.MULTILINE)
        ):
            absent.append(f"{file}::{test}" if test else file)
    assert absent == []


def test_a_page_that_names_nothing_real_is_found_out() -> None:
    found = NAMED.findall("as `tests/nowhere.py::test_nothing` and `tests/wire/` show")
    assert found == [("tests/nowhere.py", "test_nothing"), ("tests/wire/", "")]
    assert not (ROOT / found[0][0]).exists()
