"""Applications of the simulated node: receipts, lists, details, and the acts of the counter on them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from casework import duty, events
from casework.application import Actor, Application, Role
from casework.events import EVENTS
from casework.identifiers import mask_name
from casework.lifecycle import advance, allowed_events
from tests.simulators.simulated_state import (
    CLERK,
    NOW,
    SITE,
    SITE_NAME,
    Refusal,
    SimulatedState,
)
from wire import counter as said
from wire.waiting import Facts, Item, Place, Road, explain


class SimulatedApplications(SimulatedState):
    """What was collected."""

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
        facts = Facts(road=Road.DOWN, error="ConnectError", next_try=NOW + timedelta(minutes=20))
        place = Place.REFUSED if standing == "refused" else Place.HERE
        waits = []
        if standing in {"saved_here", "refused"}:
            waits.append(said.WaitingView.of(explain(Item(place=place), facts), op=held.history[-1].event))
        scans = len(held.scans)
        if standing == "saved_here" and scans:
            waits.append(said.WaitingView.of(explain(Item(place=Place.HERE, scan=True), facts), scans=scans))
        return {
            "application_id": held.application_id, "receipt_no": held.receipt_no, "item_id": held.item_id,
            "item_name": self.items[held.item_id]["name"], "applicant_masked": mask_name(held.applicant.name),
            "state": held.state.value, "standing": standing, "waiting": [one.model_dump(mode="json") for one in waits],
            "scans_total": scans, "scans_arrived": 0 if standing == "saved_here" else scans,
            "who_must_act": {"role": who.role.value, "region": who.region, "what": who.what} if who.role else None,
            "due": "2026-11-30" if held.state == "returned" else None,
            "light": "yellow" if held.state == "returned" else "grey", "updated_at": NOW.isoformat(),
        }  # fmt: skip

    def _list(self, request: Request, _body: bytes) -> Any:
        return self._paged(said.ApplicationBrief, self._found(request.query_params.get("state"), ""), request)

    def _seek(self, _request: Request, body: bytes) -> Any:
        asked = said.SeekApplications.model_validate_json(body)
        rows = self._found(asked.state, asked.words)
        shown = rows[asked.offset : asked.offset + asked.limit]
        return said.Page[said.ApplicationBrief](rows=shown, total=len(rows), offset=asked.offset, limit=asked.limit)

    def _found(self, state: str | None, words: str) -> list[said.ApplicationBrief]:
        return [
            said.ApplicationBrief.model_validate(self._brief(held))
            for held in self.applications.values()
            if state in (None, "", held.state.value)
            and (words in held.receipt_no or words in held.applicant.name or words in self.items[held.item_id]["name"])
        ]

    def _waiting(self, request: Request, _body: bytes) -> Any:
        rows = [said.ApplicationBrief.model_validate(self._brief(held)) for held in self.applications.values()]
        return self._paged(said.ApplicationBrief, [row for row in rows if row.waiting], request)

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
