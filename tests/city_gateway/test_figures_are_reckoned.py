"""The assessment figures from a real ledger: by the own region, in whole months, and taken along on the record."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework.application import Role
from casework.figures import Share
from city_gateway.__main__ import app as commands
from city_gateway.acts.figure_tables import COLUMNS
from city_gateway.acts.figures import assessment, months
from city_gateway.acts.gateway import CITY_REGION
from city_gateway.acts.receive import exchange
from city_gateway.errors import PeriodWrong
from city_gateway.ledger.journal import Road
from city_gateway.wording import sentences
from tests.city_gateway.catalog_world import CatalogWorld
from tests.city_gateway.gateway_fixtures import OTHER_VILLAGE, VILLAGE, City, EnrolledNode
from tests.city_gateway.test_the_back_office_rules import accepted, clerk, secret, sign_in
from tests.city_gateway.test_who_read_is_kept import acts
from wire.canonical import canonical_json
from wire.messages import RATING_LABEL, ExchangeHead, ExchangeRequest
from wire.sealed_note import seal_note

pytestmark = pytest.mark.node
NOVEMBER = ("2026-11", "2026-11")


async def granted(city: City) -> str:
    """An application that a department's clerk granted on the day it was accepted, one kind of news by line."""
    _, application_id = await accepted(city)
    await sign_in(city)
    form = {"form_secret": await secret(city)}
    path = f"/office/applications/{application_id}/rulings"
    await city.client.post(f"{path}/review_started", data=form)
    said = {"granted": "yes", "document_name": "登记证", "document_no": "演示1号"}
    assert (await city.client.post(f"{path}/decided", data=form | said)).status_code == 303
    return application_id


def publish(tmp_path: Path) -> None:
    world = CatalogWorld(tmp_path)  # its gateway folder is the city's
    world.begin()
    world.publish()


async def test_what_a_region_did_in_a_month_is_reckoned_by_site_and_by_item(city: City, tmp_path: Path) -> None:
    publish(tmp_path)
    clerk(city)
    await granted(city)
    found, online = assessment(city.gateway, CITY_REGION, months(*NOVEMBER))
    total = found.total
    assert (total.filed, total.decided, total.on_time_rate, total.online_rate) == (1, 1, Share(1, 1), Share(1, 1))
    assert found.by_site == {VILLAGE: total}
    assert found.by_item == {"GA-YB-001": total}
    assert online.unknown > 0, "what the catalog does not say is not taken for no"
    assert assessment(city.gateway, "511602000000", months(*NOVEMBER))[0].by_site == {}
    assert assessment(city.gateway, CITY_REGION, months("2026-12", "2026-12"))[0].total.decided == 0


async def test_without_the_catalog_it_was_filed_under_the_limit_is_unknown(city: City) -> None:
    clerk(city)
    await granted(city)
    total = assessment(city.gateway, CITY_REGION, months(*NOVEMBER))[0].total
    assert (total.decided, total.limit_unknown, total.on_time_rate, total.average_days) == (1, 1, Share(0, 0), None)


async def test_what_a_stick_brought_is_told_from_what_a_line_brought(city: City) -> None:
    by_line, by_stick = await city.enrol(), await city.enrol("village", OTHER_VILLAGE)
    _, envelope = by_line.collect()
    await by_line.exchange(envelope)
    _, carried = by_stick.collect()
    head = ExchangeHead(node=by_stick.document.node_id, nonce="0" * 32, feed_cursor=0)
    exchange(city.gateway, by_stick.document.node_id, ExchangeRequest(head, (carried,)), Road.STICK)
    found, _ = assessment(city.gateway, CITY_REGION, months(*NOVEMBER))
    assert found.total.online_rate == Share(1, 2)
    assert found.by_site[OTHER_VILLAGE].online_rate == Share(0, 1)


async def test_ratings_are_read_and_those_of_few_people_are_not_shown(city: City) -> None:
    """Six applicants of one village and one of another rate; the one is nobody's business."""
    clerk(city)
    await sign_in(city)
    form = {"form_secret": await secret(city)}
    township = await city.enrol("township", "511603106000")
    for site, count in ((VILLAGE, 6), (OTHER_VILLAGE, 1)):
        village = await city.enrol("village", site)
        for _ in range(count):
            await rated(city, village, township, form)
    found, _ = assessment(city.gateway, CITY_REGION, months(*NOVEMBER))
    assert (found.total.rated, found.total.average_level) == (7, 2.0)
    assert {site: one.rated for site, one in found.by_site.items()} == {VILLAGE: None, OTHER_VILLAGE: None}
    assert found.by_item["GA-YB-001"].rated == 7
    page = (await city.client.get("/office/figures", params={"first": "2026-11"})).text
    table = page.partition("</table>")[0]
    assert table.count(sentences("zh_CN")["figures.withheld"]) == 2 * 3, "three figures of two sites"


async def rated(city: City, village: EnrolledNode, township: EnrolledNode, form: dict[str, str]) -> None:
    application_id, envelope = village.collect()
    await village.exchange(envelope)
    acts_ = [township.event("pre_review_started"), township.event("accepted")]
    await township.exchange(*[township.act(act, application_id=application_id) for act in acts_])
    said = {"granted": "yes", "document_name": "登记证", "document_no": "演示1号"}
    for code, values in {"review_started": {}, "decided": said, "concluded": {}}.items():
        path = f"/office/applications/{application_id}/rulings/{code}"
        assert (await city.client.post(path, data=form | values)).status_code == 303
    level = canonical_json({"level": 2, "text": "很好"})
    note = seal_note(RATING_LABEL, level, village.document.gateway.sealing_publics[0])
    delivered = village.act(
        village.event("delivered", receiver="本人", way="window"), application_id=application_id, basis=5
    )
    done = village.act(village.event("rated"), application_id=application_id, rating=note, basis=6)
    heard = await village.exchange(delivered, done)
    assert heard.receipt.hwm == village.head.seq


async def test_a_clerk_sees_the_figures_of_the_own_region_and_takes_them_along_on_the_record(city: City) -> None:
    clerk(city)
    await granted(city)
    page = (await city.client.get("/office/figures", params={"first": "2026-11"})).text
    assert VILLAGE in page
    assert sentences("zh_CN")["figures.note.on_time"] in page
    table = await city.client.get("/office/figures.csv", params={"first": "2026-11", "by": "item"})
    assert table.headers["content-type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [line[0] for line in lines[1:]] == ["", "GA-YB-001"]
    assert len(lines[0]) == len(COLUMNS) + 2
    assert acts(city)[-1] == ("exported", None, "figures 2026-11..2026-11 item")
    clerk(city, "511602000000", Role.ADMINISTRATOR)
    await sign_in(city)
    other = (await city.client.get("/office/figures", params={"first": "2026-11"})).text
    assert VILLAGE not in other


@pytest.mark.parametrize("first", ["2026-13", "2026", "x", "2026-12"])
async def test_a_period_that_is_none_is_refused(city: City, first: str) -> None:
    clerk(city)
    await sign_in(city)
    asked = {"first": first, "last": "2026-11"}
    assert (await city.client.get("/office/figures", params=asked)).status_code == 400
    with pytest.raises(PeriodWrong):
        months(first, "2026-11")


async def test_the_command_writes_json_whose_unknowns_are_null(
    city: City, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUANGAN_LEDGER", ledger_url)
    clerk(city)
    await granted(city)
    at = ["figures", "--folder", str(city.gateway.folder.root), "--first", "2026-11"]
    told = json.loads(CliRunner().invoke(commands, at).output)
    assert (told["total"]["decided"], told["total"]["on_time_rate"]) == (1, None)
    assert VILLAGE in told["by_site"]
    table = CliRunner().invoke(commands, [*at, "--form", "by-site"])
    assert (table.exit_code, VILLAGE in table.output) == (0, True)
    assert CliRunner().invoke(commands, [*at, "--last", "2026-10"]).exit_code == 1
    assert CliRunner().invoke(commands, [*at, "--region", "5116"]).exit_code == 2
