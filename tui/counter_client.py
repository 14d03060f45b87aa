"""The screen's only way out: calls to the node on this machine, over its Unix socket.

Laws:
- One method per call of the counter API; the answer is a model of `wire.counter`, never loose JSON.
- Every failure is one of `tui.errors`; what is not the node's own answer counts as "nobody answers".
- The status call carries no session, so that watching the status bar never counts as someone being at work.
- The passphrase and what was typed travel in bodies only, never in an address.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from tui.errors import NodeAway, NodeLocked, Refused, SessionLocked, SessionOver
from tui.scan_folder import ScanFile, chunks
from tui.wording import spoken
from wire import counter as said

CALL_SECONDS = 15.0
STATUS_SECONDS = 3.0
SCAN_SECONDS = 180.0

Said = TypeVar("Said", bound=BaseModel)


def over_socket(path: str) -> httpx.AsyncBaseTransport:
    """The road to the node: its Unix socket. No TLS runs on it; the empty context saves loading certificates."""
    return httpx.AsyncHTTPTransport(uds=path, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)


class CounterClient:
    """Calls of one screen; holds the session and nothing else."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._http = httpx.AsyncClient(
            transport=transport,
            base_url="http://counter",
            timeout=CALL_SECONDS,
            trust_env=False,
            headers={"Accept-Language": spoken().replace("_", "-")},
        )
        self._session: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    # --- the road ---------------------------------------------------------------------------------------------

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        stream: AsyncIterator[bytes] | None = None,
        media_type: str = "",
        timeout: float = CALL_SECONDS,  # noqa: ASYNC109 - it is the transport's own limit
        anonymous: bool = False,
    ) -> object:
        headers = {"Content-Type": media_type} if media_type else {}
        if self._session and not anonymous:
            headers["Authorization"] = f"Bearer {self._session}"
        plain = body.model_dump(mode="json", exclude_none=True) if isinstance(body, BaseModel) else body
        try:
            answer = await self._http.request(
                method,
                f"/counter{path}",
                params={key: str(value) for key, value in (query or {}).items() if value not in (None, "")},
                headers=headers,
                json=plain,
                content=stream,
                timeout=timeout,
            )
        except (httpx.HTTPError, OSError) as failure:
            raise NodeAway from failure
        return self._judge(answer)

    def _judge(self, answer: httpx.Response) -> object:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            plain = answer.json()
        except ValueError as broken:
            raise NodeAway from broken
        if answer.is_success:
            return plain
        error = plain.get("error") if isinstance(plain, dict) else None
        if not isinstance(error, dict) or "code" not in error:
            raise NodeAway
        reason = str(error["code"])
        if reason == SessionLocked.code:
            raise SessionLocked
        if reason == NodeLocked.code:
            self._session = None
            raise NodeLocked
        if answer.status_code == httpx.codes.UNAUTHORIZED and reason.startswith("session."):
            self._session = None
            raise SessionOver
        raise Refused(
            reason,
            str(error.get("message") or ""),
            status=answer.status_code,
            params=error.get("params"),
            fields=error.get("fields") or (),
        )

    async def _get(self, model: type[Said], path: str, query: Mapping[str, object] | None = None) -> Said:
        return self._read(model, await self._call("GET", path, query=query))

    async def _post(self, model: type[Said], path: str, body: object = None) -> Said:
        return self._read(model, await self._call("POST", path, body={} if body is None else body))

    @staticmethod
    def _read(model: type[Said], plain: object) -> Said:
        try:
            return model.model_validate(plain)
        except ValidationError as broken:
            raise NodeAway from broken

    # --- who is here ------------------------------------------------------------------------------------------

    async def status(self) -> said.StatusBar:
        return self._read(said.StatusBar, await self._call("GET", "/status", anonymous=True, timeout=STATUS_SECONDS))

    async def sign_in(self, clerk: str, passphrase: str) -> said.SignedIn:
        asked = said.SignIn(clerk=clerk, passphrase=passphrase)
        signed = self._read(said.SignedIn, await self._call("POST", "/sign-in", body=asked, anonymous=True))
        self._session = signed.session
        return signed

    async def unlock(self, passphrase: str) -> said.SignedIn:
        signed = await self._post(said.SignedIn, "/unlock", said.Unlock(passphrase=passphrase))
        self._session = signed.session
        return signed

    async def ask_recovery(self, clerk: str) -> said.RecoveryView:
        asked = said.AskRecovery(clerk=clerk)
        return self._read(said.RecoveryView, await self._call("POST", "/recovery", body=asked, anonymous=True))

    async def answer_recovery(self, clerk: str, answer: str, passphrase: str) -> None:
        asked = said.AnswerRecovery(clerk=clerk, answer=answer, passphrase=passphrase)
        await self._call("POST", "/recovery/answer", body=asked, anonymous=True)

    async def sign_out(self) -> None:
        await self._call("POST", "/sign-out", body={})
        self._session = None

    # --- the catalog ------------------------------------------------------------------------------------------

    async def items(self, words: str, *, offset: int = 0, limit: int = 30) -> said.Page[said.ItemBrief]:
        query = {"q": words, "offset": offset, "limit": limit}
        return await self._get(said.Page[said.ItemBrief], "/items", query)

    async def item(self, item_id: str, version: int | None = None) -> said.ItemGuide:
        return await self._get(said.ItemGuide, f"/items/{item_id}", {"version": version})

    async def form(self, form_id: str, version: int) -> dict[str, Any]:
        plain = await self._call("GET", f"/forms/{form_id}", query={"version": version})
        if not isinstance(plain, dict):
            raise NodeAway
        return plain

    async def regions(self, parent: str) -> list[said.RegionRow]:
        plain = await self._call("GET", "/regions", query={"parent": parent})
        return [self._read(said.RegionRow, row) for row in plain] if isinstance(plain, list) else []

    # --- drafts -----------------------------------------------------------------------------------------------

    async def drafts(self, *, offset: int = 0, limit: int = 30) -> said.Page[said.DraftBrief]:
        return await self._get(said.Page[said.DraftBrief], "/drafts", {"offset": offset, "limit": limit})

    async def begin_draft(self, item_id: str) -> said.DraftView:
        return await self._post(said.DraftView, "/drafts", said.BeginDraft(item_id=item_id))

    async def draft(self, draft_id: str) -> said.DraftView:
        return await self._get(said.DraftView, f"/drafts/{draft_id}")

    async def change_draft(self, draft_id: str, change: Mapping[str, Any]) -> said.DraftSaved:
        """Save changes as typed; null empties a field, so nothing is left out of the body."""
        return self._read(said.DraftSaved, await self._call("PATCH", f"/drafts/{draft_id}", body=dict(change)))

    async def discard_draft(self, draft_id: str) -> None:
        await self._call("DELETE", f"/drafts/{draft_id}")

    async def take_over(self, draft_id: str) -> said.DraftView:
        return await self._post(said.DraftView, f"/drafts/{draft_id}/take-over")

    async def carry_over(self, draft_id: str) -> said.DraftView:
        return await self._post(said.DraftView, f"/drafts/{draft_id}/carry-over")

    async def summary(self, draft_id: str) -> said.Summary:
        return await self._get(said.Summary, f"/drafts/{draft_id}/summary")

    async def collect(self, draft_id: str) -> said.Slip:
        return await self._post(said.Slip, f"/drafts/{draft_id}/collect")

    async def attach_scan(self, draft_id: str, file: ScanFile, material_id: str, page: int) -> said.ScanView:
        """Stream a file to the node, which shrinks and seals it."""

        async def body() -> AsyncIterator[bytes]:
            for piece in chunks(file):
                yield piece

        plain = await self._call(
            "POST",
            f"/drafts/{draft_id}/scans",
            query={"material_id": material_id, "page": page},
            stream=body(),
            media_type=file.media_type,
            timeout=SCAN_SECONDS,
        )
        return self._read(said.ScanView, plain)

    async def remove_scan(self, draft_id: str, scan_hash: str) -> None:
        await self._call("DELETE", f"/drafts/{draft_id}/scans/{scan_hash}")

    async def invite_phone(self, draft_id: str, material_id: str) -> said.PhoneView:
        plain = await self._call("POST", f"/drafts/{draft_id}/phone", query={"material_id": material_id})
        return self._read(said.PhoneView, plain)

    async def end_phone(self) -> None:
        await self._call("DELETE", "/phone")

    # --- applications -----------------------------------------------------------------------------------------

    async def applications(
        self, *, state: str = "", words: str = "", offset: int = 0, limit: int = 30
    ) -> said.Page[said.ApplicationBrief]:
        if words:
            asked = said.SeekApplications(words=words, state=state, offset=offset, limit=limit)
            return await self._post(said.Page[said.ApplicationBrief], "/applications/search", asked)
        query = {"state": state, "offset": offset, "limit": limit}
        return await self._get(said.Page[said.ApplicationBrief], "/applications", query)

    async def waiting(self, *, offset: int = 0, limit: int = 30) -> said.Page[said.ApplicationBrief]:
        query = {"offset": offset, "limit": limit}
        return await self._get(said.Page[said.ApplicationBrief], "/applications/waiting", query)

    async def application(self, application_id: str) -> said.ApplicationDetail:
        return await self._get(said.ApplicationDetail, f"/applications/{application_id}")

    async def slip(self, application_id: str) -> said.Slip:
        return await self._get(said.Slip, f"/applications/{application_id}/slip")

    async def supplement(self, application_id: str) -> said.DraftView:
        return await self._post(said.DraftView, f"/applications/{application_id}/supplement")

    async def withdraw(self, application_id: str, said_by: said.Withdraw) -> said.ApplicationDetail:
        return await self._post(said.ApplicationDetail, f"/applications/{application_id}/withdraw", said_by)

    async def deliver(self, application_id: str, handed_over: said.Deliver) -> said.ApplicationDetail:
        return await self._post(said.ApplicationDetail, f"/applications/{application_id}/deliver", handed_over)

    async def rate(self, application_id: str, rating: said.Rate) -> said.ApplicationDetail:
        return await self._post(said.ApplicationDetail, f"/applications/{application_id}/rate", rating)

    async def change_proxy(self, application_id: str, change: said.ChangeProxy) -> said.ApplicationDetail:
        return await self._post(said.ApplicationDetail, f"/applications/{application_id}/proxy", change)

    # --- mail by stick ----------------------------------------------------------------------------------------

    async def courier(self) -> said.CourierView:
        return await self._get(said.CourierView, "/courier")

    async def ask_courier(self, order: said.AskCourier) -> said.CourierView:
        return await self._post(said.CourierView, "/courier", order)
