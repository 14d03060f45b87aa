"""A node that a clerk unlocks after each start: what its two doors say before, and that they are the counter after."""

from __future__ import annotations

import os
import signal
import socket

import httpx
import pytest

from edge_node.acts import drafting, key_change
from edge_node.app import counter_app, open_counter, page_app
from edge_node.language import ByHeader
from edge_node.locked import BODY_MAX_BYTES, Lock, LockedCounter, LockedPage
from edge_node.routes.page_session import form_token
from edge_node.settings import NodeSettings
from offline_store.desk import clerks, keyring, rekeying
from offline_store.desk.clerks import FREE_FAILURES
from offline_store.desk.keyring import ByClerk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.errors import DeskFull, SlotRefused
from tests.edge_node.test_the_program import client_of, ended, folder, start, wait_for
from tests.edge_node.village import AGENT, CLERK, MACHINE_KEY, PASSPHRASE, HandClock, Village, signed_in
from wire.clerk_recovery import answer_for, shared_at_city

__all__ = ["folder"]

pytestmark = pytest.mark.node


class Locked:
    """A node whose machine opens nothing, between start and unlocking."""

    def __init__(self, tmp_path, role: str = "village", who: str = AGENT) -> None:
        self.village = Village.at(tmp_path, role)
        self.paths, self.clock = self.village.counter.paths, HandClock()
        self.draft = drafting.begin(self.village.counter, self.village.who, "GA-YB-001").draft_id
        self.village.counter.desk.let_clerk_open(
            self.paths.keyring, ByClerk(who, PASSPHRASE), os.urandom, ONLY_FOR_TESTS
        )
        keyring.drop_machine_slots(self.paths.keyring)
        self.village.counter.desk.close()
        self.opened = 0
        self.lock = Lock(self._open, monotonic=lambda: self.clock.monotonic, randomness=os.urandom)

    def _open(self, who: ByClerk):
        counter = open_counter(self.paths, who, clock=self.village.clock.machine(), settings=NodeSettings())
        self.opened += 1
        return counter

    def client(self, app) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://counter")

    @property
    def counter(self):
        return self.client(ByHeader(LockedCounter(self.lock, counter_app)))

    @property
    def page(self):
        return self.client(LockedPage(self.lock, page_app))

    def close(self) -> None:
        if self.lock.counter is not None:
            self.lock.counter.desk.close()


@pytest.fixture
def locked(tmp_path):
    made = Locked(tmp_path)
    yield made
    made.close()


@pytest.fixture
def township(tmp_path):
    made = Locked(tmp_path, "township", CLERK)
    yield made
    made.close()


async def signed(client, clerk: str = AGENT, passphrase: str = PASSPHRASE) -> httpx.Response:
    return await client.post("/counter/sign-in", json={"clerk": clerk, "passphrase": passphrase})


async def test_before_it_is_unlocked_nothing_but_signing_in_is_answered(locked):
    async with locked.counter as client:
        for method, path in (("GET", "/counter/status"), ("GET", "/counter/items"), ("POST", "/counter/unlock")):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "node.locked")
            assert "本机已锁定" in answer.json()["error"]["message"]
    assert locked.opened == 0


async def test_signing_in_unlocks_and_is_a_sign_in_like_any_other(locked):
    async with locked.counter as client:
        answer = await signed(client)
        assert (answer.status_code, answer.json()["clerk"]["id"]) == (200, AGENT)
        client.headers["Authorization"] = f"Bearer {answer.json()['session']}"
        assert (await client.get(f"/counter/drafts/{locked.draft}")).status_code == 200
        assert (await client.get("/counter/status")).status_code == 200
    assert locked.opened == 1


@pytest.mark.parametrize("who", [(AGENT, "wrong"), ("nobody", PASSPHRASE)])
async def test_a_wrong_passphrase_and_a_name_without_a_slot_are_answered_alike(locked, who):
    async with locked.counter as client:
        answer = await signed(client, *who)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "sign_in.refused")
        assert (await client.get("/counter/status")).status_code == 503
    assert locked.opened == 0


async def test_guesses_at_the_locked_door_are_made_to_wait(locked):
    async with locked.counter as client:
        for _ in range(FREE_FAILURES):
            assert (await signed(client, passphrase="wrong")).status_code == 401
        answer = await signed(client)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "sign_in.locked_out")
        assert locked.opened == 0
        locked.clock.passes(minutes=2)
        assert (await signed(client)).status_code == 200


async def test_a_disk_that_is_full_is_no_wrong_guess(locked, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(locked.lock, "_open", lambda who: (_ for _ in ()).throw(DeskFull()))
        async with locked.counter as client:
            for _ in range(FREE_FAILURES + 2):
                assert (await signed(client)).status_code == 507
    async with locked.counter as client:
        assert (await signed(client)).status_code == 200


async def test_more_than_a_passphrase_can_be_is_refused(locked):
    async with locked.counter as client:
        answer = await client.post("/counter/sign-in", content=b"x" * (BODY_MAX_BYTES + 1))
        assert answer.status_code == 413
        assert (await client.post("/counter/sign-in", content=b"{")).status_code == 422
    assert locked.opened == 0


async def test_the_page_says_that_it_is_locked_and_is_unlocked_by_signing_in(township):
    async with township.page as client:
        answer = await client.get("/review?show=all")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Freview%3Fshow%3Dall")
        door = await client.get(answer.headers["location"])
        assert (door.status_code, "本机已锁定，请输入口令解锁" in door.text) == (200, True)
        assert "请另一位同事登录解锁" in door.text, "no telephone helps here"
        assert (await client.get("/static/page.css")).status_code == 200
        assert (await client.get("/static/%2e%2e/app.py")).status_code == 404
        assert (await client.post("/relay/bags", content=b"x")).status_code == 503
        token = door.text.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": token, "next": "/review?show=all", "clerk": CLERK, "passphrase": PASSPHRASE}
        forged = await client.post("/sign-in", data={**form, "csrf": "0" * 64})
        assert (forged.status_code, township.opened) == (403, 0)
        wrong = await client.post("/sign-in", data={**form, "passphrase": "wrong"})
        assert (wrong.status_code, township.opened) == (401, 0)
        assert "工号或口令不对" in wrong.text
        answer = await client.post("/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/review?show=all")
        assert (await client.get("/review?show=all")).status_code == 200
    assert township.opened == 1


async def test_what_was_typed_before_the_machine_was_started_anew_is_carried_through_the_unlocking(township):
    async with township.page as client:
        session = "5" * 64
        client.cookies.set("counter", session)
        form = {"csrf": form_token(session), "reason": "材料不全，见虚构说明"}
        answer = await client.post("/review/" + "a" * 32 + "/return", data=form)
        assert answer.status_code == 401
        assert 'name="kept.reason" value="材料不全，见虚构说明"' in answer.text
        assert 'name="next" value="/review/' in answer.text
        forged = await client.post("/review/x/return", data={**form, "csrf": "0" * 64})
        assert forged.status_code == 403
        assert "虚构说明" not in forged.text
        assert (await client.get("/strip", headers={"hx-request": "true"})).status_code == 204


async def test_a_colleague_gets_a_slot_by_signing_in_and_a_changed_passphrase_changes_it(locked):
    other, changed = ByClerk("ag77", PASSPHRASE), ByClerk("ag77", "a changed one")
    async with locked.counter as client:
        await signed(client)
        counter, ring = locked.lock.counter, locked.paths.keyring
        for who in (other, changed):
            with counter.desk.transaction() as tx:
                clerk = clerks.Clerk(who.clerk_id, "李样例", clerks.load(tx, AGENT).role, "", active=True)
                clerks.save(tx, clerk, who.passphrase, randomness=os.urandom, cost=ONLY_FOR_TESTS)
            with pytest.raises(SlotRefused):
                keyring.unlock(ring, who)
            assert (await signed(client, who.clerk_id, who.passphrase)).status_code == 200
            assert keyring.unlock(ring, who)
        with pytest.raises(SlotRefused):
            keyring.unlock(ring, other)


def test_a_node_that_opens_by_itself_keeps_no_passphrase_in_its_keyring(tmp_path):
    village = Village.at(tmp_path)
    signed_in(village.counter)
    assert {kind for kind, _ in keyring.slots(village.counter.paths.keyring)} == {"machine", "city"}


async def test_the_desk_is_re_keyed_and_the_same_passphrase_unlocks_it_after_the_next_start(locked):
    async with locked.counter as client:
        await signed(client)
        counter = locked.lock.counter
        before = keyring.unlock(locked.paths.keyring, ByClerk(AGENT, PASSPHRASE))
        with counter.desk.transaction() as tx:
            rekeying.wanted_since(tx, counter.clock.read().trusted)
        counter.limits = type(counter.limits)(rekey_after=type(counter.limits.rekey_after)(0))
        counter.sessions.end(None)
        counter.sessions.anyone_at_work = lambda: False
        assert key_change.change_if_due(counter)
    locked.close()
    after = keyring.unlock(locked.paths.keyring, ByClerk(AGENT, PASSPHRASE))
    assert after != before
    assert not keyring.opens_alone(locked.paths.keyring)
    again = open_counter(locked.paths, ByClerk(AGENT, PASSPHRASE), settings=NodeSettings())
    assert again.desk.check() == []
    again.desk.close()


def test_the_program_starts_locked_and_goes_on_where_it_was_after_a_kill(folder):
    process = start(folder)
    with client_of(folder) as client:
        draft = client.post("/counter/drafts", json={"item_id": "GA-YB-001"}).json()["draft_id"]
        process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    ring = folder / "n" / "desk" / "keyring.json"
    keyring.put_clerk_slot(ring, keyring.unlock(ring, MACHINE_KEY), AGENT, PASSPHRASE)
    keyring.drop_machine_slots(ring)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start(folder, "--page", f"127.0.0.1:{port}", key="no-key")
    wait_for(folder / "n" / "run" / "counter.sock")
    assert "本机已锁定" in httpx.get(f"http://127.0.0.1:{port}/sign-in", trust_env=False).text
    with client_of(folder) as client:
        assert client.get(f"/counter/drafts/{draft}").status_code == 200
        process.kill()
    ended(process)
    process = start(folder, key="no-key")
    with client_of(folder) as client:
        assert client.get(f"/counter/drafts/{draft}").status_code == 200
        process.send_signal(signal.SIGTERM)
    code, said = ended(process)
    assert (code, "unlocked" in said, PASSPHRASE in said) == (0, True, False)


async def test_a_passphrase_set_by_telephone_unlocks_from_then_on_and_the_forgotten_one_does_not(locked):
    new = "another invented one"
    async with locked.counter as client:
        await signed(client)
        counter = locked.lock.counter
        challenge = (await client.post("/counter/recovery", json={"clerk": AGENT})).json()["challenge"]
        shared = shared_at_city(counter.node.node_id, locked.village.gateway.sealing, counter.node.sealing_public)
        said = {"clerk": AGENT, "answer": answer_for(challenge, AGENT, [shared]), "passphrase": new}
        assert (await client.post("/counter/recovery/answer", json=said)).status_code == 204
    locked.close()  # the power fails before the clerk signs in
    assert keyring.unlock(locked.paths.keyring, ByClerk(AGENT, new))
    with pytest.raises(SlotRefused):
        keyring.unlock(locked.paths.keyring, ByClerk(AGENT, PASSPHRASE))
