"""A township with its page, as the tests of the page find it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.edge_node.page_browser import Browser
from tests.edge_node.town import Town, new_town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return new_town(tmp_path)


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[Browser]:
    """A browser in which the clerk is signed in."""
    async with Browser.at(town.counter) as opened:
        await opened.sign_in()
        yield opened
