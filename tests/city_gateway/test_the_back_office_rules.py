"""The back office: signing in, ruling by form, the fleet, and the automatic department."""

from __future__ import annotations

import asyncio
import json
import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework.application import Application, Role
from casework.states import State
from city_gateway import __main__ as command
from city_gateway.acts import automatic
from city_gateway.acts.catalog_words import words_of
from city_gateway.acts.fleet import Standing, fleet
from city_gateway.acts.office import LOCKED_AFTER, add_clerk
from city_gateway.errors import OfficeFormRefused
from city_gateway.ledger import cases
from city_gateway.wording import sentences
from tests.city_gateway.catalog_world import SEED, CatalogWorld
from tests.city_gateway.gateway_fixtures import City, EnrolledNode, city_in

pytestmark = pytest.mark.node
PASSPHRASE = "a long passphrase"


def clerk(city: City, region: str = "511603000000", role: Role = Role.DEPARTMENT) -> None:
    add_clerk(
        city.gateway.ledger,
        clerk_id="d-1",
        name="李样例",
        department="测试局",
        region=region,
        passphrase=PASSPHRASE,
        randomness=os.urandom,
        role=role,
    )


async def sign_in(city: City, passphrase: str = PASSPHRASE) -> int:
    answer = await city.client.post("/office/sign-in", data={"clerk_id": "d-1", "passphrase": passphrase})
    return answer.status_code


async def secret(city: City) -> str:
    page = await city.client.get("/office/")
    found = re.search(r'name="form_secret" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


async def accepted(city: City) -> tuple[EnrolledNode, str]:
    village, township = await city.enrol(), await city.enrol("township", "511603106000")
    application_id, envelope = village.collect()
    await village.exchange(envelope)
    acts = [township.event("pre_review_started"), township.event("accepted")]
    await township.exchange(*[township.act(act, application_id=application_id) for act in acts])
    return village, application_id


def find(city: City, application_id: str) -> Application:
    with city.gateway.ledger.reading() as tx:
        case = cases.find(tx, application_id)
    assert case is not None
    return case.application


def state_of(city: City, application_id: str) -> State:
    return find(city, application_id).state


async def test_a_clerk_rules_from_the_page_and_the_village_hears_of_it(city: City) -> None:
    clerk(city)
    village, application_id = await accepted(city)
    assert await sign_in(city) == 303
    page = await city.client.get("/office/")
    assert application_id in page.text
    assert "张测试" not in page.text
    detail = await city.client.get(f"/office/applications/{application_id}")
    assert "张测试" in detail.text
    form = {"form_secret": await secret(city)}
    steps = {
        "review_started": {},
        "suspended": {"kind": "鉴定", "reason": "需要鉴定", "basis": "行政许可法第45条", "pauses_clock": "yes"},
        "resumed": {"result": "鉴定完毕"},
        "extended": {"days": "10", "reason": "经负责人批准"},
        "decided": {"granted": "yes", "document_name": "登记证", "document_no": "演示1号"},
        "concluded": {},
    }
    for code, values in steps.items():
        path = f"/office/applications/{application_id}/rulings/{code}"
        answer = await city.client.post(path, data=form | values)
        assert answer.status_code == 303, (code, answer.text)
    assert state_of(city, application_id) is State.CONCLUDED
    told = [event["event"] for entry in await village.everything() for event in entry.events]
    assert told == list(steps)


async def test_a_decision_is_revoked_only_knowingly_and_with_reason_and_ground(city: City) -> None:
    clerk(city)
    village, application_id = await accepted(city)
    await sign_in(city)
    form = {"form_secret": await secret(city)}
    path = f"/office/applications/{application_id}/rulings"
    paper = {"granted": "yes", "document_name": "登记证", "document_no": "演示1号"}
    for code, values in (("review_started", {}), ("decided", paper), ("concluded", {})):
        await city.client.post(f"{path}/{code}", data=form | values)
    why = {"reason": "材料虚假", "basis": "行政许可法第69条", "sure": "yes"}
    for left_out in why:
        said = {name: value for name, value in why.items() if name != left_out}
        assert (await city.client.post(f"{path}/revoked", data=form | said)).status_code == 400
    assert state_of(city, application_id) is State.CONCLUDED
    assert "确认撤销" in (await city.client.get(f"/office/applications/{application_id}")).text
    assert (await city.client.post(f"{path}/revoked", data=form | why)).status_code == 303
    assert state_of(city, application_id) is State.REVOKED
    last = (await village.everything())[-1].events[-1]
    assert (last["event"], last["reason"], last["basis"]) == ("revoked", why["reason"], why["basis"])


async def test_an_administrator_voids_a_record_and_everyone_concerned_is_told(city: City, ledger_url: str) -> None:
    village, application_id = await accepted(city)
    folder = str(city.gateway.folder.root)
    arguments = ["ledger", "void", "--folder", folder, "--database", ledger_url, "--by", "gl01"]
    receipt_no = find(city, application_id).receipt_no
    part = CliRunner().invoke(command.app, [*arguments, receipt_no[:-2]], input="报了两次\ny\n")
    assert (part.exit_code, "没有这件办件" in part.output) == (1, True), part.output
    arguments.append(receipt_no)
    for said in ("\n", "报了两次\nn\n"):
        assert CliRunner().invoke(command.app, arguments, input=said).exit_code == 1
        assert state_of(city, application_id) is State.ACCEPTED
    done = CliRunner().invoke(command.app, arguments, input="报了两次\ny\n")
    assert (done.exit_code, "已作废" in done.output) == (0, True), done.output
    assert state_of(city, application_id) is State.VOIDED
    last = (await village.everything())[-1].events[-1]
    assert (last["event"], last["reason"], last["by"]["role"]) == ("voided", "报了两次", "administrator")
    again = CliRunner().invoke(command.app, arguments, input="报了两次\ny\n")
    assert (again.exit_code, state_of(city, application_id)) == (1, State.VOIDED)


@pytest.mark.parametrize("region", ["511602000000", "511603107000"])
async def test_a_clerk_of_another_region_sees_nothing_of_it(city: City, region: str) -> None:
    clerk(city, region)
    _, application_id = await accepted(city)
    await sign_in(city)
    for which in ("open", "all"):
        assert application_id not in (await city.client.get("/office/", params={"which": which})).text
    receipt_no = find(city, application_id).receipt_no
    assert application_id not in (await city.client.get("/office/", params={"text": receipt_no})).text
    detail = await city.client.get(f"/office/applications/{application_id}")
    assert (detail.status_code, "张测试" in detail.text) == (404, False)
    path = f"/office/applications/{application_id}/rulings/review_started"
    assert (await city.client.post(path, data={"form_secret": await secret(city)})).status_code == 404
    assert state_of(city, application_id) is State.ACCEPTED


@pytest.mark.parametrize("region", ["511600000000", "511603000000", "511603106000", "511603106205"])
async def test_a_clerk_sees_what_lies_in_the_own_region(city: City, region: str) -> None:
    clerk(city, region)
    _, application_id = await accepted(city)
    await sign_in(city)
    assert application_id in (await city.client.get("/office/")).text
    assert (await city.client.get(f"/office/applications/{application_id}")).status_code == 200


async def test_a_form_without_the_sessions_secret_changes_nothing(city: City) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    path = f"/office/applications/{application_id}/rulings/review_started"
    for form in ({}, {"form_secret": "0" * 64}):
        assert (await city.client.post(path, data=form)).status_code == 400
    assert state_of(city, application_id) is State.ACCEPTED


async def test_a_ruling_out_of_turn_or_incomplete_is_refused_with_a_sentence(city: City) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    form = {"form_secret": await secret(city)}
    early = await city.client.post(f"/office/applications/{application_id}/rulings/concluded", data=form)
    assert (early.status_code, sentences("zh_CN")["error.office.ruling_refused"] in early.text) == (409, True)
    await city.client.post(f"/office/applications/{application_id}/rulings/review_started", data=form)
    refused = {"granted": "no", "reason": " "}
    empty = await city.client.post(f"/office/applications/{application_id}/rulings/decided", data=form | refused)
    assert (empty.status_code, state_of(city, application_id)) == (400, State.UNDER_REVIEW)


async def test_without_a_session_every_page_leads_to_the_sign_in(city: City) -> None:
    for path in ("/office/", "/office/nodes", "/office/applications/x"):
        answer = await city.client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/office/sign-in")


async def test_a_failed_sign_in_shows_the_form_again_with_a_sentence(city: City) -> None:
    clerk(city)
    said = {"clerk_id": 'd-1"><b>', "passphrase": "a wrong passphrase"}
    page = await city.client.post("/office/sign-in", data=said)
    assert (page.status_code, "office" in city.client.cookies) == (403, False)
    assert sentences("zh_CN")["error.office.sign_in_refused"] in page.text
    assert 'name="passphrase"' in page.text
    assert "d-1&#34;&gt;&lt;b&gt;" in page.text
    assert "a wrong passphrase" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_looking_at_pages_writes_nothing_for_a_minute_and_keeps_the_session_alive(city: City) -> None:
    clerk(city)
    await sign_in(city)
    writes: list[object] = []
    real = city.gateway.ledger.run
    city.gateway.ledger.run = lambda act: (writes.append(act), real(act))[1]  # type: ignore[method-assign]
    for _ in range(3):
        assert (await city.client.get("/office/")).status_code == 200
    assert writes == []
    for _ in range(4):
        city.clock.forward(minutes=20)
        assert (await city.client.get("/office/")).status_code == 200
    assert len(writes) == 4


async def test_too_many_wrong_passphrases_lock_the_clerk_out_for_a_while(city: City) -> None:
    clerk(city)
    for _ in range(LOCKED_AFTER):
        assert await sign_in(city, "wrong passphrase") == 403
    assert await sign_in(city) == 403
    city.clock.forward(minutes=16)
    assert await sign_in(city) == 303


async def test_a_session_ends_when_left_alone_or_signed_out(city: City) -> None:
    clerk(city)
    await sign_in(city)
    form = {"form_secret": await secret(city)}
    kept = city.client.cookies["office"]
    assert (await city.client.post("/office/sign-out", data=form)).status_code == 303
    city.client.cookies.set("office", kept, domain="city.test", path="/office")
    assert (await city.client.get("/office/")).status_code == 303
    await sign_in(city)
    city.clock.forward(hours=1)
    assert (await city.client.get("/office/")).status_code == 303


async def test_a_new_passphrase_ends_every_session_of_the_clerk(city: City) -> None:
    clerk(city)
    await sign_in(city)
    assert (await city.client.get("/office/")).status_code == 200
    clerk(city)
    assert (await city.client.get("/office/")).status_code == 303


async def test_pages_are_not_kept_framed_or_scripted(city: City) -> None:
    answers = [await city.client.get("/office/sign-in"), await city.client.post("/office/sign-in", data={})]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
    cookie = (await _signed_in_answer(city)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


async def _signed_in_answer(city: City):
    clerk(city)
    return await city.client.post("/office/sign-in", data={"clerk_id": "d-1", "passphrase": PASSPHRASE})


async def test_a_short_passphrase_is_refused(city: City) -> None:
    with pytest.raises(OfficeFormRefused):
        add_clerk(
            city.gateway.ledger,
            clerk_id="d-2",
            name="李样例",
            department="测试局",
            region="511603000000",
            passphrase="short",
            randomness=os.urandom,
        )


async def test_a_region_that_is_none_is_refused(city: City) -> None:
    with pytest.raises(OfficeFormRefused):
        clerk(city, "511603")


def standings(city: City) -> list[Standing]:
    return [line.standing for line in fleet(city.gateway).lines]


async def test_a_silent_node_is_unknown_never_fine(city: City) -> None:
    village = await city.enrol()
    assert standings(city) == [Standing.UNKNOWN]
    await village.exchange()
    assert standings(city) == [Standing.HEARD]
    city.clock.forward(hours=25)
    assert standings(city) == [Standing.UNKNOWN]
    clerk(city, role=Role.ADMINISTRATOR)
    await sign_in(city)
    page = (await city.client.get("/office/nodes")).text
    assert sentences("zh_CN")["standing.unknown"] in page
    assert village.document.node_id in page


async def test_the_automatic_department_rules_once_on_what_waited_long_enough(city: City) -> None:
    village, application_id = await accepted(city)
    assert automatic.rule_waiting(city.gateway, waited=timedelta(seconds=5)) == 0
    city.clock.forward(seconds=6)
    assert automatic.rule_waiting(city.gateway, waited=timedelta(seconds=5)) == 1
    assert automatic.rule_waiting(city.gateway, waited=timedelta(seconds=5)) == 0
    assert state_of(city, application_id) is State.CONCLUDED
    events = [event["event"] for entry in await village.everything() for event in entry.events]
    assert events == ["review_started", "decided", "concluded"]


async def test_the_automatic_department_works_in_the_background(tmp_path: Path, ledger_url: str) -> None:
    waited = timedelta(seconds=0)
    async with city_in(tmp_path / "gateway", ledger_url, automatic_rulings=waited) as city:
        village, application_id = await accepted(city)
        heard = await village.exchange(wait_s=30)
        while not any(event["event"] == "concluded" for entry in heard.feed for event in entry.events):
            heard = await village.exchange(wait_s=30)
        assert state_of(city, application_id) is State.CONCLUDED
        await asyncio.sleep(0)


def test_both_languages_say_the_same_things() -> None:
    assert sentences("zh_CN").keys() == sentences("en").keys()


async def test_the_fields_of_a_form_are_called_by_their_names(city: City, tmp_path: Path) -> None:
    clerk(city)
    _, application_id = await accepted(city)
    await sign_in(city)
    before = await city.client.get(f"/office/applications/{application_id}")
    assert "<dt>applicant_id_no</dt>" in before.text
    world = CatalogWorld(tmp_path)  # its gateway folder is this city's
    world.begin()
    world.publish()
    source = json.loads((SEED / "forms.json").read_text())
    form = next(one for one in source["forms"] if one["form_id"] == "F-GA-YB-001")
    labels = {field["id"]: field["label"] for section in form["sections"] for field in section["fields"]}
    after = await city.client.get(f"/office/applications/{application_id}")
    assert f"<dt>{labels['applicant_id_no']}</dt>" in after.text
    assert "<dt>applicant_id_no</dt>" not in after.text
    options = {code: words for one in form["sections"] for f in one["fields"] for code, words in f.get("options", [])}
    assert f"<dd>{options['111']}</dd>" in after.text
    assert "<dd>True</dd>" not in after.text
    assert "<dd>111</dd>" not in after.text
    item = next(one for one in json.loads((SEED / "items.json").read_text())["items"] if one["item_id"] == "GA-YB-001")
    assert item["name"] in after.text
    words = words_of(city.gateway.folder.root, "F-GA-YB-001")
    assert words.materials[item["materials"][0]["material_id"]] == item["materials"][0]["name"]
    rows = [{"name": "张样例", "relation": "child"}]
    assert words.value("household_members", rows) == "姓名：张样例，与申请人关系：子女"
    assert words.value("applicant_region", "511603106205") == f"{words.regions['511603106205']} 511603106205"
    assert item["name"] in (await city.client.get("/office/?which=all")).text


async def test_a_form_with_a_nul_is_refused(city: City) -> None:
    clerk(city)
    answer = await city.client.post("/office/sign-in", data={"clerk_id": "d\0", "passphrase": "x"})
    assert answer.status_code == 400
