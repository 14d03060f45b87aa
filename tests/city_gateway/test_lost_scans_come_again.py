"""Scans that a village lost before they came here are scanned again; what the city holds is never replaced so."""

from __future__ import annotations

import asyncio
import os

import pytest

from city_gateway.acts.outline import outline
from tests.city_gateway.gateway_fixtures import TOWNSHIP, City, results
from wire.messages import FeedEntry

pytestmark = pytest.mark.node


async def test_a_page_that_never_came_is_replaced_and_the_township_gets_the_new_key(city: City) -> None:
    village, township = await city.enrol(), await city.enrol("township", TOWNSHIP)
    lost, again = village.sealed_scan(b"first"), village.sealed_scan(b"again")
    application_id, collected = village.collect(lost)
    await village.exchange(collected)
    await township.everything()
    await township.exchange(township.act(township.event("pre_review_started"), application_id=application_id, basis=1))
    rescanned = village.act(
        village.event("rescanned", scans=(again.as_scan(),)), application_id=application_id, basis=2
    )
    got = await village.exchange(rescanned)
    assert results(got.feed)[-1] == "applied"
    await village.upload(again)
    told: list[FeedEntry] = []
    for _ in range(100):  # keys go out beside the answers
        told += await township.everything()
        if any(again.name in entry.scan_wraps for entry in told):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the key of the new scan did not come")
    (case,) = outline(city.gateway.ledger)
    assert (case["state"], case["history"][-1]) == ("pre_review", "rescanned")
    swapped = await city.enrol("township", TOWNSHIP)
    handed_on = await swapped.everything()
    assert any(again.name in entry.scan_wraps for entry in handed_on), "a new machine reads the new page too"


async def test_what_the_city_holds_is_not_replaced(city: City) -> None:
    village = await city.enrol()
    first, again = village.sealed_scan(os.urandom(50)), village.sealed_scan(os.urandom(50))
    application_id, collected = village.collect(first)
    await village.exchange(collected)
    await village.upload(first)
    rescanned = village.act(
        village.event("rescanned", scans=(again.as_scan(),)), application_id=application_id, basis=1
    )
    got = await village.exchange(rescanned)
    assert results(got.feed)[-1] == "refused"
    refusal = got.feed[-1].refusal
    assert refusal is not None
    assert refusal.code == "rescan.not_needed"


async def test_only_materials_that_had_scans_are_scanned_again(city: City) -> None:
    village = await city.enrol()
    again = village.sealed_scan(b"again")
    application_id, collected = village.collect(village.sealed_scan(b"first"))
    await village.exchange(collected)
    rescanned = village.act(
        village.event("rescanned", scans=(again.as_scan("M7"),)), application_id=application_id, basis=1
    )
    refusal = (await village.exchange(rescanned)).feed[-1].refusal
    assert refusal is not None
    assert refusal.code == "lifecycle.not_scanned_before"
