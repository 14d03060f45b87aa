"""Hands at a counter, for demo and practice: the same HTTP over the same Unix socket that the screen uses, no more."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel

from wire.counter import (
    ApplicationBrief,
    ApplicationDetail,
    DraftView,
    ItemGuide,
    Page,
    ReviewGuide,
    ScanView,
    SignedIn,
    Slip,
    StatusBar,
    Summary,
)

ANSWER_S = 60.0
PAGE_ROWS = 100

Model = TypeVar("Model", bound=BaseModel)


class CounterRefused(Exception):
    """The node answered with a fault; code and params only, never what was typed."""

    def __init__(self, status: int, code: str, params: object) -> None:
        self.status = status
        self.code = code
        self.params = params
        super().__init__(f"{status} {code} {params}")


class CounterDoor:
    """One signed-in clerk at one node."""

    def __init__(self, socket_path: Path) -> None:
        transport = httpx.HTTPTransport(uds=str(socket_path))
        self._client = httpx.Client(transport=transport, base_url="http://counter", timeout=ANSWER_S)

    @classmethod
    def opened(cls, socket_path: Path, clerk: str, passphrase: str) -> Self:
        """Go to a counter and sign in."""
        door = cls(socket_path)
        try:
            door.sign_in(clerk, passphrase)
        except Exception:
            door.close()
            raise
        return door

    def close(self) -> None:
        """Leave the counter."""
        self._client.close()

    def sign_in(self, clerk: str, passphrase: str) -> None:
        """Sign in; the session rides on every later call."""
        signed = self._told(SignedIn, "POST", "/counter/sign-in", json={"clerk": clerk, "passphrase": passphrase})
        self._client.headers["authorization"] = f"Bearer {signed.session}"

    def status(self) -> StatusBar:
        """The status bar."""
        return self._told(StatusBar, "GET", "/counter/status")

    def guide(self, item_id: str) -> ItemGuide:
        """A service item."""
        return self._told(ItemGuide, "GET", f"/counter/items/{item_id}")

    def form(self, form_id: str) -> dict[str, Any]:
        """The form as it lies in the catalog."""
        form: dict[str, Any] = self._answer("GET", f"/counter/forms/{form_id}").json()
        return form

    def begin(self, item_id: str) -> DraftView:
        """Begin a draft."""
        return self._told(DraftView, "POST", "/counter/drafts", json={"item_id": item_id})

    def draft(self, draft_id: str) -> DraftView:
        """A draft as it was typed."""
        return self._told(DraftView, "GET", f"/counter/drafts/{draft_id}")

    def change(self, draft_id: str, **changes: object) -> None:
        """Type into a draft."""
        self._answer("PATCH", f"/counter/drafts/{draft_id}", json=changes)

    def scan(self, draft_id: str, material_id: str, page: int, picture: bytes) -> ScanView:
        """Lay a paper on the scanner."""
        return self._told(
            ScanView,
            "POST",
            f"/counter/drafts/{draft_id}/scans",
            params={"material_id": material_id, "page": page},
            content=picture,
            headers={"content-type": "image/jpeg"},
        )

    def summary(self, draft_id: str) -> Summary:
        """What still stands between a draft and collecting."""
        return self._told(Summary, "GET", f"/counter/drafts/{draft_id}/summary")

    def collect(self, draft_id: str) -> Slip:
        """Collect; when this returns, the screen says *saved*."""
        return self._told(Slip, "POST", f"/counter/drafts/{draft_id}/collect")

    def applications(self) -> list[ApplicationBrief]:
        """Every application this node knows."""
        return list(self._pages("/counter/applications"))

    def queue(self) -> list[ApplicationBrief]:
        """What waits for the township's review."""
        return list(self._pages("/counter/review/queue"))

    def detail(self, application_id: str) -> ApplicationDetail:
        """One application."""
        return self._told(ApplicationDetail, "GET", f"/counter/applications/{application_id}")

    def act(self, application_id: str, act: str, **body: object) -> ApplicationDetail:
        """An act of the village on an application: deliver, rate, withdraw."""
        return self._told(ApplicationDetail, "POST", f"/counter/applications/{application_id}/{act}", json=body)

    def answer_return(self, application_id: str) -> DraftView:
        """Open the draft that answers a return."""
        return self._told(DraftView, "POST", f"/counter/applications/{application_id}/supplement")

    def may_return(self, application_id: str) -> ReviewGuide:
        """What the guide lets the township ask for."""
        return self._told(ReviewGuide, "GET", f"/counter/review/{application_id}/guide")

    def review(self, application_id: str, act: str, **body: object) -> None:
        """An act of the township's review: begin, return, accept, decline."""
        self._answer("POST", f"/counter/review/{application_id}/{act}", json=body)

    def _pages(self, path: str) -> Iterator[ApplicationBrief]:
        offset = 0
        while True:
            page = self._told(Page[ApplicationBrief], "GET", path, params={"offset": offset, "limit": PAGE_ROWS})
            yield from page.rows
            offset += len(page.rows)
            if not page.rows or offset >= page.total:
                return

    def _told(self, model: type[Model], method: str, path: str, **said: Any) -> Model:  # noqa: ANN401 - httpx's own
        return model.model_validate_json(self._answer(method, path, **said).content)

    def _answer(self, method: str, path: str, **said: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        answer = self._client.request(method, path, **said)
        if answer.is_success:
            return answer
        try:
            fault = answer.json()["error"]
            raise CounterRefused(answer.status_code, fault["code"], fault.get("params"))
        except (ValueError, KeyError, TypeError):
            raise CounterRefused(answer.status_code, "counter.not_an_answer", None) from None


def listens(path: Path) -> bool:
    """Whether somebody listens on this Unix socket; asked first, because httpcore leaves a refused socket open."""
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(str(path))
        except OSError:
            return False
    return True
