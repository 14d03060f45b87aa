"""Who rules sees the papers: each page opened for one answer, of the own region's applications and of nothing else."""

from __future__ import annotations

import pytest

from tests.city_gateway.gateway_fixtures import City, EnrolledNode, SealedScan
from tests.city_gateway.test_the_back_office_rules import clerk, sign_in

pytestmark = pytest.mark.node

PLAIN = b"\xff\xd8 an invented page \xff\xd9"


async def filed(city: City, *, sent: bool = True) -> tuple[EnrolledNode, str, SealedScan]:
    village = await city.enrol()
    scan = village.sealed_scan(PLAIN)
    if sent:
        await village.upload(scan)
    application_id, envelope = village.collect(scan)
    await village.exchange(envelope)
    return village, application_id, scan


def address(application_id: str, scan: SealedScan) -> str:
    return f"/office/applications/{application_id}/scans/{scan.name}"


async def test_a_page_is_shown_as_it_was_scanned_and_kept_nowhere(city: City) -> None:
    clerk(city)
    _, application_id, scan = await filed(city)
    await sign_in(city)
    page = await city.client.get(f"/office/applications/{application_id}")
    assert address(application_id, scan) in page.text
    shown = await city.client.get(address(application_id, scan))
    assert (shown.status_code, shown.content) == (200, PLAIN)
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["x-content-type-options"] == "nosniff"


async def test_one_that_has_not_come_is_said_to_be_on_its_way(city: City) -> None:
    clerk(city)
    _, application_id, scan = await filed(city, sent=False)
    await sign_in(city)
    page = await city.client.get(f"/office/applications/{application_id}")
    assert "还没有到市级" in page.text
    assert (await city.client.get(address(application_id, scan))).status_code == 404


async def test_another_region_an_other_application_and_nobody_see_nothing(city: City) -> None:
    clerk(city, "511602000000")
    village, application_id, scan = await filed(city)
    other, envelope = village.collect()
    await village.exchange(envelope)
    assert (await city.client.get(address(application_id, scan))).status_code == 303, "nobody is signed in"
    await sign_in(city)
    assert (await city.client.get(address(application_id, scan))).status_code == 404
    clerk(city)
    await sign_in(city)
    assert (await city.client.get(address(other, scan))).status_code == 404
    assert (await city.client.get(address(application_id, scan))).status_code == 200


async def test_a_scan_that_belongs_to_another_site_is_not_opened_by_naming_it(city: City) -> None:
    clerk(city, "511600000000")
    _, _, scan = await filed(city)
    thief = await city.enrol(site="511602102001")
    application_id, envelope = thief.collect(scan)
    await thief.exchange(envelope)
    await sign_in(city)
    assert (await city.client.get(address(application_id, scan))).status_code == 404


async def test_rotten_bytes_are_not_shown(city: City) -> None:
    clerk(city)
    _, application_id, scan = await filed(city)
    await sign_in(city)
    path = city.gateway.folder.scans / scan.name
    path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
    assert (await city.client.get(address(application_id, scan))).status_code == 404
