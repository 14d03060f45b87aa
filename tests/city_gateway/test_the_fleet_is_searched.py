"""The fleet on the console: what nodes say is wrong, found and paged on the server, each administrator's own region."""

from __future__ import annotations

import pytest

from casework.application import Role
from city_gateway.acts.fleet import Asked, Standing, fleet
from city_gateway.wording import sentences
from tests.city_gateway.gateway_fixtures import OTHER_VILLAGE, VILLAGE, City
from tests.city_gateway.test_the_back_office_rules import clerk, sign_in
from wire.messages import NodeReport

pytestmark = pytest.mark.node


async def page(city: City, **asked: str | int) -> str:
    return (await city.client.get("/office/nodes", params=asked)).text


async def test_what_a_node_says_is_wrong_is_shown_in_words_and_of_a_newer_node_by_its_code(city: City) -> None:
    clerk(city, "511600000000", Role.ADMINISTRATOR)
    village = await city.enrol()
    await village.exchange(report=NodeReport(alarms=["disk_full", "of_tomorrow"]))
    await sign_in(city)
    shown = await page(city)
    assert sentences("zh_CN")["alarm.disk_full"] in shown
    assert "of_tomorrow" in shown
    await village.exchange(report=NodeReport())
    assert sentences("zh_CN")["alarm.disk_full"] not in await page(city), "the last report counts"


async def test_nodes_are_found_by_standing_and_by_a_word(city: City) -> None:
    well, ill = await city.enrol(name="好站"), await city.enrol("village", OTHER_VILLAGE, "病站")
    silent = await city.enrol("village", "511603106206", "默站")
    await well.exchange()
    await ill.exchange(report=NodeReport(alarms=["disk_full"]))

    def found(**asked: str) -> list[str]:
        return [line.node.node_id for line in fleet(city.gateway, Asked(**asked)).lines]

    assert found(which="alarmed") == [ill.document.node_id]
    assert found(which=Standing.UNKNOWN.value) == [silent.document.node_id]
    assert found(which="heard", text="好站") == [well.document.node_id]
    assert found(text=VILLAGE) == [well.document.node_id]
    assert len(found(which="no such")) == 3
    assert found(region="511602000000") == []
    counts = fleet(city.gateway).counts
    assert (counts["all"], counts["alarmed"], counts["heard"], counts["unknown"]) == (3, 1, 2, 1)


async def test_a_long_fleet_comes_in_pages_and_an_administrator_sees_the_own_region(city: City) -> None:
    clerk(city, "511603106000", Role.ADMINISTRATOR)
    for number in range(51):
        await city.enrol("village", f"511603106{number + 300:03}", f"第{number:02}站")
    await city.enrol("village", "511603105001", "别处的站")
    await sign_in(city)
    first, second, beyond = await page(city), await page(city, page=2), await page(city, page=99)
    assert ("第00站" in first, "第50站" in first) == (True, False)
    assert ("第00站" in second, "第50站" in second) == (False, True)
    assert "第50站" in beyond, "a page that is none is the last"
    assert "别处的站" not in first + second
    assert "第07站" in await page(city, text="第07")
