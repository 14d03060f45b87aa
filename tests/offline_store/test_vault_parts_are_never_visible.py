"""Vault: a scan is there whole or not at all."""

import hashlib
import os
from pathlib import Path

import pytest

from offline_store.errors import DamagedFile, NotAHash, Unknown, WrongOffset
from offline_store.vault.scans import Vault
from tests.offline_store.dying import Died, dying_at

pytestmark = pytest.mark.node

SEALED = bytes(range(256)) * 1000
HASH = hashlib.sha256(SEALED).hexdigest()


def received(vault: Vault, sealed: bytes = SEALED) -> str:
    with vault.receive() as receiving:
        for start in range(0, len(sealed), 65536):
            receiving.write(sealed[start : start + 65536])
        receiving.keep(hashlib.sha256(sealed).hexdigest())
    return hashlib.sha256(sealed).hexdigest()


def test_a_received_scan_is_read_back_in_pieces(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert received(vault) == HASH
    assert b"".join(vault.chunks(HASH)) == SEALED
    assert (vault.has(HASH), vault.length(HASH), vault.hashes()) == (True, len(SEALED), [HASH])


def test_a_scan_that_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    def cut_off() -> None:
        with Vault(tmp_path).receive() as receiving:
            receiving.write(SEALED)
            raise RuntimeError("the scanner was unplugged")

    with pytest.raises(RuntimeError):
        cut_off()
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_do_not_fit_the_name_are_not_kept(tmp_path: Path) -> None:
    def torn() -> None:
        with Vault(tmp_path).receive() as receiving:
            receiving.write(SEALED[:-1])
            receiving.keep(HASH)

    with pytest.raises(DamagedFile):
        torn()
    assert list(tmp_path.iterdir()) == []


def test_death_at_any_step_shows_the_whole_scan_or_none(tmp_path: Path) -> None:
    for step in range(40):
        vault = Vault(tmp_path / str(step))
        try:
            with dying_at(step):
                received(vault)
        except Died:
            pass
        else:
            break
        assert [b"".join(vault.chunks(found)) for found in vault.hashes()] in ([], [SEALED])
    assert step > 3
    assert vault.hashes() == [HASH]


def test_a_part_is_continued_where_it_was_cut_and_invisible_until_whole(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    part = vault.part(HASH)
    assert part.offset == 0
    assert part.append(0, SEALED[:1000]) == 1000
    again = Vault(tmp_path).part(HASH)
    assert again.offset == 1000
    with pytest.raises(WrongOffset) as wrong:
        again.append(999, b"x")
    assert (wrong.value.expected, wrong.value.found, again.offset) == (1000, 999, 1000)
    assert not vault.has(HASH)
    assert vault.hashes() == []
    with pytest.raises(Unknown):
        vault.open(HASH)
    again.append(1000, SEALED[1000:])
    assert again.finish() == vault.path(HASH)
    assert b"".join(vault.chunks(HASH)) == SEALED
    assert vault.part(HASH).offset == 0


def test_what_a_killed_writer_did_not_flush_is_flushed_before_it_is_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path)
    part = tmp_path / f"{HASH}.part"
    part.write_bytes(SEALED)
    written, flushed, visible = part.stat().st_ino, [], []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        real_fsync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        visible.append(list(flushed))
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    vault.part(HASH).finish()
    (before,) = visible
    assert written in before


def test_a_wrong_part_is_thrown_away_and_never_shown(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    part = vault.part(HASH)
    part.append(0, b"forged")
    with pytest.raises(DamagedFile):
        part.finish()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Unknown):
        part.finish()


def test_a_flipped_bit_is_found_and_the_damaged_scan_set_aside(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    received(vault)
    vault.check(HASH)
    path = vault.path(HASH)
    path.write_bytes(SEALED[:-1] + bytes([SEALED[-1] ^ 1]))
    with pytest.raises(DamagedFile):
        vault.check(HASH)
    assert not vault.has(HASH)
    assert [left.suffix for left in tmp_path.iterdir()] == [".damaged"]


def test_a_sweep_removes_what_nobody_knows_and_nothing_else(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    known, orphan = received(vault), received(vault, b"orphan")
    wanted, unwanted = "1" * 64, "2" * 64
    vault.part(wanted).append(0, b"half")
    vault.part(unwanted).append(0, b"half")
    (tmp_path / ".77-aa.receiving").write_bytes(b"half received")
    swept = vault.sweep(known={known}, wanted={wanted})
    assert (swept.receiving, swept.parts, swept.orphans) == (1, 1, (orphan,))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{known}.scan", f"{wanted}.part"])


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 65, "G" * 64])
def test_only_a_hash_names_a_scan(tmp_path: Path, name: str) -> None:
    for asked in (Vault(tmp_path).path, Vault(tmp_path).part, Vault(tmp_path).open):
        with pytest.raises(NotAHash):
            asked(name)
