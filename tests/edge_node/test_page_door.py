"""The page's door: who gets in, what the browser is told, what a locked page keeps."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from edge_node.acts.sign_in import sign_in
from tests.edge_node.page_browser import Browser
from tests.edge_node.town import PASSPHRASE, Town
from wire.counter import IDLE_LOCK_SECONDS

pytestmark = pytest.mark.node


@pytest.fixture
async def browser(town: Town) -> AsyncIterator[Browser]:
    async with Browser.at(town.counter) as opened:
        yield opened


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/review", "/nowhere", "/catalog", "/strip", "/unlock"])
async def test_every_answer_carries_the_page_headers(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/review", "/catalog", "/strip", f"/review/{1:032x}", f"/review/{1:032x}/print/slip"]
)
async def test_nobody_sees_anything_before_signing_in(browser: Browser, town: Town, path: str) -> None:
    town.application(1)
    answer = await browser.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    answer = await browser.sign_in()
    assert answer.status_code == 303
    assert answer.headers["location"] == "/review"
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("counter=")]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert flags == {"httponly", "samesite=strict", "path=/"}


async def test_over_tls_the_cookie_is_secure(town: Town) -> None:
    async with Browser.at(town.counter, base="https://counter.local") as browser:
        answer = await browser.sign_in()
        (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("counter=")]
        assert "secure" in cookie.lower()


async def test_every_sign_in_begins_a_new_session_and_ends_the_old_one(browser: Browser) -> None:
    await browser.sign_in()
    first = browser.cookies["counter"]
    await browser.sign_in()
    assert browser.cookies["counter"] != first
    browser.cookies.set("counter", first)
    assert (await browser.get("/review")).status_code == 303


async def test_a_session_chosen_by_somebody_else_is_never_taken_over(browser: Browser) -> None:
    browser.cookies.set("counter", "0" * 64)
    answer = await browser.sign_in()
    assert answer.status_code == 303
    assert "0" * 64 not in "".join(answer.headers.get_list("set-cookie"))


async def test_after_signing_out_the_token_is_worth_nothing(browser: Browser) -> None:
    await browser.sign_in()
    token = browser.cookies["counter"]
    answer = await browser.submit("/review", "/sign-out")
    assert answer.headers["location"] == "/sign-in"
    browser.cookies.set("counter", token)
    assert (await browser.get("/review")).status_code == 303


async def test_a_wrong_passphrase_keeps_the_clerk_number_and_says_no_more(browser: Browser) -> None:
    answer = await browser.sign_in(passphrase="xyzzy")
    assert answer.status_code == 401
    assert 'value="clerk1"' in answer.text
    assert "xyzzy" not in answer.text
    nobody = await browser.sign_in(clerk="nobody", passphrase="xyzzy")
    assert nobody.status_code == 401
    assert _alert(nobody) == _alert(answer)


async def test_an_empty_sign_in_says_what_is_missing(browser: Browser) -> None:
    answer = await browser.sign_in(clerk="", passphrase="")
    assert answer.status_code == 400
    assert _alert(answer)
    assert "counter" not in browser.cookies


async def test_an_agent_is_not_let_into_the_township_page(browser: Browser, town: Town) -> None:
    answer = await browser.sign_in(clerk="agent1")
    assert answer.status_code == 403
    assert "counter" not in browser.cookies


async def test_an_agents_session_from_the_counter_socket_does_not_open_the_page(browser: Browser, town: Town) -> None:
    signed, _who = sign_in(town.counter, "agent1", PASSPHRASE)
    browser.cookies.set("counter", signed.session)
    assert (await browser.get("/review")).status_code == 403


async def test_signing_in_needs_the_token_of_the_door(browser: Browser) -> None:
    await browser.get("/sign-in")
    answer = await browser.post("/sign-in", {"clerk": "clerk1", "passphrase": PASSPHRASE, "csrf": "0" * 64})
    assert answer.status_code == 403
    assert "counter" not in browser.cookies


async def test_signing_in_never_leads_to_another_site(browser: Browser) -> None:
    answer = await browser.sign_in(following="//evil.example/")
    assert answer.headers["location"] == "/review"


async def test_an_idle_page_locks_and_opens_with_the_clerks_own_passphrase(browser: Browser, town: Town) -> None:
    await browser.sign_in()
    town.clock.seconds += IDLE_LOCK_SECONDS + 1
    locked = await browser.get("/catalog?q=1")
    assert locked.headers["location"] == "/unlock?next=%2Fcatalog%3Fq%3D1"
    refused = await browser.submit("/unlock?next=/catalog", "/unlock", {"passphrase": "xyzzy"})
    assert refused.status_code == 401
    assert (await browser.get("/review")).headers["location"].startswith("/unlock")
    shown = await browser.get("/unlock?next=/catalog")
    opened = await browser.post("/unlock", {**browser.hidden(shown), "passphrase": PASSPHRASE})
    assert opened.headers["location"] == "/catalog"
    assert (await browser.get("/catalog")).status_code == 200


async def test_the_status_strip_of_a_page_left_open_does_not_keep_it_awake(browser: Browser, town: Town) -> None:
    await browser.sign_in()
    for _ in range(25):
        town.clock.seconds += 30
        assert (await browser.get("/strip")).status_code == 200
    assert (await browser.get("/review")).headers["location"].startswith("/unlock")


async def test_the_strip_never_carries_a_half_filled_form_away(browser: Browser, town: Town) -> None:
    await browser.sign_in()
    town.restarts()
    strip = await browser.client.get("/strip", headers={"HX-Request": "true"})
    assert (strip.status_code, strip.headers.get("hx-redirect"), strip.content) == (204, None, b"")
    queue = await browser.client.get("/review?q=x", headers={"HX-Request": "true"})
    assert queue.headers["hx-redirect"] == "/sign-in"


TYPED = {
    "step": "do",
    "reason": "位于<核心区>",
    "basis": "森林法第五十五条",
    "elsewhere": "",
    "remedy": "可以依法申请行政复议",
}


async def test_what_was_typed_before_the_lock_comes_back_after_it_and_is_not_sent_by_itself(
    browser: Browser, town: Town
) -> None:
    await browser.sign_in()
    it = await browser.begun(town, 1)
    csrf = browser.csrf_of(await browser.get(f"/review/{it}/decline"))
    town.clock.seconds += IDLE_LOCK_SECONDS + 1
    locked = await browser.post(f"/review/{it}/decline", {**TYPED, "csrf": csrf})
    assert locked.status_code == 303
    door = await browser.get(locked.headers["location"])
    assert "没有丢" in door.text
    assert "核心区" not in door.text
    again = await browser.post("/unlock", {**browser.hidden(door), "passphrase": "xyzzy"})
    assert again.status_code == 401
    opened = await browser.post("/unlock", {**browser.hidden(again), "passphrase": PASSPHRASE})
    assert opened.headers["location"] == f"/review/{it}/decline"
    form = await browser.get(opened.headers["location"])
    assert form.status_code == 200
    assert "位于&lt;核心区&gt;" in form.text
    assert "还没有提交" in form.text
    assert town.state(it).state == "pre_review"


@pytest.mark.parametrize(
    ("origin", "shown"), [("http://counter.local", True), ("https://else.example", False), ("", False)]
)
async def test_what_was_typed_while_another_window_signed_out_can_be_copied(
    browser: Browser, town: Town, origin: str, shown: bool
) -> None:
    await browser.sign_in()
    it = await browser.begun(town, 1)
    csrf = browser.csrf_of(await browser.get(f"/review/{it}/decline"))
    browser.cookies.clear()  # what signing out in another window does
    refused = await browser.post(f"/review/{it}/decline", {**TYPED, "csrf": csrf}, Origin=origin)
    assert refused.status_code == 403
    assert ("位于&lt;核心区&gt;" in refused.text) is shown
    assert ("请先复制下来" in refused.text) is shown
    door = await browser.post(
        "/sign-in", {"clerk": "clerk1", "passphrase": PASSPHRASE, "csrf": "0" * 64}, Origin=origin
    )
    assert PASSPHRASE not in door.text
    assert town.state(it).state == "pre_review"


async def test_what_was_typed_survives_a_restart_of_the_node(browser: Browser, town: Town) -> None:
    await browser.sign_in()
    it = await browser.begun(town, 1)
    csrf = browser.csrf_of(await browser.get(f"/review/{it}/decline"))
    town.restarts()
    refused = await browser.post(f"/review/{it}/decline", {**TYPED, "csrf": csrf})
    assert refused.status_code == 401
    kept = browser.hidden(refused)
    opened = await browser.post("/sign-in", {**kept, "clerk": "clerk1", "passphrase": PASSPHRASE})
    assert opened.headers["location"] == f"/review/{it}/decline"
    form = await browser.get(opened.headers["location"])
    assert "森林法第五十五条" in form.text
    assert town.state(it).state == "pre_review"


async def test_a_clerk_who_typed_wrong_too_often_must_wait(browser: Browser) -> None:
    answers = [await browser.sign_in(passphrase="xyzzy") for _ in range(8)]
    assert 429 in {answer.status_code for answer in answers}
    assert (await browser.sign_in()).status_code == 429


async def test_a_defect_is_a_calm_page_and_its_message_stays_out_of_the_log(
    browser: Browser, town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await browser.sign_in()

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("张测试 511602180001010016")

    monkeypatch.setattr("edge_node.acts.listing.queue", broken)
    answer = await browser.get("/review")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == POLICY
    assert "RuntimeError" in caplog.text
    assert "张测试" not in caplog.text + answer.text


def _alert(answer: httpx.Response) -> str:
    found = re.search(r'role="alert".*?</div>', answer.text, re.DOTALL)
    return found.group(0) if found else ""
