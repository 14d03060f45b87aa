"""Chinese unless English is asked for: by the screen's header, on the page by the clerk's own choice at the door."""

import asyncio
import re

import pytest

from edge_node.acts import listing
from edge_node.language import speaking
from edge_node.wording import sentence
from tests.edge_node.village import AGENT, PASSPHRASE, Village, client_of

pytestmark = pytest.mark.node
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    return Village.at(tmp_path_factory.mktemp("village"))


async def refused(village, **headers):
    async with client_of(village.counter, **headers) as client:
        answer = await client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": "not this one"})
    return answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("en", "en"), ("en-GB,en;q=0.9,zh;q=0.1", "en"), ("zh-CN,en;q=0.9", "zh_CN"), ("fr", "zh_CN"), ("", "zh_CN")],
)
async def test_the_counter_answers_in_the_language_of_the_screen(village, accepted, language):
    said = await refused(village, **({"accept-language": accepted} if accepted else {}))
    with speaking(language):
        assert said == sentence("error.sign_in.refused")
    village.clock.passes(minutes=30)


async def test_requests_at_the_same_moment_are_each_answered_in_their_own_language(village):
    said = await asyncio.gather(*(refused(village, **{"accept-language": one}) for one in ("en", "zh", "en", "zh")))
    assert [bool(CHINESE.search(one)) for one in said] == [False, True, False, True]
    village.clock.passes(minutes=30)


async def test_the_catalog_stays_as_it_is_and_work_beside_requests_is_in_chinese(village):
    async with client_of(village.counter, **{"accept-language": "en"}) as client:
        signed = (await client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE})).json()
        client.headers["authorization"] = f"Bearer {signed['session']}"
        item = (await client.get("/counter/items/GA-YB-001")).json()["item"]
    assert CHINESE.search(item["name"])
    application_id = village.collected()
    village.mail.turn()
    village.receipt()
    village.tell(application_id, op_id=application_id, result="refused", refusal=("operation.malformed", {}))
    village.mail.turn()
    assert CHINESE.search(listing.detail(village.counter, village.who, application_id).refusal.remedy)
    with speaking("en"):
        assert not CHINESE.search(listing.detail(village.counter, village.who, application_id).refusal.remedy)


async def test_a_clerk_chooses_english_at_the_door_and_finds_it_everywhere(town):
    from tests.edge_node.page_browser import Browser

    application_id = town.application(1).application_id
    async with Browser.at(town.counter) as browser:
        door = await browser.get("/sign-in")
        assert 'lang="zh-CN"' in door.text
        again = await browser.post("/language", {"csrf": browser.csrf_of(door), "to": "en", "next": "/line"})
        assert again.headers["location"] == "/sign-in?next=%2Fline"
        await browser.sign_in()
        shown = (await browser.get("/line")).text
        assert 'lang="en"' in shown
        assert "The line, and what has not arrived" in shown
        own_words = re.sub(r"(?s)<main.*?</main>", "", shown)
        site = town.counter.node.site_name
        assert not CHINESE.search(own_words.replace(site, "").replace("王示例", "")), "the frame is English throughout"
        detail = (await browser.get(f"/review/{application_id}")).text
        assert CHINESE.search(detail), "the catalog and what was typed stay as they are"


async def test_a_browser_that_prefers_english_gets_the_page_in_chinese_until_somebody_chooses(town):
    from tests.edge_node.page_browser import Browser

    async with Browser.at(town.counter) as browser:
        browser.client.headers["accept-language"] = "en-US,en;q=0.9"
        assert 'lang="zh-CN"' in (await browser.get("/sign-in")).text
        browser.client.cookies.set("language", "tlh")
        assert 'lang="zh-CN"' in (await browser.get("/sign-in")).text


async def test_the_choice_needs_the_token_of_the_door(town):
    from tests.edge_node.page_browser import Browser

    async with Browser.at(town.counter) as browser:
        await browser.get("/sign-in")
        refused = await browser.post("/language", {"csrf": "0" * 64, "to": "en"})
        assert refused.status_code == 403
        assert "language" not in browser.cookies
