"""What every store of finished scans promises, kept by the folder and by a real S3-compatible server alike."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from city_gateway.scan_store import folder_store
from city_gateway.scan_store.s3_store import LARGE_BYTES, S3ScanStore
from city_gateway.scan_store.store import ScanStore
from tests.city_gateway.far_scans import GATEWAY_ID, Kept, in_a_bucket, in_a_folder
from tests.simulators.scan_server import KEYS, ScanServer

pytestmark = pytest.mark.node


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    if request.param == "folder":
        return in_a_folder(tmp_path)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server: ScanServer = request.getfixturevalue("scan_server")
    return in_a_bucket(tmp_path, server.endpoint)


def read(pieces: Iterator[bytes] | None) -> bytes | None:
    return None if pieces is None else b"".join(pieces)


def fresh(kept: Kept) -> ScanStore:
    """As another process has it, which remembers nothing."""
    if isinstance(kept.store, S3ScanStore):
        return S3ScanStore(kept.store._road, GATEWAY_ID, kept.folder)
    return kept.store


def lost(store: ScanStore) -> list[str]:
    store.look_for_lost()
    return list(store.lost())


def test_what_is_put_is_there_and_left_its_place(kept: Kept) -> None:
    data = os.urandom(200_000)
    name, path = kept.staged(data)
    assert kept.store.put_all([(name, path)]) == [None]
    assert not path.exists()
    assert kept.store.lengths([name, "0" * 64]) == {name: len(data)}
    assert kept.store.beginnings([name, "0" * 64], 100) == {name: data[:100]}
    assert list(kept.store.names()) == [name]
    assert read(kept.store.sound(name)) == read(kept.store.pieces(name)) == data


@pytest.mark.parametrize(("first", "end"), [(0, 1), (0, 70_000), (65_536, 131_072), (199_999, 200_000), (5, None)])
def test_a_range_is_those_bytes_and_no_others(kept: Kept, first: int, end: int | None) -> None:
    data = os.urandom(200_000)
    name = kept.put(data)
    assert read(kept.store.pieces(name, first, end)) == data[first:end]
    assert read(kept.store.sound(name, first, end)) == data[first:end]


def test_each_of_many_has_its_own_outcome(kept: Kept) -> None:
    staged = [kept.staged(os.urandom(1000)) for _ in range(20)]
    staged[7][1].unlink()
    outcomes = kept.store.put_all(staged)
    assert isinstance(outcomes.pop(7), FileNotFoundError)
    assert outcomes == [None] * 19
    assert set(kept.store.names()) == {name for name, _ in staged} - {staged[7][0]}


def test_the_folder_is_flushed_once_after_every_name_is_in_it_and_before_anybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = in_a_folder(tmp_path)
    staged = [kept.staged(os.urandom(100)) for _ in range(3)]
    seen: list[set[str]] = []
    monkeypatch.setattr(
        folder_store, "flush_folder", lambda folder: seen.append({path.name for path in folder.iterdir()})
    )
    kept.store.put_all(staged)
    assert seen == [{"parts", *(name for name, _ in staged)}]


def test_putting_again_is_harmless(kept: Kept) -> None:
    data = os.urandom(1000)
    name = kept.put(data)
    assert kept.put(data) == name
    assert read(kept.store.sound(name)) == data
    assert list(kept.store.names()) == [name]


def test_a_large_scan_is_kept_like_a_small_one(kept: Kept) -> None:
    data = os.urandom(LARGE_BYTES + 12_345)
    name = kept.put(data)
    assert kept.store.lengths([name]) == {name: len(data)}
    assert hashlib.sha256(read(kept.store.sound(name)) or b"").hexdigest() == name


@pytest.mark.parametrize("how", ["rots", "emptied", "vanishes"])
def test_what_is_not_what_its_name_says_is_not_given_out_until_it_came_again(kept: Kept, how: str) -> None:
    data = os.urandom(1000)
    name, other = kept.put(data), kept.put(os.urandom(1000))
    kept.spoil(name, {"rots": data[:-1] + bytes([data[-1] ^ 1]), "emptied": b"", "vanishes": None}[how])
    assert (kept.store.sound(name), kept.store.is_sound(name), kept.store.is_sound(other)) == (None, False, True)
    if how == "emptied":
        assert fresh(kept).beginnings([name], 100) == {name: b""}
    assert kept.store.set_aside(name) is True
    assert kept.store.set_aside(name) is False, "it is known"
    assert (list(kept.store.names()), lost(kept.store)) == ([other], [name])
    kept.put(data)
    assert (read(kept.store.sound(name)), lost(kept.store)) == (data, [])


def test_a_copy_is_taken_in_only_when_it_is_what_its_name_says(kept: Kept, tmp_path: Path) -> None:
    data, source = os.urandom(1000), tmp_path / "source"
    name = hashlib.sha256(data).hexdigest()
    source.write_bytes(data[:-1])
    assert kept.store.put_copy(name, source) is False
    assert list(kept.store.names()) == []
    source.write_bytes(data)
    assert kept.store.put_copy(name, source) is True
    assert (read(kept.store.sound(name)), source.read_bytes()) == (data, data)


def test_a_copy_takes_the_place_of_rotten_bytes(kept: Kept, tmp_path: Path) -> None:
    data, source = os.urandom(1000), tmp_path / "source"
    name = kept.put(data)
    source.write_bytes(data)
    kept.spoil(name, b"rotten")
    assert kept.store.put_copy(name, source) is True
    assert read(kept.store.sound(name)) == data
