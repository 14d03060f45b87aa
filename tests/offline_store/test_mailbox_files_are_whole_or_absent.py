"""Mailbox: idempotent, kill-safe, one file each."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offline_store.errors import DamagedFile, EnvelopeChanged, NotAHash
from offline_store.mailbox.incoming import Incoming
from offline_store.mailbox.line import LineState
from offline_store.mailbox.outgoing import Facts, Outgoing
from tests.offline_store.dying import Died, dying_at

pytestmark = pytest.mark.node

HASH = "ab" * 32
OTHER = "cd" * 32


def test_posting_the_same_envelope_twice_is_the_same_file(tmp_path: Path) -> None:
    outgoing = Outgoing(tmp_path)
    outgoing.put_envelope(1, b"sealed")
    before = next(outgoing.envelopes())[1].stat()
    outgoing.put_envelope(1, b"sealed")
    ((seq, path),) = outgoing.envelopes()
    assert (seq, path.read_bytes(), path.stat().st_ino) == (1, b"sealed", before.st_ino)


def test_other_bytes_under_a_taken_number_are_refused_and_the_first_stay(tmp_path: Path) -> None:
    outgoing = Outgoing(tmp_path)
    outgoing.put_envelope(7, b"first")
    with pytest.raises(EnvelopeChanged) as refused:
        outgoing.put_envelope(7, b"second")
    assert refused.value.seq == 7
    assert [path.read_bytes() for _, path in outgoing.envelopes()] == [b"first"]


def test_envelopes_come_in_order_and_leave_through_a_mark(tmp_path: Path) -> None:
    outgoing = Outgoing(tmp_path)
    for seq in (10, 9, 100, 2):
        outgoing.put_envelope(seq, str(seq).encode())
    assert [seq for seq, _ in outgoing.envelopes(after_seq=2)] == [9, 10, 100]
    assert outgoing.remove_through(10) == 3
    assert [seq for seq, _ in outgoing.envelopes()] == [100]


def test_death_at_any_step_leaves_no_torn_envelope_and_a_repeat_heals(tmp_path: Path) -> None:
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        outgoing = Outgoing(folder)
        try:
            with dying_at(steps) as calls:
                outgoing.put_envelope(1, b"sealed" * 1000)
        except Died:
            calls = []
        lying = [path.read_bytes() for _, path in Outgoing(folder).envelopes()]
        assert lying in ([], [b"sealed" * 1000])
        Outgoing(folder).sweep()
        Outgoing(folder).put_envelope(1, b"sealed" * 1000)
        assert [path.read_bytes() for _, path in outgoing.envelopes()] == [b"sealed" * 1000]
        assert len(list((folder / "envelopes").iterdir())) == 1
        if calls:
            break
        steps += 1
    assert calls.index("fsync") < calls.index("replace") < len(calls) - 1 - calls[::-1].index("fsync")


def test_a_killed_writer_leaves_only_whole_envelopes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from offline_store.mailbox.outgoing import Outgoing\n"
        "out = Outgoing(Path(sys.argv[1])); print('ready', flush=True)\n"
        "for seq in range(1, 100000): out.put_envelope(seq, seq.to_bytes(4, 'big') * 5000); print(seq, flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(40)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.stdout.read().splitlines(keepends=True)
    writer.wait()
    writer.stdout.close()
    lying = {seq: path.read_bytes() for seq, path in Outgoing(tmp_path).envelopes()}
    promised = {int(line) for line in acknowledged if line.strip().isdigit() and line.endswith(b"\n")}
    assert promised <= lying.keys()
    assert all(data == seq.to_bytes(4, "big") * 5000 for seq, data in lying.items())


def test_tickets_come_most_urgent_first_and_wishes_are_kept(tmp_path: Path) -> None:
    outgoing = Outgoing(tmp_path)
    outgoing.put_scan_ticket(HASH, priority=5, length=10)
    outgoing.put_scan_ticket(OTHER, priority=1, length=99)
    outgoing.want_scan(HASH)
    outgoing.want_scan(HASH)
    assert [ticket.scan_hash for ticket in outgoing.scan_tickets()] == [OTHER, HASH]
    outgoing.put_scan_ticket(HASH, priority=0, length=10)
    assert [ticket.scan_hash for ticket in outgoing.scan_tickets()] == [HASH, OTHER]
    assert outgoing.wanted() == [HASH]
    outgoing.remove_scan_ticket(OTHER)
    outgoing.unwant(HASH)
    assert [ticket.scan_hash for ticket in outgoing.scan_tickets()] == [HASH]
    assert outgoing.wanted() == []


@pytest.mark.parametrize("name", ["../" + "a" * 61, "A" * 64, "a" * 63, "", "a" * 63 + "\n"])
def test_nothing_but_a_hash_becomes_a_file_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotAHash):
        Outgoing(tmp_path / "out").want_scan(name)
    with pytest.raises(NotAHash):
        Incoming(tmp_path / "in").mark_scan_stored(name, {"payload": "signed"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_facts_and_line_state_come_back_as_written(tmp_path: Path) -> None:
    outgoing, incoming = Outgoing(tmp_path / "out"), Incoming(tmp_path / "in")
    assert (outgoing.facts(), incoming.line()) == (None, None)
    outgoing.put_facts(Facts(feed_cursor=3, catalog_version=None, program_version="0.1.0", clock_offset_s=-1.5))
    incoming.put_line(LineState(up=True, since="2026-11-23T04:00:00Z", backlog_ops=2))
    assert outgoing.facts() == Facts(3, None, "0.1.0", -1.5)
    assert incoming.line() == LineState(up=True, since="2026-11-23T04:00:00Z", backlog_ops=2)


def test_a_line_state_of_a_newer_courier_is_still_read() -> None:
    assert LineState.from_bytes(b'{"up": true, "colour": "green"}') == LineState(up=True)
    with pytest.raises(DamagedFile):
        LineState.from_bytes(b"[1")


def test_a_forged_feed_file_does_not_block_the_true_one(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path)
    incoming.put_feed(1, b"forged")
    incoming.put_feed(1, b"true")
    incoming.put_feed(2, b"next")
    assert list(incoming.feed()) == [(1, b"true"), (2, b"next")]
    incoming.remove_feed(1)
    assert list(incoming.feed(after=0)) == [(2, b"next")]


def test_receipt_refusal_and_stored_scans(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path)
    assert (incoming.receipt(), incoming.refusal(), incoming.stored_scans()) == (None, None, [])
    incoming.put_receipt({"payload": "a"})
    incoming.put_refusal({"payload": "b"})
    incoming.mark_scan_stored(HASH, {"payload": "signed"})
    incoming.mark_scan_stored(HASH, {"payload": "signed"})
    assert (incoming.receipt(), incoming.refusal()) == ({"payload": "a"}, {"payload": "b"})
    assert incoming.stored_scans() == [HASH]
    assert incoming.scan_receipt(HASH) == {"payload": "signed"}
    incoming.clear_refusal()
    incoming.clear_scan_stored(HASH)
    assert (incoming.refusal(), incoming.stored_scans()) == (None, [])


def test_files_are_not_open_to_everybody(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        outgoing = Outgoing(tmp_path)
        outgoing.put_envelope(1, b"sealed")
    finally:
        os.umask(previous)
    assert next(outgoing.envelopes())[1].stat().st_mode & 0o007 == 0
