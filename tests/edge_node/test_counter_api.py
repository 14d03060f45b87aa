"""The counter API over HTTP: who may in, what comes out, and that nothing typed is ever lost or echoed."""

import logging

import pytest

from edge_node.app import BODY_MAX_BYTES, counter_app
from offline_store.desk.clerks import FREE_FAILURES
from tests.edge_node.village import AGENT, CLERK, PASSPHRASE, Village, client_of, photo
from wire.counter import IDLE_LOCK_SECONDS

pytestmark = pytest.mark.node

SECRET = "竹林深处的暗语"


@pytest.fixture
def village(tmp_path):
    return Village.at(tmp_path)


@pytest.fixture
async def agent(village):
    async with client_of(village.counter) as client:
        answer = await client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE})
        client.headers["Authorization"] = f"Bearer {answer.json()['session']}"
        yield client


async def begun(client, item_id="GA-YB-001") -> str:
    answer = await client.post("/counter/drafts", json={"item_id": item_id})
    assert answer.status_code == 201
    return answer.json()["draft_id"]


def error(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    found = answer.json()["error"]
    assert found["message"]
    assert not found["message"].startswith("error.")
    return found


OPEN = {
    ("GET", "/counter/status"),
    ("POST", "/counter/sign-in"),
    ("POST", "/counter/sign-out"),
    ("POST", "/counter/recovery"),
    ("POST", "/counter/recovery/answer"),
}


def every_route(village) -> list[tuple[str, str]]:
    paths = counter_app(village.counter).openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


async def test_without_a_session_every_route_is_shut(village):
    routes = every_route(village)
    assert len(routes) > 30
    async with client_of(village.counter) as client:
        for method, path in routes:
            if (method, path) in OPEN:
                continue
            url = path.replace("{", "").replace("}", "")
            body = {"passphrase": "x"} if path.endswith("unlock") else {}
            answer = await client.request(method, url, params={"material_id": "x"}, json=body)
            assert answer.status_code == 401, (method, path)
            assert answer.json()["error"]["code"] == "session.missing"


async def test_the_status_bar_needs_nobody(village):
    async with client_of(village.counter) as client:
        bar = (await client.get("/counter/status")).json()
    assert (bar["role"], bar["line"], bar["clock_confidence"]) == ("village", "unknown", "estimated")
    assert (bar["catalog_version"], bar["alarms"]) == (1, [])


async def test_sign_in_says_who_and_sign_out_ends_it(agent):
    assert (await agent.get("/counter/domains")).status_code == 200
    assert (await agent.post("/counter/sign-out")).status_code == 204
    assert error(await agent.get("/counter/domains"), 401)["code"] == "session.missing"


@pytest.mark.parametrize("clerk", [AGENT, "nobody"])
async def test_a_wrong_passphrase_does_not_say_what_was_wrong(village, clerk):
    async with client_of(village.counter) as client:
        answer = await client.post("/counter/sign-in", json={"clerk": clerk, "passphrase": SECRET})
    assert error(answer, 401)["code"] == "sign_in.refused"
    assert SECRET not in answer.text


async def test_guessing_is_locked_out_and_survives_a_restart(village):
    async with client_of(village.counter) as client:
        for _ in range(FREE_FAILURES):
            await client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": SECRET})
        answer = await client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE})
        assert error(answer, 429)["params"]["wait_minutes"] >= 1
        other = await client.post("/counter/sign-in", json={"clerk": CLERK, "passphrase": PASSPHRASE})
        assert other.status_code == 200
    village.clock.wall = village.clock.wall.replace(year=2030)  # a moved wall clock shortens no wait
    village.counter.desk.close()
    again = type(village).at  # the same folder, as after a restart; its agent is locked out
    with pytest.raises(Exception, match="locked_out"):
        again(village.counter.paths.root, gateway=village.gateway, clock=village.clock)


async def test_an_idle_counter_locks_and_opens_with_the_passphrase_alone(village, agent):
    village.clock.passes(seconds=IDLE_LOCK_SECONDS + 1)
    assert error(await agent.get("/counter/domains"), 401)["code"] == "session.locked"
    assert error(await agent.post("/counter/unlock", json={"passphrase": SECRET}), 401)["code"] == "sign_in.refused"
    assert error(await agent.get("/counter/domains"), 401)["code"] == "session.locked"
    assert (await agent.post("/counter/unlock", json={"passphrase": PASSPHRASE})).status_code == 200
    assert (await agent.get("/counter/domains")).status_code == 200


@pytest.mark.parametrize("words", ["ylbx", "医保", "合作医疗", "城乡居民 参保"])
async def test_a_service_is_found_by_what_people_call_it(agent, words):
    found = (await agent.get("/counter/items", params={"q": words})).json()
    if words == "ylbx":  # the seed has no initials; they are computed at publication
        assert found["total"] == 0
    else:
        assert "GA-YB-001" in [row["item_id"] for row in found["rows"]]


async def test_lists_are_paged_and_domains_counted(agent):
    page = (await agent.get("/counter/items", params={"limit": 7, "offset": 7})).json()
    assert (len(page["rows"]), page["total"]) == (7, 58)
    domains = (await agent.get("/counter/domains")).json()
    assert sum(one["items"] for one in domains) == 58
    inside = (await agent.get("/counter/items", params={"domain": domains[0]["name"], "limit": 100})).json()
    assert inside["total"] == domains[0]["items"]


async def test_the_guide_says_whether_it_may_be_collected_here(agent):
    guide = (await agent.get("/counter/items/GA-YB-001")).json()
    assert (guide["may_collect"], guide["refusal"], guide["item"]["item_id"]) == (True, None, "GA-YB-001")
    assert guide["notices"] == []  # the notice of 2020 is history
    assert error(await agent.get("/counter/items/GA-XX-999"), 404)["code"] == "item.unknown"
    assert error(await agent.get("/counter/forms/F-XX"), 404)["code"] == "form.unknown"


async def test_the_tree_of_regions_opens_step_by_step(agent):
    top = (await agent.get("/counter/regions")).json()
    assert [one["code"] for one in top] == ["510000000000"]
    villages = (await agent.get("/counter/regions", params={"parent": "511603106000"})).json()
    assert "511603106205" in [one["code"] for one in villages]


async def test_what_is_typed_is_saved_as_typed_and_judged_field_by_field(agent):
    draft_id = await begun(agent)
    typed = {"applicant_id_no": "511602180001010011", "applicant_name": "张", "insured_year": "many"}
    saved = (
        await agent.patch(f"/counter/drafts/{draft_id}", json={"values": {**typed, "applicant_id_type": "111"}})
    ).json()
    told = {one["field_id"]: one for one in saved["problems"]}
    assert told["applicant_id_no"]["code"] == "form.resident_id.check_digit"
    assert told["applicant_name"]["code"] == "form.too_short"
    assert told["insured_year"]["code"] == "form.not_a_number"
    assert all(one["message"] and not one["message"].startswith("form.") for one in told.values())
    draft = (await agent.get(f"/counter/drafts/{draft_id}")).json()
    assert {name: draft["values"][name] for name in typed} == typed


HOSTILE = [
    "'; DROP TABLE draft; --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "=cmd|' /C calc'!A0",
    "\x1b[2J",
    "a\x00b",
    "𠮷野家",
    "\u202egnp.exe",
    "\ue000\ue001",
    " 前后有空 ",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_kept_to_the_byte_and_breaks_nothing(agent, text):
    draft_id = await begun(agent)
    answer = await agent.patch(f"/counter/drafts/{draft_id}", json={"values": {"applicant_name": text}})
    assert answer.status_code == 200
    assert (await agent.get(f"/counter/drafts/{draft_id}")).json()["values"]["applicant_name"] == text
    assert (await agent.post("/counter/applications/search", json={"words": text[:100]})).status_code == 200
    assert (await agent.get("/counter/items", params={"q": text.replace("\x00", "")})).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"values": {"applicant_name": "' + b"x" * (BODY_MAX_BYTES + 1) + b'"}}', 413, "request.too_large"),
        (b'{"values": {"applicant_name": "' + b"x" * 300_000 + b'"}}', 409, "draft.too_large"),
        (b'{"values": {"applicant_name": "\\ud800"}}', 409, "draft.not_text"),
        (b'{"values": {"insured_year": NaN}}', 409, "draft.not_text"),
        (b'{"values": [1]}', 422, "request.invalid"),
        (b'{"values": ', 422, "request.invalid"),
        (b'{"valuse": {}}', 422, "request.invalid"),
        (b"\xff\xfe", 422, "request.invalid"),
    ],
)
async def test_bad_input_is_refused_and_never_loses_the_draft(agent, caplog, body, status, code):
    draft_id = await begun(agent)
    await agent.patch(f"/counter/drafts/{draft_id}", json={"values": {"applicant_name": SECRET}})
    with caplog.at_level(logging.DEBUG):
        answer = await agent.patch(
            f"/counter/drafts/{draft_id}", content=body, headers={"Content-Type": "application/json"}
        )
    assert error(answer, status)["code"] == code
    assert b"xxx" not in answer.content
    assert SECRET not in caplog.text
    assert "xxx" not in caplog.text
    assert (await agent.get(f"/counter/drafts/{draft_id}")).json()["values"]["applicant_name"] == SECRET


async def test_a_defect_is_a_calm_answer_without_a_word_of_what_was_typed(village, agent, caplog, monkeypatch):
    from edge_node.acts import drafting

    def fails(*_args, **_named):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(drafting, "show", fails)
    with caplog.at_level(logging.DEBUG):
        answer = await agent.get("/counter/drafts/" + "0" * 32)
    assert error(answer, 500)["code"] == "internal"
    assert SECRET not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize("draft_id", ["x", "0" * 32, "..%2f..%2fetc", "0" * 400])
async def test_a_draft_that_is_not_there_is_not_found(agent, draft_id):
    answer = await agent.get(f"/counter/drafts/{draft_id}")
    assert error(answer, 404)["code"] in {"draft.unknown", "not_found"}


async def test_nobody_sees_what_a_colleague_was_typing(village, agent):
    draft_id = await begun(agent)
    async with client_of(village.counter) as other:
        answer = await other.post("/counter/sign-in", json={"clerk": CLERK, "passphrase": PASSPHRASE})
        other.headers["Authorization"] = f"Bearer {answer.json()['session']}"
        assert error(await other.get(f"/counter/drafts/{draft_id}"), 404)["code"] == "draft.unknown"
        assert (await other.get("/counter/drafts")).json()["total"] == 0


async def test_from_draft_to_slip_over_http(village, agent):
    draft_id = village.filled()
    found = village.counter.sessions.begin(village.who.actor, village.who.name)[0]
    agent.headers["Authorization"] = f"Bearer {found}"
    summary = (await agent.get(f"/counter/drafts/{draft_id}/summary")).json()
    assert summary["ready"] is True
    slip = (await agent.post(f"/counter/drafts/{draft_id}/collect")).json()
    assert (await agent.post(f"/counter/drafts/{draft_id}/collect")).json() == slip
    listed = (await agent.get("/counter/applications", params={"state": "collected"})).json()
    assert [row["receipt_no"] for row in listed["rows"]] == [slip["receipt_no"]]
    detail = (await agent.get(f"/counter/applications/{slip['application_id']}")).json()
    assert detail["acts"] == ["withdrawn", "proxy_suspended", "proxy_terminated"]
    assert (await agent.get(f"/counter/applications/{slip['application_id']}/slip")).json() == slip
    picture = await agent.get(f"/counter/scans/{detail['scans'][0]['scan_hash']}")
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/webp", "no-store")
    gone = await agent.post(f"/counter/applications/{slip['application_id']}/withdraw", json={"reason": "不办了"})
    assert gone.json()["state"] == "withdrawn"
    again = await agent.post(f"/counter/applications/{slip['application_id']}/withdraw", json={"reason": "不办了"})
    assert "已撤回" in error(again, 409)["message"]


async def test_what_is_not_ready_comes_back_with_every_field(agent):
    draft_id = await begun(agent)
    refused = error(await agent.post(f"/counter/drafts/{draft_id}/collect"), 409)
    assert refused["code"] == "draft.not_ready"
    assert len(refused["fields"]) > 5
    assert all(one["message"] for one in refused["fields"])
    assert refused["params"]["missing"]


async def test_a_guide_only_item_is_refused_with_its_own_sentence(agent):
    items = (await agent.get("/counter/items", params={"limit": 100})).json()["rows"]
    guided = next(one for one in items if one["service_mode"] == "guide")
    refused = error(await agent.post("/counter/drafts", json={"item_id": guided["item_id"]}), 409)
    assert (refused["code"], refused["params"]["refusal"]) == ("proxy.guide_only", "proxy.guide_only")


async def test_an_agent_reviews_nothing(village, agent):
    application_id = village.collected()
    assert error(await agent.get("/counter/review/queue"), 403)["code"] == "duty.not_yours"
    for act, body in (
        ("begin", None),
        ("accept", {}),
        ("decline", {"reason": "a", "basis": "b", "remedy": "c"}),
        ("forward", {"to": "a", "reason": "b"}),
    ):
        answer = await agent.post(f"/counter/review/{application_id}/{act}", json=body)
        assert error(answer, 403)["code"] == "duty.not_yours", act


async def test_a_scan_comes_in_over_http_and_goes_out_again(agent):
    draft_id = await begun(agent)
    url = f"/counter/drafts/{draft_id}/scans"
    scan = await agent.post(url, params={"material_id": "GA-YB-001-M01"}, content=photo())
    assert scan.status_code == 201
    second = (await agent.post(url, params={"material_id": "GA-YB-001-M01"}, content=photo(9))).json()
    assert (scan.json()["page"], second["page"], second["media_type"]) == (1, 2, "image/webp")
    shown = await agent.get(f"/counter/scans/{second['scan_hash']}")
    assert shown.content[:4] == b"RIFF"
    assert (await agent.delete(f"{url}/{second['scan_hash']}")).status_code == 204
    assert error(await agent.get(f"/counter/scans/{second['scan_hash']}"), 404)["code"] == "scan.unknown"


@pytest.mark.parametrize("scan_hash", ["0" * 64, "x", "..%2f..%2fdesk%2fdesk.db"])
async def test_only_a_known_scan_is_shown(agent, scan_hash):
    error(await agent.get(f"/counter/scans/{scan_hash}"), 404)


async def test_refusals_of_routes_that_are_not_there_have_the_same_shape(agent):
    assert error(await agent.get("/counter/of-tomorrow"), 404)["code"] == "not_found"
    assert error(await agent.put("/counter/status"), 405)["code"] == "method_not_allowed"
    assert error(await agent.get("/docs"), 404)["code"] == "not_found"
