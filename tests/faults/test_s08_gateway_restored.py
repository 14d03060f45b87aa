"""S08. The gateway is restored from a backup of any age while the nodes run: everything comes again by itself.

What was saved has one effect, what other people did is done again by them or by the office, screens say what the city's
order now is, and every scan that the city speaks of lies in its store, although the villages erase the papers of what
is over. Two protections are taken away: papers erased on receipt instead of on the stable mark are lost, and so is what
lies beyond a mark that never goes back.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from city_gateway.acts import receive
from edge_node.acts import erasing
from offline_store.desk import applications
from tests.faults.restored_city import Reckoned, RestoredCity, living, open_again, reckon
from tests.faults.tally import record
from wire.receipt import Receipt

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

EVERYDAY, FULL, PER_WORLD = 3, 100, 10


async def a_restore(world: RestoredCity, rng: random.Random) -> None:
    """A day, a backup somewhere in it, more work that is lost with the gateway, and the way back."""
    async with open_again(world):
        await world.day(rng, rng.randrange(2, 6))
        generation = world.back_up() if rng.random() < 0.8 or not world.set_back else None
        await world.erase_what_is_over()
        await world.day(rng, rng.randrange(4, 10))
        knew = world.steps()
    newest = generation or max((world.folder / "backups" / "generations").iterdir())
    async with open_again(world, back_to=newest):
        world.set_back += knew - world.steps()
        await world.day(rng, rng.randrange(0, 4))


async def many(folder: Path, url: str, trials: int, seed: int) -> Reckoned:
    """Restores one after the other on the same city, reckoned over everything that ever happened to it."""
    rng = random.Random(seed)
    async with living(folder, url) as world:
        async with open_again(world):
            await world.something_is_over()
        for _ in range(trials):
            await a_restore(world, rng)
            async with open_again(world):
                await world.settle()
                found = reckon(world)
            if not found.is_good:
                return found
    assert world.set_back >= trials, "the restores took nothing from the city, so nothing was tried"
    assert world.erased > 0, "no papers were erased, so nothing was tried"
    return found


def tell(variant: str, trials: int, found: Reckoned) -> None:
    record("S08", variant, trials, len(found.lost), len(found.duplicated), len(found.false_sent), len(found.phantom))


async def test_everything_comes_again_after_a_restore(tmp_path: Path, ledger_url: str) -> None:
    found = await many(tmp_path, ledger_url, EVERYDAY, seed=8)
    tell(f"restored, {ledger_url.partition(':')[0]}", EVERYDAY, found)
    assert found.is_good, found


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(FULL // PER_WORLD))
async def test_a_hundred_restores_on_each_database(tmp_path: Path, ledger_url: str, seed: int) -> None:
    found = await many(tmp_path, ledger_url, PER_WORLD, seed=100 + seed)
    tell(f"restored, {ledger_url.partition(':')[0]}, seed {seed}", PER_WORLD, found)
    assert found.is_good, found


# --- the protections, taken away --------------------------------------------------------------------------------------


async def what_is_over_and_then_restored(folder: Path, *, to_the_end: bool = True) -> Reckoned:
    """Applications that end after the last backup, their papers erased as far as the rule allows; then the restore."""
    async with living(folder, f"sqlite:///{folder / 'ledger.db'}") as world:
        node = world.villages[0]
        async with open_again(world):
            newest = world.back_up()
            for _ in range(2):
                saved = node.collect()
                await node.drain()
                node.withdraw(saved.application_id)
                await node.drain()
            erasing.erase_due(node.village.counter)
        async with open_again(world, back_to=newest):
            if to_the_end:
                await world.settle()
            else:
                for _ in range(6):
                    await node.contact()
            return reckon(world)


async def test_what_is_over_is_kept_until_a_backup_holds_it(tmp_path: Path) -> None:
    found = await what_is_over_and_then_restored(tmp_path)
    assert found.is_good, found


async def test_erased_on_receipt_instead_of_on_the_stable_mark_it_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = applications.to_erase

    def on_receipt(*args: Any, stable_seq: int, **more: Any) -> Any:
        return asked(*args, stable_seq=2**40, **more)

    monkeypatch.setattr(applications, "to_erase", on_receipt)
    monkeypatch.setattr(erasing, "may_be_purged", lambda _seq, outcome, _stable: outcome is not None)
    monkeypatch.setattr(erasing, "_note_of_its_end", lambda _tx, _known: 0)
    found = await what_is_over_and_then_restored(tmp_path, to_the_end=False)
    tell("control: erased on receipt", 1, found)
    assert found.lost, found


async def test_with_a_mark_that_never_goes_back_what_came_after_the_backup_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    highest: dict[str, Receipt] = {}

    def never_back(**said: Any) -> Receipt:
        receipt = Receipt(**said)
        known = highest.get(receipt.node)
        if known is not None and known.hwm > receipt.hwm:
            return receipt.model_copy(update={"hwm": known.hwm, "head_hash": known.head_hash})
        highest[receipt.node] = receipt
        return receipt

    monkeypatch.setattr(receive, "Receipt", never_back)
    found = await what_is_over_and_then_restored(tmp_path, to_the_end=False)
    tell("control: the mark never goes back", 1, found)
    assert found.lost, found
