"""A node behind the counter API, in memory, on the seed catalog: what the screen is tested against.

Laws: it answers with the models of `wire.counter` and decides with `casework`, like the node; it keeps no disk, knows
no city, and lets a test move applications on (`play`) the way township and department would.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from casework import duty, events
from casework.application import Actor, Applicant, Application, HandedIn, ReturnPoint, Role, Scan, Seen
from casework.catalog import ServiceItem
from casework.errors import CaseworkError
from casework.events import EVENTS
from casework.forms import Form, check, check_field, filed_values
from casework.identifiers import mask_name, parent_region, receipt_number
from casework.lifecycle import advance, allowed_events, draft
from casework.materials import missing
from casework.proxy import may_collect
from wire import counter as said

SEED = Path(__file__).parents[2] / "seed_catalog"
SITE, SITE_NAME = "511603106205", "护安镇老坡村代办点"
CLERK, PASSPHRASE = "dbz01", "open1"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@cache
def seed(name: str) -> Any:
    return json.loads((SEED / f"{name}.json").read_text())


class Refusal(Exception):
    def __init__(self, code: str, message: str, status: int = 409) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


class CounterSimulator:
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
        self.status = self._status()
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
            ("GET", "/drafts/{draft_id}/summary", self._summary, True),
            ("POST", "/drafts/{draft_id}/carry-over", self._carry_over, True),
            ("POST", "/drafts/{draft_id}/collect", self._collect, True),
            ("GET", "/applications", self._list, True),
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

    @staticmethod
    def _paged(model: Any, rows: list[Any], request: Request) -> Any:
        offset, limit = int(request.query_params.get("offset", 0)), int(request.query_params.get("limit", 20))
        return said.Page[model](rows=rows[offset : offset + limit], total=len(rows), offset=offset, limit=limit)

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

    # --- drafts ------------------------------------------------------------------------------------------------

    def _new_id(self) -> str:
        self._serial += 1
        return f"{self._serial:032x}"

    def _begin(self, _request: Request, body: bytes) -> said.DraftView:
        item = self.items[said.BeginDraft.model_validate_json(body).item_id]
        refusal = may_collect(ServiceItem.from_plain(item), {})
        if refusal:
            raise Refusal("proxy.refused", "按办事指南,此事项不能在这里代办")
        draft_id = self._new_id()
        self.drafts[draft_id] = {
            "draft_id": draft_id, "kind": "collect", "item_id": item["item_id"], "form_id": item["form_id"],
            "catalog_version": 12, "values": {}, "handed_in": {}, "scans": [], "return_points": [], "answers": {},
            "application_id": None,
        }  # fmt: skip
        return self._view(draft_id)

    def _view(self, draft_id: str) -> said.DraftView:
        if draft_id not in self.drafts:
            raise Refusal("draft.unknown", "没有找到这份草稿", 404)
        plain = self.drafts[draft_id]
        return said.DraftView.model_validate(
            {**plain, "handed_in": list(plain["handed_in"].values()), "updated_at": NOW.isoformat()}
        )

    def _draft(self, request: Request, _body: bytes) -> said.DraftView:
        return self._view(request.path_params["draft_id"])

    def _drafts(self, request: Request, _body: bytes) -> Any:
        rows = [
            said.DraftBrief(
                draft_id=plain["draft_id"], kind=plain["kind"], item_id=plain["item_id"],
                item_name=self.items[plain["item_id"]]["name"],
                applicant_masked=mask_name(plain["values"].get("applicant_name") or ""), updated_at=NOW,
            )
            for plain in self.drafts.values()
        ]  # fmt: skip
        return self._paged(said.DraftBrief, rows, request)

    def _change(self, request: Request, body: bytes) -> said.DraftSaved:
        change = said.ChangeDraft.model_validate_json(body)
        plain = self.drafts[request.path_params["draft_id"]]
        for key, value in (change.values or {}).items():
            plain["values"].pop(key, None) if value is None else plain["values"].update({key: value})
        plain["handed_in"] |= {one.material_id: one.model_dump(mode="json") for one in change.handed_in or []}
        plain["answers"] |= change.answers or {}
        form = Form.from_plain(self.forms[plain["form_id"]])
        found = [check_field(form, key, plain["values"].get(key), plain["values"]) for key in change.values or {}]
        return said.DraftSaved(saved_at=NOW, problems=[self._problem(one) for one in found if one])

    @staticmethod
    def _problem(one: Any) -> said.FieldProblemView:
        return said.FieldProblemView(
            field_id=one.field_id, code=one.code, message="", params=dict(one.params), row=one.row, column=one.column
        )

    def _discard(self, request: Request, _body: bytes) -> None:
        del self.drafts[request.path_params["draft_id"]]

    def _scan(self, request: Request, body: bytes) -> said.ScanView:
        query = request.query_params
        if not body.startswith((b"\xff\xd8", b"\x89PNG", b"%PDF")):
            raise Refusal("scan.broken", "影像文件打不开,请重新扫描", 422)
        scan = said.ScanView(
            scan_hash=hashlib.sha256(body + self._new_id().encode()).hexdigest(), material_id=query["material_id"],
            page=int(query["page"]), length=len(body), media_type=request.headers["content-type"],
        )  # fmt: skip
        self.drafts[request.path_params["draft_id"]]["scans"].append(scan.model_dump(mode="json"))
        return scan

    def _unscan(self, request: Request, _body: bytes) -> None:
        plain = self.drafts[request.path_params["draft_id"]]
        plain["scans"] = [one for one in plain["scans"] if one["scan_hash"] != request.path_params["scan_hash"]]

    def _read(self, draft_id: str) -> tuple[ServiceItem, Form, dict[str, Any], list[HandedIn], list[Scan]]:
        view = self._view(draft_id)
        handed_in = [
            HandedIn(one.material_id, Seen(one.seen), one.applies, one.copies, one.note) for one in view.handed_in
        ]
        scans = [Scan(one.scan_hash, one.length, one.media_type, one.material_id, one.page) for one in view.scans]
        fresh = {one.material_id for one in scans}
        filed = self.applications[view.application_id].scans if view.application_id else ()
        scans += [one for one in filed if one.material_id not in fresh]
        return (
            ServiceItem.from_plain(self.items[view.item_id]), Form.from_plain(self.forms[view.form_id]),
            view.values, handed_in, scans,
        )  # fmt: skip

    def _summary(self, request: Request, _body: bytes) -> said.Summary:
        return self._judge(request.path_params["draft_id"])

    def _judge(self, draft_id: str) -> said.Summary:
        item, form, values, handed_in, scans = self._read(draft_id)
        problems = [self._problem(one) for one in check(form, values)]
        lacking = [
            said.MissingView(material_id=one.material_id, name=one.name, why=one.why, message="")
            for one in missing(item, values, handed_in, scans, form)
        ]
        refusal = may_collect(item, values)
        return said.Summary(
            problems=problems, missing=lacking, proxy_refusal=refusal.code if refusal else None,
            ready=not problems and not lacking and refusal is None,
        )  # fmt: skip

    def _carry_over(self, request: Request, _body: bytes) -> said.DraftView:
        self.drafts[request.path_params["draft_id"]]["catalog_version"] = 13
        return self._view(request.path_params["draft_id"])

    def _collect(self, request: Request, _body: bytes) -> said.Slip:
        draft_id = request.path_params["draft_id"]
        if not self._judge(draft_id).ready:
            raise Refusal("draft.not_ready", "还有内容未填好或材料未收齐,已全部列出")
        plain = self.drafts[draft_id]
        _item, form, values, handed_in, scans = self._read(draft_id)
        by = Actor(role=Role.AGENT, clerk_id=CLERK, node_id="a" * 32, region=SITE)
        if plain["kind"] == "supplement":
            application_id = plain["application_id"]
            if set(plain["answers"]) != {point["ref"] for point in plain["return_points"]}:
                raise Refusal("draft.not_answered", "补正要求还没有逐条答复")
            event: Any = events.Supplemented(
                at=NOW, by=by, form=filed_values(form, values), handed_in=tuple(handed_in), scans=tuple(scans),
                answers=plain["answers"],
            )  # fmt: skip
            before = self.applications[application_id]
        else:
            application_id = self._new_id()
            event = events.Collected(
                at=NOW, by=by, receipt_no=receipt_number(SITE, NOW.date(), len(self.applications) + 1),
                item_id=plain["item_id"], form_id=plain["form_id"], catalog_version=12, site=SITE,
                township=parent_region(SITE) or "", applicant=Applicant.from_form(values),
                form=filed_values(form, values), handed_in=tuple(handed_in), scans=tuple(scans),
            )  # fmt: skip
            before = draft(application_id)
        self.applications[application_id] = advance(before, event)
        self.standing[application_id] = "saved_here"
        del self.drafts[draft_id]
        return self._slip_of(application_id)

    # --- applications ------------------------------------------------------------------------------------------

    def _slip(self, request: Request, _body: bytes) -> said.Slip:
        return self._slip_of(request.path_params["application_id"])

    def _slip_of(self, application_id: str) -> said.Slip:
        held = self.applications[application_id]
        item = self.items[held.item_id]
        names = {one["material_id"]: one["name"] for one in item["materials"]} | {"D-WT": "代办委托书"}
        promised = item["time_limits"]["promised"]
        return said.Slip(
            application_id=application_id, receipt_no=held.receipt_no, item_name=item["name"],
            applicant_masked=mask_name(held.applicant.name), collected_at=NOW, site_name=SITE_NAME, clerk_name="张测试",
            materials=[
                said.SlipMaterial(
                    material_id=one.material_id, name=names.get(one.material_id, one.material_id), seen=one.seen.value,
                    copies=one.copies, pages=sum(scan.material_id == one.material_id for scan in held.scans),
                )
                for one in held.handed_in
            ],
            promised=said.LimitView(value=promised["value"], unit=promised["unit"]) if promised else None,
            qr_text=held.receipt_no,
        )  # fmt: skip

    def _brief(self, held: Application) -> dict[str, Any]:
        who = duty.who_must_act(held)
        standing = self.standing[held.application_id]
        open_act = {"op": held.history[-1].event, "why": "line_down", "who": "line", "next": NOW.isoformat()}
        return {
            "application_id": held.application_id, "receipt_no": held.receipt_no, "item_id": held.item_id,
            "item_name": self.items[held.item_id]["name"], "applicant_masked": mask_name(held.applicant.name),
            "state": held.state.value, "standing": standing, "pending": [open_act] if standing == "saved_here" else [],
            "who_must_act": {"role": who.role.value, "region": who.region, "what": who.what} if who.role else None,
            "due": "2026-11-30" if held.state == "returned" else None,
            "light": "yellow" if held.state == "returned" else "grey", "updated_at": NOW.isoformat(),
        }  # fmt: skip

    def _list(self, request: Request, _body: bytes) -> Any:
        state, words = request.query_params.get("state"), request.query_params.get("q", "")
        rows = [
            said.ApplicationBrief.model_validate(self._brief(held))
            for held in self.applications.values()
            if state in (None, "", held.state.value)
            and (words in held.receipt_no or words in held.applicant.name or words in self.items[held.item_id]["name"])
        ]
        return self._paged(said.ApplicationBrief, rows, request)

    def _detail(self, request: Request, _body: bytes) -> said.ApplicationDetail:
        held = self.applications.get(request.path_params["application_id"])
        if held is None:
            raise Refusal("application.unknown", "没有找到这件申请", 404)
        by = Actor(role=Role.AGENT, clerk_id=CLERK, node_id="a" * 32, region=SITE)
        pending = self.standing[held.application_id] == "saved_here"
        return said.ApplicationDetail.model_validate(
            {
                **self._brief(held), "form_id": held.form_id, "catalog_version": held.catalog_version,
                "site": held.site, "township": held.township, "proxy": held.proxy.value, "form": dict(held.form),
                "return_points": [{**asdict(point), "label": ""} for point in held.return_points],
                "scans": [asdict(one) for one in held.scans],
                "returns_count": held.returns_count, "outcome_reason": held.outcome_reason,
                "clocks": [{"kind": "notice", "standing": "soon", "due": "2026-11-30", "remaining_days": 3}],
                "history": [
                    {
                        "at": step.at.isoformat(), "event": step.event, "role": step.role.value,
                        "node_id": step.node_id, "note": step.note,
                        "pending": pending and number == len(held.history) - 1,
                    }
                    for number, step in enumerate(held.history)
                ],
                "acts": [
                    code for code in allowed_events(held) if duty.may(by, EVENTS[code].__new__(EVENTS[code]), held)
                ],
            }
        )  # fmt: skip

    def _supplement(self, request: Request, _body: bytes) -> said.DraftView:
        held = self.applications[request.path_params["application_id"]]
        draft_id = self._new_id()
        self.drafts[draft_id] = {
            "draft_id": draft_id, "kind": "supplement", "item_id": held.item_id, "form_id": held.form_id,
            "catalog_version": held.catalog_version, "values": dict(held.form),
            "handed_in": {one.material_id: asdict(one) for one in held.handed_in},
            "scans": [],
            "return_points": [{**asdict(point), "label": ""} for point in held.return_points], "answers": {},
            "application_id": held.application_id,
        }  # fmt: skip
        return self._view(draft_id)

    def _act(self, request: Request, body: bytes) -> said.ApplicationDetail:
        application_id, act = request.path_params["application_id"], request.path_params["act"]
        by = Actor(role=Role.AGENT, clerk_id=CLERK, node_id="a" * 32, region=SITE)
        held = self.applications[application_id]
        event: Any
        match act:
            case "withdraw":
                event = events.Withdrawn(at=NOW, by=by, reason=said.Withdraw.model_validate_json(body).reason)
            case "deliver":
                handed = said.Deliver.model_validate_json(body)
                event = events.Delivered(at=NOW, by=by, receiver=handed.receiver, way=handed.way)
            case "rate":
                self.ratings.append(said.Rate.model_validate_json(body).model_dump())
                event = events.Rated(at=NOW, by=by, sealed="sealed")
            case "proxy":
                change = said.ChangeProxy.model_validate_json(body)
                happened = {"suspend": events.ProxySuspended, "resume": events.ProxyResumed}
                event = happened.get(change.act, events.ProxyTerminated)(at=NOW, by=by, reason=change.reason)
            case _:
                raise Refusal("act.unknown", "没有这个操作", 404)
        self.applications[application_id] = replace(advance(held, event))
        self.standing[application_id] = "saved_here"
        return self._detail(request, b"")
