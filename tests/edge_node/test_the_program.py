"""The program itself, as a process: its socket, its lock, a kill in the middle of work."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from offline_store.desk import journal
from tests.edge_node.village import AGENT, MACHINE_KEY, PASSPHRASE, Village

pytestmark = pytest.mark.node

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A node's folder, short enough for a socket's name."""
    village = Village.at(tmp_path / "n")
    village.counter.desk.close()
    key = tmp_path / "key"
    key.write_bytes(MACHINE_KEY)
    return tmp_path


def start(folder: Path, *more: str, key: str = "key") -> subprocess.Popen:
    environment = {**os.environ, "GUANGAN_MACHINE_KEY_FILE": str(folder / key), "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, "-m", "edge_node", "--root", str(folder / "n"), *more],
        env=environment,
        stderr=subprocess.PIPE,
        cwd=folder,
    )


def wait_for(path: Path) -> None:
    """Until somebody listens there."""
    for _ in range(400):
        with socket.socket(socket.AF_UNIX) as knock:
            try:
                knock.connect(str(path))
            except OSError:
                time.sleep(0.05)
            else:
                return
    raise TimeoutError(path)


@contextmanager
def client_of(folder: Path):
    path = folder / "n" / "run" / "counter.sock"
    wait_for(path)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://counter", timeout=20) as client:
        answer = client.post("/counter/sign-in", json={"clerk": AGENT, "passphrase": PASSPHRASE})
        client.headers["Authorization"] = f"Bearer {answer.json()['session']}"
        yield client


def ended(process: subprocess.Popen) -> tuple[int, str]:
    _, said = process.communicate(timeout=30)
    return process.returncode, said.decode()


def test_it_serves_on_a_private_socket_and_ends_when_told(folder):
    process = start(folder)
    with client_of(folder) as client:
        assert client.get("/counter/domains").status_code == 200
        mode = stat.S_IMODE((folder / "n" / "run" / "counter.sock").stat().st_mode)
        assert mode == 0o600
        process.send_signal(signal.SIGTERM)
    code, said = ended(process)
    assert code == 0
    assert AGENT not in said
    assert not (folder / "n" / "run" / "counter.sock").exists()


def test_a_second_one_on_the_same_folder_does_not_start(folder):
    first = start(folder)
    with client_of(folder):
        code, said = ended(start(folder))
        assert code == 2
        assert "already_running" in said
    first.send_signal(signal.SIGTERM)
    assert ended(first)[0] == 0


def test_a_kill_loses_nothing_that_was_called_saved(folder):
    process = start(folder)
    with client_of(folder) as client:
        draft = client.post("/counter/drafts", json={"item_id": "GA-YB-001"}).json()["draft_id"]
        saved = client.patch(f"/counter/drafts/{draft}", json={"values": {"applicant_name": "张测试"}})
        assert saved.status_code == 200
        process.kill()
    ended(process)
    process = start(folder)  # over the stale socket and lock
    with client_of(folder) as client:
        assert client.get(f"/counter/drafts/{draft}").json()["values"]["applicant_name"] == "张测试"
        process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    village = Village.at(folder / "n")
    with village.counter.desk.reading() as tx:
        assert journal.unposted(tx) == [] or journal.head(tx).seq


@pytest.mark.parametrize("key", ["no-key", "wrong-key"])
def test_without_the_machine_key_nothing_opens(folder, key):
    (folder / "wrong-key").write_bytes(bytes(32))
    code, said = ended(start(folder, key=key))
    assert code == 2
    assert "keyring." in said
    assert "Traceback" not in said


def test_the_page_listens_where_it_is_told_and_knows_no_counter_api(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(folder, "--page", f"127.0.0.1:{port}")
    with client_of(folder):
        page = httpx.get(f"http://127.0.0.1:{port}/", follow_redirects=True)
        assert page.status_code == 200
        assert "Content-Security-Policy" in page.headers
        assert httpx.get(f"http://127.0.0.1:{port}/counter/status").status_code == 404
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def test_what_was_posted_is_whole_when_the_program_is_gone(folder):
    process = start(folder)
    with client_of(folder) as client:
        client.get("/counter/domains")
        for _ in range(100):
            lying = list((folder / "n" / "mailbox" / "outgoing" / "envelopes").glob("*.env"))
            if len(lying) >= 2:
                break
            time.sleep(0.05)
        process.kill()
    ended(process)
    village = Village.at(folder / "n")
    assert len(lying) >= 2
    assert all(path.read_bytes()[:4] == b"GAEV" for path in lying)
    assert json.loads((folder / "n" / "mailbox" / "outgoing" / "facts.json").read_text())["catalog_version"] == 1
    assert village.counter.node.role == "village"
