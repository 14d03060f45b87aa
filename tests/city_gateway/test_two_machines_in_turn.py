"""Two machines under one identity are shown to the administrator before anything conflicts; a moved disk is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from city_gateway.acts.fleet import fleet
from tests.city_gateway.gateway_fixtures import City
from wire.messages import NodeReport

pytestmark = pytest.mark.node


@pytest.mark.parametrize(
    ("spoken", "hours", "two"),
    [
        ("a", 1, False),
        ("aab", 1, False),
        ("aba", 1, True),
        ("abab", 1, True),
        ("abbbba", 1, True),
        ("aba", 30, False),
        ("abc", 1, False),
    ],
)
async def test_a_machine_that_speaks_again_after_another_is_two_machines(
    city: City, spoken: str, hours: int, two: bool
) -> None:
    node = await city.enrol()
    for machine in spoken:
        await node.exchange(report=NodeReport(machine=machine * 16))
        city.clock.now += timedelta(hours=hours)
    (line,) = fleet(city.gateway).lines
    assert line.two_machines is two
    assert line.report is not None
    assert line.report.machine == spoken[-1] * 16


async def test_a_node_that_says_nothing_of_its_machine_says_nothing(city: City) -> None:
    node = await city.enrol()
    await node.exchange(report=NodeReport())
    (line,) = fleet(city.gateway).lines
    assert not line.two_machines
