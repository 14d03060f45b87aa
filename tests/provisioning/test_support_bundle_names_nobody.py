"""A support bundle helps from afar and names nobody: markers planted in every place of a node are not in it."""

from __future__ import annotations

import io
import json
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from casework.identifiers import resident_id_check
from edge_node.acts import collecting, drafting, intake
from edge_node.acts import village as acts
from offline_store.desk import clerks
from offline_store.desk.clerks import Clerk
from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.mailbox.line import LineState
from offline_store.paths import NodePaths
from provisioning import allowed, support, support_machine
from provisioning.__main__ import app
from provisioning.support_log import log_facts
from tests.edge_node.village import MACHINE_KEY, Village, photo
from tests.faults.stolen_disk import spellings
from wire.counter import HandedInView

pytestmark = pytest.mark.node

NAMES = {"name": "欧阳子虚乌有", "clerk": "司徒莫须有", "note": "原件在舅舅家抽屉里", "reason": "邻居纠纷未了结"}
NUMBERS = {
    "id": "51160218000101777" + resident_id_check("51160218000101777"),
    "phone": "13800000077",
    "card": "6200000000000077",
}
LATIN = {"pinyin": "ouyangzixu", "passphrase": "HongXing7788", "address": "jiefanglu.example"}
MARKERS = {**NAMES, **NUMBERS, **LATIN}


def planted(folder: Path) -> Village:
    """A node with a marker wherever something of a person can lie, and in places where nothing should."""
    village = Village.at(folder)
    values = {
        "applicant_name": NAMES["name"], "applicant_id_no": NUMBERS["id"], "applicant_phone": NUMBERS["phone"],
        "applicant_address": NAMES["note"] + LATIN["address"],
    }  # fmt: skip
    draft_id = village.filled(**{name: value for name, value in values.items() if name != "applicant_address"})
    drafting.change(village.counter, village.who, draft_id, values={"applicant_address": values["applicant_address"]})
    material = drafting.show(village.counter, village.who, draft_id).handed_in[0].material_id
    said = HandedInView(material_id=material, seen="original_seen", note=NAMES["note"])
    drafting.change(village.counter, village.who, draft_id, handed_in=[said])
    slip = collecting.collect(village.counter, village.who, draft_id)
    acts.withdraw(village.counter, village.who, slip.application_id, NAMES["reason"])
    begun = drafting.begin(village.counter, village.who, "GA-YB-001")
    drafting.change(village.counter, village.who, begun.draft_id, values={**values, "bank_card": NUMBERS["card"]})
    intake.take_in(village.counter, village.who, begun.draft_id, material, None, photo() + NAMES["note"].encode())
    with village.counter.desk.transaction() as tx:
        clerk = Clerk(LATIN["pinyin"], NAMES["clerk"], village.who.actor.role, "511603106205", active=True)
        clerks.save(tx, clerk, LATIN["passphrase"], randomness=lambda n: bytes(n), cost=ONLY_FOR_TESTS)
    village.mail.turn()
    root = village.counter.paths.root
    village.counter.incoming.put_line(
        LineState(up=False, last_error=LATIN["pinyin"], since=NUMBERS["phone"], held_because=NAMES["reason"])
    )
    (root / "node.toml").write_text(
        f"retention_days = 40\n{LATIN['pinyin']} = 3\n[agent]\nidle_s = 30\noperations_only = true\n"
        f'gateway_url = "https://{LATIN["pinyin"]}:{LATIN["passphrase"]}@{LATIN["address"]}/"\n'
        f'owner = "{NAMES["clerk"]}{NUMBERS["phone"]}"\n'
    )
    for place in ("outgoing/scans", "incoming", "vault"):
        folder = {"outgoing/scans": village.counter.paths.outgoing / "scans"}.get(place, root / place)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{NAMES['name']}{NUMBERS['phone']}.{LATIN['pinyin']}").write_text(NAMES["note"])
    return village


def log_lines() -> Iterator[str]:
    """What programs write, and what they must never write, in one log."""
    yield "2026-11-23 12:00:00,123 edge_node ERROR mail step failed code=desk.full"
    yield "2026-11-23 12:00:01,123 edge_node WARNING alarm code=clock_doubtful"
    yield "2026-11-23 12:00:02,123 edge_node ERROR defect class=ValueError at=drafting.py:77"
    for marker in MARKERS.values():
        yield f"2026-11-23 12:00:03,123 edge_node ERROR {marker} code={marker} class={marker} at={marker}.py:7"
        yield f"2026-11-23 12:00:03,123 edge_node ERROR defect class=ValueError at={marker}"
        yield f"2026-11-23 12:00:03,123 {marker} ERROR failed code=desk.full"
        yield f"Traceback {marker}"
        fields = f"role={marker} site={marker} page={marker} status={marker}"
        yield f"2026-11-23 12:00:03,123 edge_node INFO serving {fields}"


def found_in(bundle: bytes) -> set[str]:
    """Which markers occur, in whatever spelling, in the bundle as it is or unpacked."""
    unpacked = [bundle]
    with zipfile.ZipFile(io.BytesIO(bundle)) as parts:
        unpacked += [part.filename.encode() for part in parts.infolist()]
        unpacked += [parts.read(part) for part in parts.infolist()]
    plain = [text for text in unpacked[1:] if text[:1] in {b"{", b"["}]
    unpacked += [json.dumps(json.loads(text), ensure_ascii=False).encode() for text in plain]
    return {
        name for name, marker in MARKERS.items() if any(one in data for one in spellings(marker) for data in unpacked)
    }


def made(village: Village, key: Path, lines=()) -> bytes:
    key.write_bytes(MACHINE_KEY)
    environment = {MACHINE_KEY_FILE: str(key)}
    return support.make(village.counter.paths, now=datetime.now(UTC), environment=environment, log_lines=lines)


def parts_of(bundle: bytes) -> dict:
    with zipfile.ZipFile(io.BytesIO(bundle)) as parts:
        return {part.removesuffix(".json"): json.loads(parts.read(part)) for part in parts.namelist()}


@pytest.fixture(scope="module")
def village(tmp_path_factory) -> Village:
    return planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture
def bundle(village, tmp_path) -> bytes:
    return made(village, tmp_path / "machine.key", log_lines())


def test_no_planted_marker_is_in_the_bundle(bundle):
    assert found_in(bundle) == set()


def test_a_bundle_with_a_raw_table_in_it_is_found_out(bundle, village, tmp_path):
    """The negative control: the same search finds what a careless bundle would carry."""
    with village.counter.desk.reading() as tx:
        rows = tx.connection().exec_driver_sql("SELECT shown FROM application").fetchall()
        rows += tx.connection().exec_driver_sql("SELECT body FROM draft").fetchall()
        rows += tx.connection().exec_driver_sql("SELECT clerk_id, name FROM clerk").fetchall()
    out = io.BytesIO(bundle)
    with zipfile.ZipFile(out, "a") as careless:
        careless.writestr("table.json", json.dumps([[str(cell) for cell in row] for row in rows]))
    assert {"name", "id", "phone", "note", "reason", "clerk", "pinyin", "card", "address"} <= found_in(out.getvalue())


def test_a_log_line_that_is_passed_on_as_it_is_would_be_found_out(monkeypatch, village, tmp_path):
    monkeypatch.setattr(support, "log_facts", lambda lines: list(lines))
    careless = made(village, tmp_path / "machine.key", log_lines())
    assert found_in(careless) == set(MARKERS)


def test_the_bundle_says_what_helps(bundle):
    parts = parts_of(bundle)
    assert [name for name, part in parts.items() if isinstance(part, dict) and "not_read" in part] == []
    assert parts["desk"]["states"] == {"withdrawn": 1}
    assert parts["desk"]["counts"]["draft"] == 1
    assert parts["desk"]["clerks"]["agent"] == 2
    assert {entry["event"] for entry in parts["desk"]["journal"]} >= {"collected", "withdrawn", "signed_in"}
    assert [entry["seq"] for entry in parts["desk"]["journal"]] == sorted(
        (entry["seq"] for entry in parts["desk"]["journal"]), reverse=True
    )
    assert parts["settings"] == {
        "file": True, "retention_days": 40, "idle_s": 30, "operations_only": True, "gateway_url": "set", "others": 3,
    }  # fmt: skip
    assert (parts["line"]["up"], parts["line"]["last_error"], parts["line"]["since"]) == (False, "other", None)
    assert parts["waiting"]["items"] > 0
    assert {one["check"] for one in parts["doctor"]} >= {"clock", "store", "line", "waiting"}
    assert {one["check"] for one in parts["doctor"] if one["code"] == "other"} <= {"waiting"}, (
        "findings are told by code"
    )
    assert parts["counter"]["answers"] is False
    assert parts["machine"]["disk"]["free"] > 0
    assert parts["versions"]["packages"]["cryptography"] != "other"
    first = parts["log"]["lines"][:3]
    assert [(one["message"], one.get("field_code") or one.get("field_class")) for one in first] == [
        ("mail step failed", "desk.full"), ("alarm", "clock_doubtful"), ("defect", "ValueError"),
    ]  # fmt: skip
    assert first[2]["field_at"] == "drafting.py:77"
    assert parts["log"]["left_out"] == 2 * len(MARKERS)


def test_of_what_the_service_answers_only_codes_and_numbers_are_taken(tmp_path):
    said = {
        "site_name": NAMES["name"], "line": "up", "clock_confidence": NAMES["clerk"], "backlog_ops": 7,
        "backlog_scans": NUMBERS["phone"], "alarms": ["forked", LATIN["pinyin"]], "last_receipt_at": NUMBERS["card"],
        "conditions": [{"why": "line_down", "who": NAMES["name"], "then": LATIN["address"], "code": NUMBERS["id"]}],
    }  # fmt: skip
    body = json.dumps(said).encode()
    paths = NodePaths(tmp_path)
    paths.counter_socket.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(paths.counter_socket))
        door.listen()

        def answer() -> None:
            door.accept()[0].close()  # the knock
            asked = door.accept()[0]
            asked.recv(4096)
            asked.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            asked.close()

        service = threading.Thread(target=answer, daemon=True)
        service.start()
        told = support_machine.counter(paths)
        service.join(10)
    assert told["alarms"] == ["forked", "other"]
    assert (told["line"], told["clock"], told["backlog_ops"], told["backlog_scans"]) == ("up", "other", 7, None)
    text = json.dumps(told, ensure_ascii=False)
    assert [name for name, marker in MARKERS.items() if marker in text] == []


def test_what_cannot_be_read_is_named_and_the_rest_is_there(village, tmp_path):
    without_key = support.make(village.counter.paths, now=datetime.now(UTC), environment={})
    parts = parts_of(without_key)
    assert parts["desk"] == {"not_read": "keyring.machine_key_missing"}
    assert parts["waiting"]["items"] > 0


def test_nothing_on_the_node_changes_and_the_file_is_whole_or_absent(village, tmp_path, monkeypatch):
    def stamp() -> dict[str, tuple[int, int]]:
        root = village.counter.paths.root
        kept = [path for path in root.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in kept}

    key = tmp_path / "machine.key"
    key.write_bytes(MACHINE_KEY)
    monkeypatch.setenv(MACHINE_KEY_FILE, str(key))
    before, to = stamp(), tmp_path / "help.zip"
    log = tmp_path / "node.log"
    log.write_text("\n".join(log_lines()))
    answer = CliRunner().invoke(
        app, ["support", "--root", str(village.counter.paths.root), "--to", str(to), "--log", str(log)]
    )
    assert answer.exit_code == 0, answer.output
    assert stamp() == before
    assert found_in(to.read_bytes()) == set()
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name or ".tmp" in path.name] == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=40))
def test_no_text_passes_that_no_program_defines(text):
    known = allowed.vocabulary()
    passed = allowed.code(text)
    assert (
        passed in {allowed.OTHER, ""} or text in known.codes | known.classes or text.rpartition(".")[2] in known.codes
    )
    for shown in (allowed.version(text), allowed.moment(text)):
        assert shown in {None, allowed.OTHER} or not any(letter.isalpha() and letter not in "TZ" for letter in shown)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=30), level=st.sampled_from(["ERROR", "INFO", "ODD"]))
def test_a_log_line_keeps_nothing_but_what_is_on_a_list(text, level):
    line = f"2026-11-23 12:00:03,123 edge_node {level} {text} code={text} seq={text} at={text}:3"
    said = json.dumps(log_facts([line]), ensure_ascii=False)
    words = [word for word in text.split() if len(word) > 3 and not word.isascii()]
    assert not any(word in said for word in words)


def test_the_vocabulary_is_that_of_the_programs():
    known = allowed.vocabulary()
    assert {"chain.fork", "desk.full", "session.locked", "collected", "signed_in", "line_down", "forked"} <= known.codes
    assert {"mail step failed", "alarm", "defect", "failed", "serving"} <= known.messages
    assert "drafting.py" in known.files
    assert sqlite3.Error.__name__ not in known.codes
