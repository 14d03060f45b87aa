"""`sync_agent status` says of everything that waits why, who must act, what comes next; by number and age alone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.mailbox.outgoing import Outgoing
from offline_store.mailbox.waiting import alarms_of, facts_of, look
from provisioning import doctor
from provisioning.finding_wording import finding_sentence
from provisioning.wording import of
from sync_agent import wording
from sync_agent.commands import app
from sync_agent.wording import words
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from wire.messages import Refusal, sign_refusal
from wire.receipt import Receipt, sign_receipt
from wire.waiting import Reason, Road, Then, Who, conditions

pytestmark = pytest.mark.node
SCAN = "5" * 64


class Node:
    """An enrolled node whose courier has said something."""

    def __init__(self, root: Path) -> None:
        self.world = EnrolmentWorld(root)
        self.document = self.world.enrol(self.world.code())
        self.paths = self.world.paths
        self.incoming, self.outgoing = Incoming(self.paths.incoming), Outgoing(self.paths.outgoing)

    def line(self, **said: object) -> None:
        now = datetime.now(UTC)
        plain = {"up": False, "since": now.isoformat(), "last_try": now.isoformat(), "last_error": "ConnectError"}
        self.incoming.put_line(LineState(**{**plain, **said}))

    def receipt(self, hwm: int, server_time: datetime) -> None:
        receipt = Receipt(
            gateway=self.document.gateway.id, epoch="ab" * 16, node=self.document.node_id, hwm=hwm,
            head_hash="00" * 32, stable_hwm=0, server_time=server_time, nonce="cd" * 16, feed_head=0,
            feed_more=False, page_hash="00" * 32,
        )  # fmt: skip
        self.incoming.put_receipt(sign_receipt(receipt, self.world.gateway.keys.signing))

    def refusal(self, code: str, server_time: datetime) -> None:
        said = Refusal(code=code, message="-", node=self.document.node_id, nonce="cd" * 16, server_time=server_time)
        self.incoming.put_refusal(sign_refusal(said, self.world.gateway.keys.signing))

    def status(self) -> str:
        return CliRunner().invoke(app, ["status", "--root", str(self.paths.root)]).stdout


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    return Node(tmp_path)


def test_each_operation_is_told_by_number_and_age_with_its_explanation(node):
    for seq in (1, 2, 3):
        node.outgoing.put_envelope(seq, b"sealed" * seq)
    node.outgoing.put_scan_ticket(SCAN, 5, 4096)
    node.receipt(hwm=1, server_time=datetime.now(UTC))
    old = datetime.now(UTC) - timedelta(hours=5)
    path = next(path for seq, path in node.outgoing.envelopes() if seq == 2)
    os.utime(path, (old.timestamp(), old.timestamp()))
    node.line(next_try=(datetime.now(UTC) + timedelta(minutes=3)).isoformat())
    said = node.status()
    assert words("status.operation", seq=2, size=12, age=words("age.hours", count=5)) in said
    assert words("status.operation", seq=1, size=6, age=words("age.minutes", count=0)) not in said
    assert "第 3 条" in said
    assert SCAN[:12] in said
    assert said.count("线路不通（代码 ConnectError）；不用做什么；自动再试（") == 4  # the line, two operations, a scan
    assert said.count("也可以用 U 盘带走") == 4


def test_a_scan_that_rests_and_one_that_is_damaged_say_so(node):
    node.outgoing.put_scan_ticket(SCAN, 5, 4096)
    node.outgoing.put_scan_ticket("6" * 64, 5, 4096)
    node.incoming.mark_scan_damaged("6" * 64, "rotten")
    node.line(up=True, last_error=None, held_because="operations_only")
    found = {item.scan_hash[:1]: item.why.reason for item in look(node.paths, datetime.now(UTC)).items}
    assert found == {"5": Reason.OPERATIONS_ONLY, "6": Reason.SCAN_DAMAGED}
    assert "设为“只送办件”" in node.status()


def test_a_courier_that_never_ran_is_told_with_what_waits(node):
    node.outgoing.put_envelope(1, b"sealed")
    answer = CliRunner().invoke(app, ["status", "--root", str(node.paths.root)])
    assert answer.exit_code == 1
    assert words("why.courier_silent") in answer.stdout
    assert "第 1 条" in answer.stdout


def test_a_long_queue_is_counted_not_listed(node):
    for seq in range(1, 61):
        node.outgoing.put_envelope(seq, b"sealed")
    node.line()
    said = node.status()
    assert words("status.more", count=20) in said
    assert "第 41 条" not in said


def test_a_refusal_counts_until_the_city_gave_a_later_receipt(node):
    now = datetime.now(UTC)
    node.receipt(hwm=0, server_time=now - timedelta(hours=1))
    node.refusal("request.malformed", now)
    assert alarms_of(node.incoming, node.document) == {"city_refused"}
    node.refusal("fork", now)
    assert alarms_of(node.incoming, node.document) == {"forked"}
    node.receipt(hwm=0, server_time=now + timedelta(seconds=1))
    assert alarms_of(node.incoming, node.document) == frozenset()


def test_a_line_state_of_before_the_start_is_not_believed():
    now = datetime.now(UTC)
    line = LineState(up=True, last_try=(now - timedelta(minutes=10)).isoformat())
    assert facts_of(line, now).road is Road.UP
    assert facts_of(line, now, started=now - timedelta(minutes=1)).road is Road.NOT_TRIED
    assert facts_of(line, now + timedelta(hours=1)).road is Road.SILENT
    assert facts_of(None, now).road is Road.SILENT


def test_mail_that_the_township_carries_is_told_as_such_while_its_relay_does_its_part(node):
    node.outgoing.put_envelope(1, b"sealed")
    now = datetime.now(UTC)
    for at, problem, reason in (
        (now, None, Reason.BY_RELAY),
        (now, "relay.full", Reason.LINE_DOWN),
        (now - timedelta(hours=3), None, Reason.LINE_DOWN),
    ):
        node.line(relay_at=at.isoformat(), relay_problem=problem)
        assert [item.why.reason for item in look(node.paths, now).items] == [reason]


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_every_word_of_the_vocabulary_is_worded(language, monkeypatch):
    import gettext

    found = gettext.translation("sync_agent", Path(wording.__file__).parent / "locale", [language])
    for family, members in (("why", Reason), ("who", Who), ("then", Then)):
        for member in members:
            assert found.gettext(f"{family}.{member}") != f"{family}.{member}"


def test_the_doctor_says_the_same(node, tmp_path):
    key = tmp_path / "machine.key"
    key.write_bytes(MACHINE)
    for seq in (1, 2):
        node.outgoing.put_envelope(seq, b"sealed")
    node.outgoing.put_scan_ticket(SCAN, 5, 4096)
    node.line(up=True, last_error=None, held_because="bad_settings")
    report = doctor.examine(node.paths, now=datetime.now(UTC), environment={doctor.keyring.MACHINE_KEY_FILE: str(key)})
    told = [one for one in report if one.check == "waiting"]
    assert [(one.params["why"], one.standing) for one in told] == [
        ("bad_settings", doctor.Standing.ATTENTION),
        ("being_sent", doctor.Standing.GOOD),
        ("bad_settings", doctor.Standing.ATTENTION),
    ]
    assert (told[1].params["ops"], told[1].params["scans"], told[2].params["scans"]) == (2, 0, 1)
    said = [finding_sentence(one.code, one.params) for one in told]
    assert "办件记录 2 条：线路通" in said[1]
    assert "影像 1 份：送件设置写错" in said[2]


def test_the_doctor_words_every_explanation():
    families = {"why": Reason, "who": Who, "then": Then}
    assert [(family, code) for family, codes in families.items() for code in codes if not of(family, code)] == []
    for one in conditions(facts_of(None, datetime.now(UTC))):
        params = {"why": one.reason, "who": one.who, "then": one.then, "when": None, "stick": one.stick, "code": ""}
        assert finding_sentence("waiting.explained", params)
