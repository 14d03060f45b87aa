"""The page for a clerk who forgot the passphrase: at the door, with the door's token, nothing in an address."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import pytest

from tests.edge_node.page_browser import Browser
from tests.edge_node.town import PASSPHRASE, Town
from wire.clerk_recovery import answer_for, shared_at_city

pytestmark = pytest.mark.node

CLERK, NEW = "clerk1", "another invented one"
GROUPS = re.compile(r"<span>(\d{5})</span>")


@pytest.fixture
async def at_the_door(town: Town) -> AsyncIterator[Browser]:
    """A browser in which nobody is signed in."""
    async with Browser.at(town.counter) as opened:
        yield opened


def city_answers(town: Town, challenge: str, clerk: str = CLERK) -> str:
    node = town.counter.node
    return answer_for(challenge, clerk, [shared_at_city(node.node_id, town.city, node.sealing_public)])


async def challenged(browser: Browser, clerk: str = CLERK) -> tuple[str, str]:
    """The challenge that is shown, and the token of the form below it."""
    shown = await browser.submit("/forgotten", "/forgotten", {"clerk": clerk})
    assert shown.status_code == 200, shown.text
    return " ".join(GROUPS.findall(shown.text)), browser.csrf_of(shown)


def typed(csrf: str, answer: str, passphrase: str = NEW, again: str | None = None) -> dict[str, str]:
    again = passphrase if again is None else again
    return {"csrf": csrf, "clerk": CLERK, "answer": answer, "passphrase": passphrase, "again": again}


async def test_from_the_sign_in_page_to_the_sign_in_page(at_the_door: Browser, town: Town) -> None:
    assert 'href="/forgotten"' in (await at_the_door.get("/sign-in")).text
    challenge, csrf = await challenged(at_the_door)
    done = await at_the_door.post("/forgotten/answer", typed(csrf, city_answers(town, challenge)))
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in?recovered=yes")
    assert "新口令已设好" in (await at_the_door.get(done.headers["location"])).text
    assert (await at_the_door.sign_in(CLERK, PASSPHRASE)).status_code == 401
    assert (await at_the_door.sign_in(CLERK, NEW)).status_code == 303


async def test_a_clerk_who_is_signed_in_elsewhere_is_signed_out(
    browser: Browser, at_the_door: Browser, town: Town
) -> None:
    assert (await browser.get("/review")).status_code == 200
    challenge, csrf = await challenged(at_the_door)
    await at_the_door.post("/forgotten/answer", typed(csrf, city_answers(town, challenge)))
    assert (await browser.get("/review")).headers["location"].startswith("/sign-in")


async def test_a_mistyped_group_is_named_and_everything_but_the_passphrase_stays(
    at_the_door: Browser, town: Town
) -> None:
    challenge, csrf = await challenged(at_the_door)
    answer = city_answers(town, challenge)
    mistyped = str((int(answer[0]) + 1) % 10) + answer[1:]
    shown = await at_the_door.post("/forgotten/answer", typed(csrf, mistyped))
    assert (shown.status_code, "第 1 组" in shown.text) == (422, True)
    assert (" ".join(GROUPS.findall(shown.text)), mistyped in shown.text, NEW in shown.text) == (challenge, True, False)
    differ = await at_the_door.post("/forgotten/answer", typed(csrf, answer, again="something else"))
    assert (differ.status_code, "两遍新口令不一样" in html.unescape(differ.text)) == (400, True)
    assert (await at_the_door.post("/forgotten/answer", typed(csrf, answer))).status_code == 303


async def test_an_answer_for_a_colleague_is_refused_and_counted(at_the_door: Browser, town: Town) -> None:
    colleague, _ = await challenged(at_the_door, "agent1")
    _, csrf = await challenged(at_the_door)
    shown = await at_the_door.post("/forgotten/answer", typed(csrf, city_answers(town, colleague, "agent1")))
    assert (shown.status_code, "还可以试 4 次" in shown.text) == (403, True)
    assert (await at_the_door.sign_in(CLERK, NEW)).status_code == 401


async def test_an_answer_that_was_used_begins_anew(at_the_door: Browser, town: Town) -> None:
    challenge, csrf = await challenged(at_the_door)
    answer = city_answers(town, challenge)
    await at_the_door.post("/forgotten/answer", typed(csrf, answer))
    again = await at_the_door.post("/forgotten/answer", typed(csrf, answer, "a third invented one"))
    assert (again.status_code, "已经用过一次" in again.text, GROUPS.findall(again.text)) == (409, True, [])
    assert (await at_the_door.sign_in(CLERK, "a third invented one")).status_code == 401


@pytest.mark.parametrize("clerk", ["nobody", "x" * 41, " "])
async def test_who_is_no_clerk_gets_a_sentence_and_no_challenge(at_the_door: Browser, clerk: str) -> None:
    shown = await at_the_door.submit("/forgotten", "/forgotten", {"clerk": clerk})
    assert (shown.status_code in {400, 404}, GROUPS.findall(shown.text)) == (True, [])
    assert 'role="alert"' in shown.text


@pytest.mark.parametrize("path", ["/forgotten", "/forgotten/answer"])
async def test_a_form_of_another_site_does_nothing(at_the_door: Browser, town: Town, path: str) -> None:
    challenge, csrf = await challenged(at_the_door)
    answer = city_answers(town, challenge)
    forged = await at_the_door.post(path, typed("0" * 64, answer))
    elsewhere = await at_the_door.post(path, typed(csrf, answer), **{"Sec-Fetch-Site": "cross-site"})
    assert (forged.status_code, elsewhere.status_code) == (403, 403)
    assert (await at_the_door.sign_in(CLERK, NEW)).status_code == 401
