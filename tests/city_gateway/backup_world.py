"""Backups of a city in tests: its workshop, and restoring it where it stood."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from city_gateway.app import published_dictionaries
from city_gateway.backup import making, restoring, trial
from city_gateway.backup.restoring import Wish
from city_gateway.backup.shelf import Shelf
from city_gateway.backup.workshop import Workshop
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys
from city_gateway.ledger.backups import Restored
from city_gateway.ledger.database import Ledger, open_ledger
from city_gateway.scan_store.folder_store import FolderStore
from tests.city_gateway.gateway_fixtures import City


def workshop(city: City, url: str, place: Path) -> Workshop:
    """What `backup make` has in its hands, for this running city."""
    made = workshop_on(city.gateway.folder.root, url, place, city.clock, city.gateway.ledger)
    return replace(made, scans=city.gateway.scans)


def workshop_on(
    folder: Path, url: str, place: Path, clock: Callable[[], datetime], ledger: Ledger | None = None
) -> Workshop:
    """The same on a gateway's folder, with a ledger of its own unless one is given, as the command has."""
    return Workshop(
        ledger=ledger or open_ledger(url, now=clock(), randomness=os.urandom),
        trial_url=url,
        folder=folder,
        scans=FolderStore(GatewayFolder(folder)),
        keys=load_keys(folder / "keys"),
        shelf=Shelf(place),
        clock=clock,
        randomness=os.urandom,
        dictionaries=published_dictionaries,
    )


def backed_up(at: Workshop, *, verify: bool = True) -> Path:
    """Make a backup, restore it on trial, publish its marks."""
    with at.shelf.alone():
        generation = making.make(at)
        if verify:
            trial.try_out(at, generation)
            trial.publish(at, generation)
    return generation


def restored(city_folder: Path, url: str, generation: Path, city: City, **confirmed: bool) -> Restored:
    """Restore over a city that was stopped."""
    keys = load_keys(city_folder / "keys")
    wish = Wish(generation, url, city_folder, replace=True, **confirmed)
    return restoring.restore(wish, keys, now=city.clock(), randomness=os.urandom)
