"""A node behind the counter API, in memory, on the seed catalog: what the screen is tested against.

Laws: it answers with the models of `wire.counter` and decides with `casework`, like the node; it keeps no disk, knows
no city, and lets a test move applications on (`play`) the way township and department would.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from casework.application import Actor, Application, ReturnPoint, Role
from casework.catalog import ServiceItem
from casework.errors import CaseworkError
from casework.events import EVENTS
from casework.identifiers import parent_region
from casework.lifecycle import advance
from casework.proxy import may_collect
from tests.simulators.simulated_drafts import SimulatedDrafts
from tests.simulators.simulated_state import (
    CLERK,
    NOW,
    PASSPHRASE,
    SITE,
    SITE_NAME,
    Refusal,
    seed,
)
from wire import counter as said
from wire.waiting import Facts, Road, conditions

__all__ = ["CLERK", "PASSPHRASE", "CounterSimulator", "seed"]


class CounterSimulator(SimulatedDrafts):
    """The state of one node."""

    clerk, passphrase = CLERK, PASSPHRASE

    def __init__(self) -> None:
        self.items = {item["item_id"]: item for item in seed("items")["items"]}
        self.forms = {form["form_id"]: form for form in seed("forms")["forms"]}
        self.regions = seed("regions")["regions"]
        self.sessions: dict[str, bool] = {}
        self.locked = False
        self.drafts: dict[str, dict[str, Any]] = {}
        self.applications: dict[str, Application] = {}
        self.standing: dict[str, str] = {}
        self.ratings: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.facts = Facts(road=Road.DOWN, error="ConnectError", next_try=NOW + timedelta(minutes=20))
        self.status = self._status()
        self.sticks = {"KINGSTON": 3_221_225_472}
        self.addresses = ["192.168.137.254", "10.42.0.1"]
        self.invited: tuple[str, str] | None = None
        self.job: said.CourierJob | None = None
        self.app = Starlette(routes=self._routes())
        self._serial = 0

    # --- what a test may do ------------------------------------------------------------------------------------

    def play(self, application_id: str, *codes: str, **fields: Any) -> Application:
        """Let township, department and city act."""
        roles = {
            "submitted": Role.CITY,
            "concluded": Role.CITY,
            "decided": Role.DEPARTMENT,
            "review_started": Role.CITY,
        }
        for code in codes:
            by = Actor(
                role=roles.get(code, Role.CLERK), clerk_id="t1", node_id="f" * 32, region=parent_region(SITE) or ""
            )
            event = EVENTS[code](at=NOW, by=by, **fields)
            self.applications[application_id] = advance(self.applications[application_id], event)
        self.standing[application_id] = "confirmed"
        return self.applications[application_id]

    def give_back(self, application_id: str, *points: tuple[str, str, str, str]) -> None:
        """Return an application with these points."""
        self.play(application_id, "submitted", "pre_review_started")
        self.play(application_id, "returned", points=tuple(ReturnPoint(*point) for point in points))

    def courier_does(self, **progress: Any) -> None:
        """The courier comes on with the order."""
        assert self.job is not None
        self.job = self.job.model_copy(update=progress)

    def kill(self) -> None:
        """End without a word and start again; who was signed in is forgotten."""
        self.sessions.clear()

    # --- routes ------------------------------------------------------------------------------------------------

    def _routes(self) -> list[Route]:
        table = [
            ("GET", "/status", self._get_status, False),
            ("POST", "/sign-in", self._sign_in, False),
            ("POST", "/sign-out", self._sign_out, False),
            ("POST", "/unlock", self._unlock, False),
            ("GET", "/items", self._search, True),
            ("GET", "/items/{item_id}", self._guide, True),
            ("GET", "/forms/{form_id}", self._form, True),
            ("GET", "/regions", self._regions, True),
            ("POST", "/drafts", self._begin, True),
            ("GET", "/drafts", self._drafts, True),
            ("GET", "/drafts/{draft_id}", self._draft, True),
            ("PATCH", "/drafts/{draft_id}", self._change, True),
            ("DELETE", "/drafts/{draft_id}", self._discard, True),
            ("POST", "/drafts/{draft_id}/scans", self._scan, True),
            ("DELETE", "/drafts/{draft_id}/scans/{scan_hash}", self._unscan, True),
            ("POST", "/drafts/{draft_id}/phone", self._invite, True),
            ("DELETE", "/phone", self._end_phone, True),
            ("GET", "/drafts/{draft_id}/summary", self._summary, True),
            ("POST", "/drafts/{draft_id}/carry-over", self._carry_over, True),
            ("POST", "/drafts/{draft_id}/collect", self._collect, True),
            ("GET", "/courier", self._courier, True),
            ("POST", "/courier", self._ask_courier, True),
            ("GET", "/applications", self._list, True),
            ("POST", "/applications/search", self._seek, True),
            ("GET", "/applications/waiting", self._waiting, True),
            ("GET", "/applications/{application_id}", self._detail, True),
            ("GET", "/applications/{application_id}/slip", self._slip, True),
            ("POST", "/applications/{application_id}/supplement", self._supplement, True),
            ("POST", "/applications/{application_id}/{act}", self._act, True),
        ]
        return [
            Route("/counter" + path, self._door(act, guarded), methods=[verb]) for verb, path, act, guarded in table
        ]

    def _door(self, act: Any, guarded: bool) -> Any:
        async def answer(request: Request) -> Response:
            self.calls.append(f"{request.method} {request.url.path}")
            try:
                if guarded:
                    self._at_counter(request)
                given = act(request, await request.body())
            except Refusal as refused:
                body = {"code": refused.code, "message": refused.message, "params": {}, "fields": []}
                return JSONResponse({"error": body}, refused.status)
            except CaseworkError as refused:
                body = {"code": refused.code, "message": "这件申请当前不能进行此操作", "params": {}, "fields": []}
                return JSONResponse({"error": body}, 409)
            if given is None:
                return Response(status_code=204)
            return JSONResponse(given.model_dump(mode="json") if hasattr(given, "model_dump") else given)

        return answer

    def _at_counter(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.sessions:
            raise Refusal("session.missing", "请先登录", 401)
        if self.locked:
            raise Refusal("session.locked", "已锁定,请输入口令解锁", 401)

    # --- status, sign-in ---------------------------------------------------------------------------------------

    def _status(self) -> said.StatusBar:
        return said.StatusBar(
            site_name=SITE_NAME, region=SITE, role="village", now=NOW, clock_confidence="confirmed", line="down",
            line_since=NOW, backlog_ops=3, backlog_scans=6, backlog_bytes=1_258_291, last_receipt_at=NOW,
            catalog_version=12, catalog_age_days=3,
            conditions=[said.WaitingView.of(one) for one in conditions(self.facts)],
        )  # fmt: skip

    def _get_status(self, _request: Request, _body: bytes) -> said.StatusBar:
        return self.status

    def _signed(self) -> said.SignedIn:
        token = f"session-{len(self.sessions)}"
        self.sessions[token] = True
        self.locked = False
        return said.SignedIn(session=token, clerk=said.ClerkView(id=CLERK, name="张测试", role="agent"))

    def _sign_in(self, _request: Request, body: bytes) -> said.SignedIn:
        asked = said.SignIn.model_validate_json(body)
        if (asked.clerk, asked.passphrase) != (CLERK, PASSPHRASE):
            raise Refusal("sign_in.refused", "工号或口令不对", 403)
        return self._signed()

    def _sign_out(self, _request: Request, _body: bytes) -> None:
        self.sessions.clear()

    def _unlock(self, request: Request, body: bytes) -> said.SignedIn:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.sessions:
            raise Refusal("session.missing", "请先登录", 401)
        if said.Unlock.model_validate_json(body).passphrase != PASSPHRASE:
            raise Refusal("sign_in.refused", "工号或口令不对", 403)
        return self._signed()

    # --- mail by stick -----------------------------------------------------------------------------------------

    def _courier(self, _request: Request, _body: bytes) -> said.CourierView:
        bar = self.status
        media = [said.MediumView(name=name, free_bytes=free) for name, free in self.sticks.items()]
        return said.CourierView(
            waiting_ops=bar.backlog_ops, waiting_scans=bar.backlog_scans, waiting_bytes=bar.backlog_bytes,
            media=media, job=self.job,
        )  # fmt: skip

    def _ask_courier(self, request: Request, body: bytes) -> said.CourierView:
        asked = said.AskCourier.model_validate_json(body)
        if self.job is not None and self.job.phase in {"waiting", "working"}:
            raise Refusal("courier.busy", "邮包正在读写，请等它做完", 409)
        if asked.medium not in self.sticks:
            raise Refusal("courier.no_medium", "没有找到这个U盘，请插好后刷新", 409)
        self._serial += 1
        self.job = said.CourierJob(
            order_id=f"{self._serial:032x}", way=asked.way, medium=asked.medium, phase="waiting",
            params={"again": asked.again},
        )  # fmt: skip
        return self._courier(request, body)

    # --- catalog -----------------------------------------------------------------------------------------------

    def _search(self, request: Request, _body: bytes) -> said.Page[said.ItemBrief]:
        words = request.query_params.get("q", "")
        hits = [
            item
            for item in self.items.values()
            if words in item["name"] or any(words in alias for alias in item["aliases"])
        ]
        return self._paged(said.ItemBrief, [self._brief_item(item) for item in hits], request)

    @staticmethod
    def _brief_item(item: dict[str, Any]) -> said.ItemBrief:
        return said.ItemBrief(
            item_id=item["item_id"], name=item["name"], domain=item["domain"], aliases=item["aliases"],
            proxy_mode=item["agent_policy"]["mode"], service_mode=item["service_mode"],
        )  # fmt: skip

    def _guide(self, request: Request, _body: bytes) -> said.ItemGuide:
        item = self.items[request.path_params["item_id"]]
        refusal = may_collect(ServiceItem.from_plain(item), {})
        return said.ItemGuide(
            item=item, form_id=item["form_id"], catalog_version=12, may_collect=refusal is None,
            refusal=refusal.code if refusal else None,
        )  # fmt: skip

    def _form(self, request: Request, _body: bytes) -> Any:
        return self.forms[request.path_params["form_id"]]

    def _regions(self, request: Request, _body: bytes) -> Any:
        parent = request.query_params.get("parent")
        return [
            said.RegionRow(code=one["code"], name=one["name"], level=one["level"]).model_dump()
            for one in self.regions
            if one["parent"] == parent
        ]
