"""F3 says why something is not at the city yet, who must act, what comes next and when; the same words everywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rich.cells import cell_len

from tests.simulators.agents_work import ON_THE_FAKE, collected
from tests.simulators.simulated_state import NOW
from tests.simulators.words import words_of
from tui import wording
from tui.screens.applications import row_of
from tui.waiting_words import short_words, waiting_lines
from tui.wording import LANGUAGES, of, t
from wire.counter import ApplicationBrief, WaitingView
from wire.waiting import RULES, Facts, Hold, Item, Place, Reason, Road, Then, Who, conditions, explain

pytestmark = pytest.mark.screen


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_vocabulary_has_words_of_its_own(language, monkeypatch):
    monkeypatch.setattr(wording, "_spoken", words_of(language))
    for family, members in (("why", Reason), ("who", Who), ("then", Then)):
        for member in members:
            assert wording._spoken.gettext(f"{family}.{member}") != f"{family}.{member}", member


def test_a_reason_of_a_newer_node_is_told_all_the_same():
    one = WaitingView(why="of_tomorrow", who="somebody", then="something")
    first, second = waiting_lines([one], NOW)
    assert "of_tomorrow" in first
    assert second


def test_every_explanation_fits_two_lines_of_a_small_terminal():
    for reason, rule in RULES.items():
        tomorrow = NOW + timedelta(days=1)
        one = WaitingView(
            why=reason.value, who=rule.who.value, then=rule.then.value, when=tomorrow, stick=rule.stick, scans=12
        )
        first, second = waiting_lines([one], NOW)
        assert cell_len(first) <= 78, reason
        assert cell_len(second) <= 76, reason


def test_a_time_that_has_passed_is_not_promised():
    facts = Facts(road=Road.DOWN, next_try=NOW)
    one = WaitingView.of(explain(Item(place=Place.HERE), facts))
    assert "17:30" not in waiting_lines([one], NOW)[1]
    assert "17:30" in waiting_lines([one], NOW - timedelta(minutes=1))[1]


@ON_THE_FAKE
async def test_f3_tells_the_line_and_what_waits_from_any_screen(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        held = next(iter(node.applications.values()))
        await agent.press("f3")
        await agent.at("line")
        await agent.sees("线路不通", "不用您做什么 · 自动再试（17:50） · 也可用 U 盘带走")
        await agent.sees("没有送完的办件，共 1 件", held.receipt_no, "影像 0/3")
        await agent.press("1")
        await agent.at("application")
        await agent.sees("! 代办收件、影像 3 张：线路不通", "期限未知 · 影像 0/3 已到")
        await agent.press("f3")
        await agent.at("line")
        await agent.press("f3")
        await agent.at("application")


@ON_THE_FAKE
async def test_nobody_who_is_not_signed_in_gets_to_it(at_the_screen):
    async with at_the_screen(signed_in=False) as agent:
        await agent.at("sign_in")
        assert "F3" not in agent.text()
        await agent.press("f3")
        await agent.settle()
        assert agent.screen.place == "sign_in"


@ON_THE_FAKE
async def test_a_refused_act_says_what_to_do(at_the_screen, node):
    async with at_the_screen() as agent:
        await collected(agent)
        held = next(iter(node.applications.values()))
        node.standing[held.application_id] = "refused"
        await agent.press("escape")
        await agent.at("home")
        await agent.press("5")
        await agent.at("applications")
        await agent.sees("已收件·市平台未采纳", "市平台没有采纳，请您处理")


@ON_THE_FAKE
async def test_everything_that_is_wrong_is_told_at_once_the_most_urgent_first(at_the_screen, node):
    facts = Facts(
        road=Road.DOWN,
        error="ConnectError",
        next_try=NOW + timedelta(hours=1),
        hold=Hold.OPERATIONS_ONLY,
        alarms=frozenset({"catalog_expired", "disk_full"}),
    )
    told = [WaitingView.of(one) for one in conditions(facts)]
    node.status = node.status.model_copy(update={"conditions": told})
    async with at_the_screen() as agent:
        await agent.press("f3")
        await agent.at("line")
        await agent.sees("都已送到市平台")
        text = agent.text()
        found = [text.index(of("why", one)) for one in ("disk_full", "operations_only", "catalog_expired", "line_down")]
        assert found == sorted(found)


@ON_THE_FAKE
async def test_a_node_that_does_not_answer_leaves_the_line_unknown(at_the_screen, road):
    async with at_the_screen() as agent:
        await agent.press("f3")
        await agent.at("line")
        await agent.sees("线路不通")
        road.cut = True
        await agent.sees(t("line.no_answer"))
        await agent.misses(t("line.nothing_waits"))
        assert "自动再试" not in agent.text()


def test_a_list_line_says_what_follows_or_who_must_act():
    def brief(reason):
        one = WaitingView.of(explain(Item(place=Place.HERE), Facts(road=reason, next_try=NOW + timedelta(minutes=5))))
        return ApplicationBrief(
            application_id="0" * 32, receipt_no="-", item_name="-", applicant_masked="李**", state="collected",
            standing="saved_here", updated_at=NOW, waiting=[one],
        )  # fmt: skip

    assert short_words(brief(Road.DOWN).waiting, NOW) == "线路不通，自动再试（17:35）"
    assert short_words(brief(Road.SILENT).waiting, NOW) == "送件程序没有动静，请联系装机员"


def test_scans_that_wait_alone_do_not_hide_whose_turn_it_is():
    scans = WaitingView.of(explain(Item(place=Place.HERE, scan=True), Facts(road=Road.SILENT)), scans=2)
    brief = ApplicationBrief(
        application_id="0" * 32, receipt_no="-", item_name="-", applicant_masked="李**", state="concluded",
        standing="confirmed", updated_at=NOW, waiting=[scans], scans_total=2,
        who_must_act={"role": "agent", "what": "duty.deliver"},
    )  # fmt: skip
    shown = row_of(brief, NOW).detail
    assert "该代办员" in shown
    assert "影像 0/2" in shown
    assert "送件程序" not in shown
    act = WaitingView.of(explain(Item(place=Place.HERE), Facts(road=Road.SILENT)), op="delivered")
    assert "送件程序" in row_of(brief.model_copy(update={"waiting": [act, scans]}), NOW).detail
