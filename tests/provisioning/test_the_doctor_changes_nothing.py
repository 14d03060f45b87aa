"""What doctor finds on a node, and that it leaves the node as it was."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from casework.application import Role
from offline_store.desk import connection
from offline_store.desk.keyring import MACHINE_KEY_FILE
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.paths import NodePaths
from provisioning import doctor
from provisioning.clerks import PassphraseTooShort, add_clerk
from provisioning.doctor import Finding, Standing, examine, exit_code, table
from provisioning.finding_wording import finding_sentence
from provisioning.node_keys import open_node_desk
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from wire.receipt import Receipt, sign_receipt

pytestmark = pytest.mark.node


class Examined:
    """An enrolled node and its machine key file."""

    def __init__(self, root: Path) -> None:
        self.world = EnrolmentWorld(root)
        self.document = self.world.enrol(self.world.code())
        self.paths = self.world.paths
        key = root / "machine.key"
        key.write_bytes(MACHINE)
        self.environment = {MACHINE_KEY_FILE: str(key)}

    def report(self, now: datetime | None = None) -> dict[str, Finding]:
        found = examine(self.paths, now=now or datetime.now(UTC), environment=self.environment)
        return {finding.check: finding for finding in found}

    def receive(self, server_time: datetime) -> None:
        receipt = Receipt(
            gateway=self.document.gateway.id,
            epoch="ab" * 16,
            node=self.document.node_id,
            hwm=0,
            head_hash="00" * 32,
            stable_hwm=0,
            server_time=server_time,
            nonce="cd" * 16,
            feed_head=0,
            feed_more=False,
            page_hash="00" * 32,
        )
        Incoming(self.paths.incoming).put_receipt(sign_receipt(receipt, self.world.gateway.keys.signing))


@pytest.fixture
def node(tmp_path: Path) -> Examined:
    return Examined(tmp_path)


def test_a_fresh_node_is_well_and_what_is_unknown_is_said_to_be(node: Examined) -> None:
    report = node.report()
    assert {name: finding.standing for name, finding in report.items() if name != "space"} == {
        "enrolment": Standing.GOOD,
        "clock": Standing.UNKNOWN,
        "fsync": report["fsync"].standing,
        "keys": Standing.GOOD,
        "store": Standing.GOOD,
        "counter": Standing.ATTENTION,
        "line": Standing.UNKNOWN,
        "waiting": Standing.GOOD,
        "catalog": Standing.ATTENTION,
    }
    assert exit_code(list(report.values())) == 0


def test_nothing_on_the_node_changes(node: Examined) -> None:
    def every_file() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(node.paths.root.rglob("*")) if path.is_file()}

    Incoming(node.paths.incoming)
    before = every_file()
    node.report()
    node.report()
    assert every_file() == before


def test_an_unenrolled_folder_is_bad(tmp_path: Path) -> None:
    found = examine(NodePaths(tmp_path), now=datetime.now(UTC), environment={})
    assert exit_code(found) == 1


def test_a_wrong_clock_is_worth_attention_and_never_a_failure(node: Examined) -> None:
    node.receive(datetime.now(UTC) - timedelta(days=400))
    report = node.report()
    assert report["clock"].standing is Standing.ATTENTION
    assert report["clock"].params["seconds"] == pytest.approx(400 * 86400, abs=60)
    assert exit_code(list(report.values())) == 0
    node.receive(datetime.now(UTC))
    assert node.report()["clock"].standing is Standing.GOOD


def test_a_forged_receipt_tells_no_time(node: Examined) -> None:
    node.receive(datetime.now(UTC))
    path = node.paths.incoming / "receipt.json"
    forged = json.loads(path.read_text()) | {"sig": json.loads(path.read_text())["payload"][:88]}
    path.write_text(json.dumps(forged))
    assert node.report()["clock"].code == "clock.receipt_unreadable"


def test_a_missing_machine_key_is_bad(node: Examined) -> None:
    node.environment = {}
    report = node.report()
    assert report["keys"].standing is Standing.BAD
    assert report["store"].standing is Standing.UNKNOWN


def test_a_transport_key_that_others_can_read_is_bad(node: Examined) -> None:
    node.paths.transport_key.chmod(0o644)
    assert node.report()["keys"].code == "keys.transport_open_to_others"
    node.paths.transport_key.unlink()
    assert node.report()["keys"].code == "keys.transport_missing"


def test_an_unsafe_store_setting_is_bad(node: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SQLITE", (99, 0, 0))
    report = node.report()
    assert report["store"].standing is Standing.BAD
    assert exit_code(list(report.values())) == 1


def test_a_full_disk_is_bad(node: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(node.paths.root)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: usage._replace(free=10 * doctor.MIB))
    assert node.report()["space"].standing is Standing.BAD
    node.paths.settings.write_text("disk_reserve_mib = 5\n", "utf-8")
    assert node.report()["space"].standing is Standing.ATTENTION, "measured against the reserve that this node keeps"


def test_line_and_catalog_are_told_as_they_are(node: Examined) -> None:
    Incoming(node.paths.incoming).put_line(
        LineState(up=False, since="2026-11-20T20:05:00+00:00", backlog_ops=3, backlog_scans=6)
    )
    stamp = {"signed": {"expires": "2026-12-01T00:00:00Z"}}
    (node.paths.catalog_metadata / "timestamp.json").write_text(json.dumps(stamp))
    arrived = {"catalog": 4, "fetched_at": "2026-11-20T00:00:00+00:00"}
    node.paths.catalog_marker.write_text(json.dumps(arrived))
    report = node.report(datetime(2026, 11, 23, tzinfo=UTC))
    assert (report["line"].code, report["line"].params["ops"]) == ("line.down", 3)
    assert report["line"].params["since"] == "11-21 04:05", "the city's time, whatever the machine's zone"
    assert (report["catalog"].code, report["catalog"].params["days"]) == ("catalog.fresh", 3)
    assert node.report(datetime(2027, 1, 1, tzinfo=UTC))["catalog"].code == "catalog.expired"


def test_a_running_counter_is_seen(node: Examined) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(node.paths.counter_socket))
        door.listen()
        assert node.report()["counter"].standing is Standing.GOOD


def test_every_finding_has_a_chinese_sentence(node: Examined) -> None:
    findings = list(node.report().values())
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(table(findings))
    shown = console.export_text()
    for finding in findings:
        assert finding_sentence(finding.code, finding.params)[:6] in shown


def test_a_clerk_signs_in_with_the_passphrase_given_and_a_short_one_is_refused(node: Examined) -> None:
    from offline_store.desk import clerks

    def add(passphrase: str) -> None:
        add_clerk(
            paths=node.paths,
            machine=MACHINE,
            clerk_id="wang",
            name="王虚构",
            role=Role.AGENT,
            passphrase=passphrase,
            randomness=os.urandom,
            cost=ONLY_FOR_TESTS,
        )

    with pytest.raises(PassphraseTooShort):
        add("short")
    add("long enough")
    with open_node_desk(node.paths, MACHINE) as desk:
        assert clerks.sign_in(desk, "wang", "long enough", datetime.now(UTC)).name == "王虚构"
