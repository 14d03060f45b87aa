"""A stopped machine is enrolled anew once, whatever happens in between and however often it is tried.

The desk, its journal and the gateway are real; the machine goes dark before and after every step. In every case the
same command with the same code finishes what was begun, and the city has one new node.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from casework.lifecycle import draft
from city_gateway.ledger import nodes
from edge_node.app import open_counter
from edge_node.settings import NodeSettings
from offline_store.desk import applications, journal, keys, rechaining, state
from offline_store.desk.applications import Standing
from offline_store.desk.tables import JournalRow
from offline_store.errors import OtherIdentity
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import read_node_file
from provisioning import re_enrol as re_enrolling
from provisioning.errors import EnrolledElsewhere, GatewayRefused, GatewayUnreachable, WrongRole, WrongSite
from provisioning.gateway_door import GatewayDoor
from provisioning.node_keys import open_node_desk
from provisioning.re_enrol import ReEnrolled, re_enrol
from tests.offline_store.golden.make_golden import AT
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from tests.provisioning.test_enrolment_survives_crashes import PowerCutError, after, dark
from wire.audit_chain import GENESIS, Head, follow
from wire.envelope import Kind, envelope_hash, open_sealed, seal
from wire.messages import read_operation

pytestmark = pytest.mark.node

ENTRIES = 7
STABLE = 2


@dataclass
class Stopped:
    """A node of seven entries, two of them stable and answered, that the city stopped."""

    world: EnrolmentWorld
    before: str
    bodies: dict[str, bytes]

    def enrol_again(self, code: str, **changed: Any) -> ReEnrolled:
        with httpx.Client(transport=httpx.MockTransport(self.world._answer)) as client:
            said: dict[str, Any] = {
                "paths": self.world.paths,
                "code_text": code,
                "door": GatewayDoor(client, "http://gateway.invalid"),
                "machine": MACHINE,
                "randomness": os.urandom,
                "now": lambda: datetime.now(UTC),
            }
            return re_enrol(**said | changed)

    def nodes(self) -> dict[str, str | None]:
        with self.world.gateway.ledger.reading() as tx:
            return {node.node_id: node.stopped_for for node in nodes.everyone(tx)}

    def links(self) -> list[journal.Link]:
        with open_node_desk(self.world.paths, MACHINE) as desk, desk.reading() as tx:
            return journal.after(tx, 0)

    def kept(self, name: str) -> Any:
        with open_node_desk(self.world.paths, MACHINE) as desk, desk.reading() as tx:
            return state.get(tx, name)


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Stopped]:
    world = EnrolmentWorld(tmp_path)
    document = world.enrol(world.code())
    bodies = {}
    with open_node_desk(world.paths, MACHINE) as desk:
        for number in range(1, ENTRIES + 1):
            op_id = number.to_bytes(16, "big")
            bodies[op_id.hex()] = _body(op_id.hex())
            with desk.transaction() as tx:
                _journal(tx, document.node_id, op_id, bodies[op_id.hex()], document.gateway.sealing_publics)
        with desk.transaction() as tx:
            for number in range(1, STABLE + 2):  # one more is answered than is stable
                journal.settle(tx, number.to_bytes(16, "big").hex(), "applied")
            state.keep_marks(tx, state.Marks("6" * 32, "e" * 32, 4, STABLE, "a" * 64, AT.isoformat()))
            state.put(tx, state.STOPPED, {"why": "city"})
        with desk.reading() as tx:
            links = journal.after(tx, 0)
    outgoing = Outgoing(world.paths.outgoing)
    for link in links:
        outgoing.put_envelope(link.seq, link.envelope)
    yield Stopped(world, document.node_id, bodies)
    world.gateway.ledger.close()


def _body(op_id: str) -> bytes:
    times = b'{"boot_id":"b","confidence":"estimated","monotonic":1.0,"wall":"2026-11-23T04:00:00Z"}'
    return b'{"clerk":"z01","op_id":"%s","times":%s,"v":1}' % (op_id.encode(), times)


def _journal(tx: Any, node_id: str, op_id: bytes, body: bytes, recipients: list[bytes]) -> None:
    head = journal.head(tx)
    envelope = seal(
        kind=Kind.OPERATION,
        node_id=bytes.fromhex(node_id),
        seq=head.seq + 1,
        prev=head.hash,
        op_id=op_id,
        body=body,
        recipients=recipients,
        signer=keys.load(tx).identity,
    )
    new = Head(head.seq + 1, envelope_hash(envelope))
    journal.append(
        tx, head=new, op_id=op_id.hex(), kind="operation", application_id=None, envelope=envelope, body=body, at=AT
    )


def the_city_can_follow(stopped: Stopped, done: ReEnrolled) -> None:
    """The new chain holds exactly what the city could still lose, under the same op_ids, with the same bodies."""
    head, found = GENESIS, {}
    for link in stopped.links():
        head = follow(head, link.envelope, done.document.identity_public, node_id=bytes.fromhex(done.document.node_id))
        opened = open_sealed(
            link.envelope,
            recipient=stopped.world.gateway.keys.newest_sealing,
            signer_public=done.document.identity_public,
        )
        assert opened.body == link.body
        assert read_operation(opened.body).op_id == link.op_id
        assert not link.posted
        assert link.outcome is None, "who answered it may have been a gateway that was given up"
        found[link.op_id] = link.body
    expected = {number.to_bytes(16, "big").hex() for number in range(STABLE + 1, ENTRIES + 1)}
    assert found == {op_id: stopped.bodies[op_id] for op_id in expected}


def test_a_stopped_machine_becomes_another_node_with_the_same_operations(stopped: Stopped) -> None:
    done = stopped.enrol_again(stopped.world.code())
    assert (done.filed, done.renewed) == (ENTRIES, ENTRIES - STABLE)
    assert done.document.node_id != stopped.before
    assert read_node_file(stopped.world.paths.enrolment) == done.document
    the_city_can_follow(stopped, done)
    assert stopped.kept(state.STOPPED) is None
    assert [one["node"] for one in stopped.kept(re_enrolling.FORMER)] == [stopped.before]
    with open_node_desk(stopped.world.paths, MACHINE) as desk, desk.reading() as tx:
        assert len(rechaining.archived(tx, stopped.before)) == ENTRIES
        marks = state.marks(tx)
    assert marks is not None
    assert (marks.hwm, marks.stable_hwm, marks.epoch) == (0, 0, "e" * 32)


def test_what_the_city_could_still_lose_is_shown_as_saved_here_and_what_is_stable_stays_confirmed(
    stopped: Stopped,
) -> None:
    standing = {STABLE: Standing.CONFIRMED, STABLE + 1: Standing.CONFIRMED, ENTRIES: Standing.AT_CITY}
    with open_node_desk(stopped.world.paths, MACHINE) as desk, desk.transaction() as tx:
        for number, kept in standing.items():
            op_id = number.to_bytes(16, "big").hex()
            tx.execute(update(JournalRow).where(col(JournalRow.seq) == number).values(application_id=op_id))
            pending = [op_id] if kept is Standing.AT_CITY else []
            applications.save(tx, draft(op_id), confirmed=None, pending=pending, standing=kept, case_seq=number, at=AT)
    stopped.enrol_again(stopped.world.code())
    with open_node_desk(stopped.world.paths, MACHINE) as desk, desk.reading() as tx:
        known = {number: applications.load(tx, number.to_bytes(16, "big").hex()) for number in standing}
    assert {number: (one.standing, one.pending) for number, one in known.items()} == {
        STABLE: (Standing.CONFIRMED, ()),
        STABLE + 1: (Standing.SAVED_HERE, ((STABLE + 1).to_bytes(16, "big").hex(),)),
        ENTRIES: (Standing.SAVED_HERE, (ENTRIES.to_bytes(16, "big").hex(),)),
    }


def test_the_identity_it_had_is_stopped_so_that_a_clone_hears_of_it(stopped: Stopped) -> None:
    done = stopped.enrol_again(stopped.world.code())
    assert stopped.nodes() == {stopped.before: "fork", done.document.node_id: None}


CUTS: dict[str, tuple[object, str, bool]] = {
    "before the keys are kept": (re_enrolling, "_asked", False),
    "after the keys are kept": (re_enrolling, "_asked", True),
    "after the answer": (re_enrolling, "read_enrolment", False),
    "before the chain is begun anew": (re_enrolling.rechaining, "rechain", False),
    "after the chain is begun anew": (re_enrolling.rechaining, "rechain", True),
    "after the new keys": (re_enrolling.keys, "keep", True),
    "after the marks": (re_enrolling.state, "begin_marks_anew", True),
    "before the desk switched": (re_enrolling, "_switch_over", False),
    "after the desk switched": (re_enrolling, "_switch_over", True),
    "before the mailbox is emptied": (Outgoing, "clear_envelopes", False),
    "after the mailbox is emptied": (Outgoing, "clear_envelopes", True),
    "after the city's words are taken away": (re_enrolling.Incoming, "clear_words", True),
    "before the transport key": (re_enrolling, "place", False),
    "after the transport key": (re_enrolling, "place", True),
    "before the node file": (re_enrolling, "write_node_file", False),
    "after the node file": (re_enrolling, "write_node_file", True),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_power_cut_anywhere_is_mended_by_running_again(
    stopped: Stopped, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    code = stopped.world.code()
    where, name, late = CUTS[cut]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, after(getattr(where, name)) if late else dark)
        with pytest.raises(PowerCutError):
            stopped.enrol_again(code)
    done = stopped.enrol_again(code)
    assert set(stopped.nodes()) == {stopped.before, done.document.node_id}
    assert read_node_file(stopped.world.paths.enrolment) == done.document
    the_city_can_follow(stopped, done)
    assert list(Outgoing(stopped.world.paths.outgoing).envelopes()) == []
    again = stopped.enrol_again(code)
    assert again == done


def test_between_desk_and_node_file_the_node_does_not_start(stopped: Stopped, monkeypatch: pytest.MonkeyPatch) -> None:
    code = stopped.world.code()
    with monkeypatch.context() as patch:
        patch.setattr(re_enrolling, "write_node_file", dark)
        with pytest.raises(PowerCutError):
            stopped.enrol_again(code)
    with pytest.raises(OtherIdentity):
        open_counter(stopped.world.paths, MACHINE, settings=NodeSettings())
    stopped.enrol_again(code)
    open_counter(stopped.world.paths, MACHINE, settings=NodeSettings()).desk.close()


def test_an_answer_lost_on_the_way_makes_no_second_node(stopped: Stopped) -> None:
    code = stopped.world.code()

    def lost(request: httpx.Request) -> None:
        if request.method == "POST":
            raise httpx.ReadError("the line dropped")

    stopped.world.after_answer = lost
    with pytest.raises(GatewayUnreachable):
        stopped.enrol_again(code)
    assert [link.seq for link in stopped.links()] == list(range(1, ENTRIES + 1))
    stopped.world.after_answer = lambda _request: None
    done = stopped.enrol_again(code)
    assert set(stopped.nodes()) == {stopped.before, done.document.node_id}


@pytest.mark.parametrize("wrong", ["role", "site", "gateway", "used"])
def test_a_code_that_does_not_fit_changes_nothing(stopped: Stopped, tmp_path: Path, wrong: str) -> None:
    before = stopped.links()
    if wrong == "role":
        code, refused = stopped.world.code("township", "511603106000"), WrongRole
    elif wrong == "site":
        code, refused = stopped.world.code(site="511603106001"), WrongSite
    elif wrong == "gateway":
        code, refused = EnrolmentWorld(tmp_path / "elsewhere").code(), EnrolledElsewhere
    else:
        code, refused = stopped.world.code(), GatewayRefused
        stopped.world.enrol(code, paths=type(stopped.world.paths)(tmp_path / "another"))
    with pytest.raises(refused):
        stopped.enrol_again(code)
    assert stopped.links() == before
    assert read_node_file(stopped.world.paths.enrolment).node_id == stopped.before
    assert stopped.kept(state.STOPPED) == {"why": "city"}


def test_it_can_be_done_again_and_again(stopped: Stopped) -> None:
    first = stopped.enrol_again(stopped.world.code())
    second = stopped.enrol_again(stopped.world.code())
    assert (second.filed, second.renewed) == (ENTRIES - STABLE, ENTRIES - STABLE)
    the_city_can_follow(stopped, second)
    assert stopped.nodes() == {stopped.before: "fork", first.document.node_id: "fork", second.document.node_id: None}


def test_a_clock_far_in_the_past_does_not_bring_the_old_keys_back(stopped: Stopped) -> None:
    done = stopped.enrol_again(stopped.world.code(), now=lambda: datetime(1970, 1, 2, tzinfo=UTC))
    with open_node_desk(stopped.world.paths, MACHINE) as desk, desk.reading() as tx:
        assert keys.load(tx).identity.public == done.document.identity_public


def test_mail_that_the_desk_never_wrote_is_set_aside_and_not_thrown_away(stopped: Stopped) -> None:
    lost_by_the_desk = b"sealed bytes of a later time"
    Outgoing(stopped.world.paths.outgoing).put_envelope(ENTRIES + 1, lost_by_the_desk)
    stopped.enrol_again(stopped.world.code())
    assert [path.read_bytes() for path in stopped.world.paths.set_aside.iterdir()] == [lost_by_the_desk]
