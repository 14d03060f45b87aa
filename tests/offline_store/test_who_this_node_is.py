"""Node file, node keys, marks, floor of trusted time, serial numbers, paths."""

from datetime import timedelta
from pathlib import Path

import pytest

from offline_store.desk import keys, state
from offline_store.desk.state import Marks
from offline_store.errors import DamagedFile, NodeFileMissing, Unknown
from offline_store.node_file import read_node_file, write_node_file
from offline_store.paths import NodePaths
from tests.offline_store.desk_fixtures import NOON, new_desk
from wire.enrolment import EnrolmentDocument, sign_enrolment
from wire.keys import SealingKey, SigningKey

pytestmark = pytest.mark.node

GATEWAY = SigningKey.from_bytes(b"g" * 32)
DOCUMENT = EnrolmentDocument.model_validate(
    {
        "node_id": "1" * 32,
        "site": "511603106205",
        "site_name": "试验村便民服务室",
        "role": "village",
        "region": "511603106205",
        "township": "511603106000",
        "valid_from": NOON,
        "valid_to": NOON + timedelta(days=400),
        "identity_public": b"i" * 32,
        "sealing_public": b"s" * 32,
        "transport_public": b"t" * 32,
        "gateway": {"id": "2" * 32, "signing_public": GATEWAY.public, "sealing_publics": [b"c" * 32]},
        "gateway_url": "http://127.0.0.1:1",
    }
)


def test_the_enrolment_document_is_read_back_with_the_signature_checked(tmp_path: Path) -> None:
    path = tmp_path / "enrolment.json"
    with pytest.raises(NodeFileMissing):
        read_node_file(path)
    write_node_file(path, sign_enrolment(DOCUMENT, GATEWAY))
    assert read_node_file(path) == read_node_file(path, GATEWAY.public) == DOCUMENT
    with pytest.raises(DamagedFile):
        read_node_file(path, SigningKey.from_bytes(b"x" * 32).public)
    whole = path.read_text()
    for broken in (whole[:-9], "{}", "[]", '{"payload": 1}', whole.replace('"sig":"', '"sig":"AA')):
        path.write_text(broken)
        with pytest.raises(DamagedFile):
            read_node_file(path)


def test_the_newest_keys_are_in_use_and_old_mail_can_still_be_opened(tmp_path: Path) -> None:
    old, new = SealingKey.from_bytes(b"1" * 32), SealingKey.from_bytes(b"2" * 32)
    identity = SigningKey.from_bytes(b"i" * 32)
    with new_desk(tmp_path) as desk, desk.transaction() as tx:
        with pytest.raises(Unknown):
            keys.load(tx)
        keys.keep(tx, identity, old, NOON)
        keys.keep(tx, identity, new, NOON + timedelta(days=1))
        kept = keys.load(tx)
        assert (kept.identity.public, kept.sealing.public) == (identity.public, new.public)
        assert [key.public for key in keys.sealing_keys(tx)] == [new.public, old.public]


def test_the_floor_of_trusted_time_never_sinks(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk, desk.transaction() as tx:
        assert state.time_floor(tx) is None
        assert state.raise_time_floor(tx, NOON) == NOON
        assert state.raise_time_floor(tx, NOON - timedelta(days=1)) == NOON
        assert state.raise_time_floor(tx, NOON + timedelta(seconds=1)) == state.time_floor(tx) > NOON


def test_a_mark_is_kept_even_when_it_goes_back(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk, desk.transaction() as tx:
        assert state.marks(tx) is None
        for hwm in (9, 4):
            state.keep_marks(tx, Marks("g", "e", hwm, 0, "00", "2026-11-23T04:00:00Z"))
        kept = state.marks(tx)
        assert kept is not None
        assert kept.hwm == 4


def test_serial_numbers_run_apart_for_each_name_and_a_failed_act_uses_none_up(tmp_path: Path) -> None:
    with new_desk(tmp_path) as desk:
        with desk.transaction() as tx:
            assert [state.next_serial(tx, "monday") for _ in range(3)] == [1, 2, 3]
            assert state.next_serial(tx, "tuesday") == 1

        def act() -> None:
            with desk.transaction() as tx:
                state.next_serial(tx, "monday")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            act()
        with desk.transaction() as tx:
            assert state.next_serial(tx, "monday") == 4


def test_folders_are_made_once_and_private_ones_stay_private(tmp_path: Path) -> None:
    paths = NodePaths(tmp_path / "node")
    paths.create()
    paths.create()
    for folder in (paths.desk_folder, paths.agent_folder):
        assert folder.stat().st_mode & 0o777 == 0o700
    for folder in (paths.outgoing, paths.incoming, paths.vault, paths.catalog_targets):
        assert folder.stat().st_mode & 0o007 == 0
    below = [paths.desk_db, paths.keyring, paths.transport_key, paths.enrolment, paths.counter_socket, paths.settings]
    assert all(path.is_relative_to(paths.root) for path in below)
