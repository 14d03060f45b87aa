"""A browser without script for the tests of the page: cookies and forms; only the steps of one form are followed."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from edge_node.counter.counter import Counter
from edge_node.routes.page_index import page_app
from tests.edge_node.town import PASSPHRASE, Town

Fields = Mapping[str, str] | Sequence[tuple[str, str]]
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser window."""

    client: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def at(cls, counter: Counter, *, base: str = "http://counter.local") -> AsyncIterator[Browser]:
        transport = httpx.ASGITransport(app=page_app(counter))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield cls(client)

    @property
    def cookies(self) -> httpx.Cookies:
        return self.client.cookies

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, fields: Fields, **headers: str) -> httpx.Response:
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        answer = await self.client.post(path, content=urlencode(pairs), headers=kind)
        following = answer.headers.get("location", "")
        return await self.get(following) if following in {path, f"{path}?step=check", f"{path}?step=mend"} else answer

    async def submit(self, page: str, path: str, fields: Fields = ()) -> httpx.Response:
        """Open `page`, then send its form to `path`."""
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        shown = await self.get(page)
        return await self.post(path, [("csrf", self.csrf_of(shown)), *pairs])

    async def sign_in(
        self, clerk: str = "clerk1", passphrase: str = PASSPHRASE, following: str = "/review"
    ) -> httpx.Response:
        return await self.submit("/sign-in", "/sign-in", {"clerk": clerk, "passphrase": passphrase, "next": following})

    async def begun(
        self, town: Town, number: int, item_id: str = "GA-LY-001", version: int = 1, **fixed: object
    ) -> str:
        """An application whose pre-review has begun."""
        it = town.application(number, item_id, version, **fixed).application_id
        answer = await self.submit(f"/review/{it}", f"/review/{it}/begin")
        assert answer.headers["location"] == f"/review/{it}?done=begun"
        return it

    @staticmethod
    def csrf_of(answer: httpx.Response) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', answer.text)
        assert found is not None, answer.text[:500]
        return found.group(1)

    @staticmethod
    def hidden(answer: httpx.Response) -> dict[str, str]:
        """The hidden fields of the form in the middle of the page."""
        main = answer.text.partition("<main")[2]
        form = main.partition("<form")[2].partition("</form>")[0]
        return {html.unescape(name): html.unescape(value) for name, value in HIDDEN.findall(form)}

    @staticmethod
    def all_hidden(answer: httpx.Response) -> list[tuple[str, str]]:
        """The same, repeated fields included."""
        main = answer.text.partition("<main")[2]
        form = main.partition("<form")[2].partition("</form>")[0]
        return [(html.unescape(name), html.unescape(value)) for name, value in HIDDEN.findall(form)]
