"""Stores of finished scans in tests: a folder, a real S3-compatible server, and the bad road to it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys, make_keys
from city_gateway.scan_store import opening, s3_road
from city_gateway.scan_store.folder_store import FolderStore
from city_gateway.scan_store.s3_place import read_keys, read_place
from city_gateway.scan_store.s3_road import Road
from city_gateway.scan_store.s3_store import S3ScanStore
from city_gateway.scan_store.store import ScanStore
from tests.simulators.scan_server import KEYS, BadRoad, ScanServer, new_address
from tests.simulators.scan_server import scan_server as one_server

GATEWAY_ID = "ab" * 16


@pytest.fixture(scope="session")
def scan_server() -> Iterator[ScanServer]:
    """One for the whole run; every test has a prefix of its own."""
    yield from one_server()


@pytest.fixture
def bad_road(scan_server: ScanServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadRoad]:
    """A relay to the server; the store is asked again at once after a failure."""
    monkeypatch.setattr(s3_road, "REST_S", 0.0)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    road = BadRoad(scan_server.port)
    yield road
    road.close()


def road_to(address: str) -> Road:
    """Straight to a place, beside the store that is tested."""
    return Road(read_place(address), read_keys(KEYS))


def adopted(address: str, folder: Path) -> None:
    """What `scans init` does, for a gateway that has keys or gets some."""
    own = GatewayFolder(folder)
    if not own.keys.exists():
        make_keys(own.keys, os.urandom)
    own.create()
    opening.far_store(address, own, load_keys(own.keys).gateway_id).adopt(FolderStore(own), lambda _: None)


@dataclass
class Kept:
    """A store, and how its bytes are spoilt behind its back."""

    store: ScanStore
    folder: Path
    spoil: Callable[[str, bytes | None], None]

    def staged(self, data: bytes) -> tuple[str, Path]:
        """A finished upload, on the gateway's own disk."""
        name = hashlib.sha256(data).hexdigest()
        path = self.folder / "scans" / "parts" / f"{name}.{len(data)}"
        path.write_bytes(data)
        return name, path

    def put(self, data: bytes) -> str:
        """A finished scan."""
        name, path = self.staged(data)
        assert self.store.put_all([(name, path)]) == [None]
        return name


def in_a_folder(folder: Path) -> Kept:
    own = GatewayFolder(folder)
    own.create()

    def spoil(name: str, data: bytes | None) -> None:
        if data is None:
            (own.scans / name).unlink()
        else:
            (own.scans / name).write_bytes(data)

    return Kept(FolderStore(own), folder, spoil)


def in_a_bucket(folder: Path, endpoint: str) -> Kept:
    own, address = GatewayFolder(folder), new_address(endpoint)
    own.create()
    road = road_to(address)
    store = S3ScanStore(road, GATEWAY_ID, own.scan_parts)
    store.adopt(FolderStore(own), lambda _: None)

    def spoil(name: str, data: bytes | None) -> None:
        if data is None:
            road.delete([f"whole/{name}"])
        else:
            road.put(f"whole/{name}", data)

    return Kept(store, folder, spoil)
