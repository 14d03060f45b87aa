"""One application, from a village without a line to a ruling, a rating, and a new catalog; over real HTTP.

A gateway, a village and a township run as processes of their own, enrolled by the real call. Each step is a sentence
of the walk and looks at what the people concerned see; the test below is the order in which they happen.
"""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Iterator

import pytest
from PIL import Image

from offline_store.paths import NodePaths
from provisioning.counter_door import CounterRefused
from provisioning.demo import effects
from provisioning.demo_report import Saved, duplicated, lost
from tests.journeys.at_the_counter import (
    Hands,
    Office,
    Town,
    Typed,
    changed_catalog,
    finish,
    picture,
    town,
    type_application,
)

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ITEM = "GA-YB-004"  # 异地长期居住人员就医备案: two papers, a village agent may file it
ONLY_IN_PERSON = "GA-CL-001"  # 残疾人证新办: the agent may only assist
NOT_BY_PROXY = "GA-GA-005"  # 居民身份证申领换领补领
WRONG_ID = "511602180001010015"
NEW_CONDITION = "新增一条:自发布之日起施行的样例条件"


class Walk:
    """The steps, and what one step leaves for the next."""

    def __init__(self, place: Town) -> None:
        self.town = place
        self.world, self.village, self.township = place.world, place.village, place.township
        self.rng = random.Random(4)
        self.saved: list[Saved] = []
        self.draft_id = ""
        self.application_id = ""
        self.typed: Typed | None = None

    @property
    def agent(self) -> Hands:
        return self.town.at(self.village)

    @property
    def clerk(self) -> Hands:
        return self.town.at(self.township)

    # --- the village, without a line ------------------------------------------------------------------------------

    def the_line_to_the_village_is_cut(self) -> None:
        self.village.line.cut()

    def the_agent_finds_the_item_by_what_people_say_and_by_initials(self) -> None:
        assert "GA-YB-001" in self.agent.find("ylbx")
        assert "GA-YB-001" in self.agent.find("医保")
        assert ITEM in self.agent.find("异地备案")

    def the_guide_says_what_is_needed_before_anything_is_typed(self) -> None:
        guide = self.agent.guide(ITEM)
        assert guide.may_collect
        assert guide.refusal is None
        assert [material["necessity"] for material in guide.item["materials"]] == ["required", "required"]
        assert guide.catalog_version == 1

    def the_proxy_rule_is_applied_before_anything_is_typed(self) -> None:
        refused = self.agent.guide(NOT_BY_PROXY)
        assert not refused.may_collect
        assert refused.refusal in {"proxy.guide_only", "proxy.not_allowed"}
        with pytest.raises(CounterRefused) as why:
            self.agent.begin(NOT_BY_PROXY)
        assert why.value.code.startswith("proxy.")
        assert self.agent.drafts() == []
        draft = self.agent.begin(ONLY_IN_PERSON)
        self.agent.type(draft.draft_id, agent_mode="village_agent")
        assert self.agent.summary(draft.draft_id).proxy_refusal == "proxy.in_person"
        with pytest.raises(CounterRefused):
            self.agent.collect(draft.draft_id)
        self.agent.throw_away(draft.draft_id)
        assert self.agent.applications() == []

    def a_draft_is_kept_as_it_was_typed_also_when_it_is_wrong_and_the_power_fails(self) -> None:
        self.draft_id = self.agent.begin(ITEM).draft_id
        found = self.agent.type(self.draft_id, applicant_id_type="111", applicant_id_no=WRONG_ID)
        assert [(one.field_id, one.code.startswith("form.resident_id.")) for one in found.problems] == [
            ("applicant_id_no", True)
        ]
        assert found.problems[0].message
        self.town.power_fails(self.village)
        self.town.power_is_back(self.village)
        assert self.agent.draft(self.draft_id).values["applicant_id_no"] == WRONG_ID

    def what_is_missing_is_told_all_at_once_and_the_draft_stays(self) -> None:
        summary = self.agent.summary(self.draft_id)
        assert not summary.ready
        assert {"GA-YB-004-M01", "GA-YB-004-M02"} <= {one.material_id for one in summary.missing}
        assert len(summary.problems) > 1
        with pytest.raises(CounterRefused) as why:
            self.agent.collect(self.draft_id)
        assert why.value.code == "draft.not_ready"
        assert self.agent.applications() == []
        assert self.agent.draft(self.draft_id).values["applicant_id_no"] == WRONG_ID

    def scans_are_sealed_before_they_are_called_kept(self) -> None:
        self.typed = finish(self.agent, self.village, self.agent.draft(self.draft_id), self.rng)
        assert len(self.typed.scans) == 3  # two papers and the mandate
        vault = NodePaths(self.village.paths.root).vault
        for scan in self.agent.draft(self.draft_id).scans:
            sealed = (vault / f"{scan.scan_hash}.scan").read_bytes()
            assert len(sealed) == scan.length
            shown = self.agent.picture(scan.scan_hash)
            assert Image.open(io.BytesIO(shown)).get_format_mimetype() == scan.media_type
            assert shown[64:256] not in sealed

    def collecting_gives_the_receipt_at_once_without_any_line(self) -> None:
        assert self.typed is not None
        slip = self.agent.collect(self.draft_id)
        assert slip.saved
        assert slip.receipt_no.startswith(f"{self.village.site}-")
        assert slip.qr_text == slip.receipt_no
        assert str(self.typed.values["applicant_name"]) not in slip.applicant_masked
        self.application_id = slip.application_id
        self.saved.append(Saved(slip.application_id, slip.receipt_no, self.typed.scans))
        shown = self.agent.detail(self.application_id)
        assert (shown.state, shown.standing) == ("collected", "saved_here")
        assert shown.pending[0].why
        status = self.agent.status()
        assert status.backlog_ops >= 1
        assert status.backlog_scans == len(self.typed.scans)
        assert self.agent.drafts() == []
        assert self.town.cases() == []

    def asking_for_the_same_collect_again_gives_the_same_slip(self) -> None:
        slip = self.agent.collect(self.draft_id)
        assert (slip.application_id, slip.receipt_no) == (self.application_id, self.saved[0].receipt_no)
        assert self.agent.slip(self.application_id) == slip
        assert len(self.agent.applications()) == 1

    # --- the line is back -----------------------------------------------------------------------------------------

    def the_line_comes_back_and_the_backlog_drains(self) -> None:
        self.town.line_is_back(self.village)
        self.town.until_drained(self.village)
        self.town.until("the city answered", lambda: self.agent.detail(self.application_id).standing == "confirmed")
        shown = self.agent.detail(self.application_id)
        assert (shown.state, shown.pending) == ("submitted", [])
        assert shown.who_must_act is not None
        assert shown.who_must_act.role == "clerk"
        assert self.agent.status().last_receipt_at is not None

    def the_city_has_it_once_with_all_its_scans(self) -> None:
        assert self.typed is not None
        (case,) = self.town.cases()
        assert case["application_id"] == self.application_id
        assert case["history"] == ["collected", "submitted"]
        assert self.town.stored_scans() == set(self.typed.scans)

    # --- the township ---------------------------------------------------------------------------------------------

    def the_township_sees_it_in_its_queue_with_the_same_scans(self) -> None:
        self.town.until(
            "the township's queue", lambda: self.application_id in [one.application_id for one in self.clerk.queue()]
        )
        (brief,) = [one for one in self.clerk.queue() if one.application_id == self.application_id]
        assert brief.light in {"green", "yellow", "grey"}
        self.town.until(
            "the scans at the township",
            lambda: all(scan.arrived for scan in self.clerk.detail(self.application_id).scans),
        )
        seen = self.clerk.detail(self.application_id)
        assert seen.form == self.agent.detail(self.application_id).form
        for scan in seen.scans:
            assert self.clerk.picture(scan.scan_hash) == self.agent.picture(scan.scan_hash)

    def the_township_begins_to_look_at_it(self) -> None:
        self.clerk.review(self.application_id, "begin")
        self.town.until_shown(self.village, self.application_id, "pre_review")

    def the_township_returns_it_once_with_everything_and_only_what_the_guide_names(self) -> None:
        added = [{"kind": "material", "ref": "无犯罪记录证明", "problem": "缺少", "remedy": "请补"}]
        with pytest.raises(CounterRefused) as why:
            self.clerk.review(self.application_id, "return", points=added)
        assert why.value.code == "return.added_requirement"
        assert self.clerk.detail(self.application_id).state == "pre_review"
        named = {point.ref for point in self.clerk.may_return(self.application_id).points}
        assert {"GA-YB-004-M01", "applicant_phone"} <= named
        points = [
            {"kind": "material", "ref": "GA-YB-004-M01", "problem": "影像不清", "remedy": "请重新拍照"},
            {"kind": "field", "ref": "applicant_phone", "problem": "号码打不通", "remedy": "请核对号码"},
        ]
        self.clerk.review(self.application_id, "return", points=points)
        assert self.clerk.detail(self.application_id).state == "returned"

    def the_village_answers_every_point(self) -> None:
        self.town.until_shown(self.village, self.application_id, "returned")
        shown = self.agent.detail(self.application_id)
        assert shown.who_must_act is not None
        assert shown.who_must_act.role == "agent"
        assert [(point.kind, point.ref) for point in shown.return_points] == [
            ("material", "GA-YB-004-M01"),
            ("field", "applicant_phone"),
        ]
        draft = self.agent.answer_return(self.application_id)
        assert draft.kind == "supplement"
        scan = self.agent.scan(draft.draft_id, "GA-YB-004-M01", 2, picture(self.rng))
        self.agent.change(
            draft.draft_id,
            values={"applicant_phone": "13800000077"},
            answers={"GA-YB-004-M01": "已重拍", "applicant_phone": "已核对"},
        )
        self.agent.collect(draft.draft_id)
        assert self.agent.detail(self.application_id).state == "pre_review"
        self.saved.append(Saved(self.application_id, self.saved[0].receipt_no, (scan.scan_hash,)))

    def the_township_accepts_and_the_handling_clock_runs(self) -> None:
        self.town.until(
            "the answer at the township", lambda: self.clerk.detail(self.application_id).state == "pre_review"
        )
        seen = self.clerk.detail(self.application_id)
        assert seen.form["applicant_phone"] == "13800000077"
        again = {scan.scan_hash for scan in seen.scans if scan.material_id == "GA-YB-004-M01"}
        assert again == set(self.saved[-1].scans), "the new photograph takes the place of the one that was returned"
        assert len(seen.scans) == 3
        self.clerk.review(self.application_id, "accept")
        self.town.until_shown(self.village, self.application_id, "accepted")
        clocks = {clock.kind: clock for clock in self.agent.detail(self.application_id).clocks}
        assert clocks["notice"].standing == "met"
        assert clocks["handling"].standing in {"running", "soon", "due_today", "provisional", "unknown"}

    # --- the department, the result, the villager -----------------------------------------------------------------

    def the_department_rules_at_the_office(self) -> None:
        with contextlib.closing(Office(self.world.gateway_url)) as office:
            office.rule(self.application_id, "review_started")
            office.rule(
                self.application_id,
                "decided",
                granted="yes",
                document_name="备案告知书",
                document_no="样例〔2026〕1号",
                reason="",
            )
            office.rule(self.application_id, "concluded")

    def the_result_comes_down_and_is_handed_over(self) -> None:
        self.town.until_shown(self.village, self.application_id, "concluded")
        decision = self.agent.detail(self.application_id).decision
        assert decision is not None
        assert (decision.granted, decision.document_name) == (True, "备案告知书")
        self.agent.act(self.application_id, "deliver", receiver="本人", way="上门")
        assert self.agent.detail(self.application_id).state == "delivered"

    def the_villager_rates_and_no_node_can_read_it_afterwards(self) -> None:
        self.agent.act(self.application_id, "rate", level=2, text="样例评价很方便")
        for node in (self.village, self.township):
            self.town.until_shown(node, self.application_id, "rated")
            assert "样例评价很方便" not in self.town.at(node).detail(self.application_id).model_dump_json()

    def every_step_took_effect_exactly_once(self) -> None:
        (case,) = self.town.cases()
        assert case["history"] == [
            *("collected", "submitted", "pre_review_started", "returned", "supplemented", "submitted", "accepted"),
            *("review_started", "decided", "concluded", "delivered", "rated"),
        ]
        made = effects(self.world)
        assert lost(self.saved, made) == []
        assert duplicated(made) == []
        for node in (self.village, self.township):
            assert [step.event for step in self.town.at(node).detail(self.application_id).history] == case["history"]
            self.town.until_drained(node)

    # --- the city publishes ---------------------------------------------------------------------------------------

    def a_changed_catalog_reaches_both_nodes_while_a_draft_is_open(self) -> None:
        self.typed = type_application(self.agent, self.village, ITEM, self.rng)
        self.world.publish_catalog(changed_catalog(self.world.folder / "source", ITEM, NEW_CONDITION))
        for node in (self.village, self.township):
            self.town.until_catalog(node, 2)
            assert NEW_CONDITION in self.town.at(node).guide(ITEM).item["conditions"]
            assert self.town.at(node).status().alarms == []

    def a_draft_begun_before_is_collected_under_the_catalog_it_was_begun_on(self) -> None:
        assert self.typed is not None
        draft = self.agent.draft(self.typed.draft_id)
        assert (draft.catalog_version, draft.newer_version) == (1, 2)
        slip = self.agent.collect(self.typed.draft_id)
        self.saved.append(Saved(slip.application_id, slip.receipt_no, self.typed.scans))
        self.town.until_shown(self.township, slip.application_id, "submitted")
        for node in (self.village, self.township):
            assert self.town.at(node).detail(slip.application_id).catalog_version == 1
        assert self.agent.begin(ITEM).catalog_version == 2
        self.town.until_drained(self.village)
        made = effects(self.world)
        assert (lost(self.saved, made), duplicated(made)) == ([], [])


@pytest.fixture
def walk(ledger_url: str) -> Iterator[Walk]:
    with town(ledger_url) as place:
        yield Walk(place)


def test_one_application_from_a_village_without_a_line_to_a_rating_and_a_new_catalog(walk: Walk) -> None:
    walk.the_line_to_the_village_is_cut()
    walk.the_agent_finds_the_item_by_what_people_say_and_by_initials()
    walk.the_guide_says_what_is_needed_before_anything_is_typed()
    walk.the_proxy_rule_is_applied_before_anything_is_typed()
    walk.a_draft_is_kept_as_it_was_typed_also_when_it_is_wrong_and_the_power_fails()
    walk.what_is_missing_is_told_all_at_once_and_the_draft_stays()
    walk.scans_are_sealed_before_they_are_called_kept()
    walk.collecting_gives_the_receipt_at_once_without_any_line()
    walk.asking_for_the_same_collect_again_gives_the_same_slip()

    walk.the_line_comes_back_and_the_backlog_drains()
    walk.the_city_has_it_once_with_all_its_scans()

    walk.the_township_sees_it_in_its_queue_with_the_same_scans()
    walk.the_township_begins_to_look_at_it()
    walk.the_township_returns_it_once_with_everything_and_only_what_the_guide_names()
    walk.the_village_answers_every_point()
    walk.the_township_accepts_and_the_handling_clock_runs()

    walk.the_department_rules_at_the_office()
    walk.the_result_comes_down_and_is_handed_over()
    walk.the_villager_rates_and_no_node_can_read_it_afterwards()
    walk.every_step_took_effect_exactly_once()

    walk.a_changed_catalog_reaches_both_nodes_while_a_draft_is_open()
    walk.a_draft_begun_before_is_collected_under_the_catalog_it_was_begun_on()
