"""Drafts of the simulated node: begun, changed, judged by `casework`, collected."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request

from casework import events
from casework.application import Actor, Applicant, HandedIn, Role, Scan
from casework.catalog import ServiceItem
from casework.forms import Form, check, check_field, filed_values
from casework.identifiers import mask_name, parent_region, receipt_number
from casework.lifecycle import advance, draft
from casework.materials import missing
from casework.proxy import may_collect
from tests.simulators.simulated_applications import SimulatedApplications
from tests.simulators.simulated_state import (
    CLERK,
    NOW,
    SITE,
    Refusal,
)
from wire import counter as said


class SimulatedDrafts(SimulatedApplications):
    """What is being filled in, up to the moment it is collected."""

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

    def _invite(self, request: Request, _body: bytes) -> said.PhoneView:
        self.invited = (request.path_params["draft_id"], request.query_params["material_id"])
        token = self._new_id()[:22]
        return said.PhoneView(urls=[f"https://{host}:8443/#{token}" for host in self.addresses], seconds=600)

    def _end_phone(self, _request: Request, _body: bytes) -> None:
        self.invited = None

    def photographed(self, length: int = 200_000) -> None:
        """A phone that was invited hands in a page."""
        draft_id, material_id = self.invited
        held = self.drafts[draft_id]["scans"]
        page = 1 + sum(one["material_id"] == material_id for one in held)
        scan = said.ScanView(
            scan_hash=hashlib.sha256(self._new_id().encode()).hexdigest(), material_id=material_id, page=page,
            length=length, media_type="image/jpeg",
        )  # fmt: skip
        held.append(scan.model_dump(mode="json"))

    def _unscan(self, request: Request, _body: bytes) -> None:
        plain = self.drafts[request.path_params["draft_id"]]
        plain["scans"] = [one for one in plain["scans"] if one["scan_hash"] != request.path_params["scan_hash"]]

    def _read(self, draft_id: str) -> tuple[ServiceItem, Form, dict[str, Any], list[HandedIn], list[Scan]]:
        view = self._view(draft_id)
        handed_in = [held for one in view.handed_in if (held := one.handed_in())]
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
        applying = {one.material_id for one in self._view(draft_id).handed_in if one.applies}
        problems = [self._problem(one) for one in check(form, values)]
        lacking = [
            said.MissingView(material_id=one.material_id, name=one.name, why=one.why, message="")
            for one in missing(item, values, handed_in, scans, form, said_to_apply=applying)
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
