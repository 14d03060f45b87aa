"""A phone that was invited hands in pages over the office's network, and can do nothing else; a real TLS listener."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from edge_node import phone_door
from edge_node.acts import drafting, sign_in
from edge_node.app import counter_app, phone_app
from edge_node.counter.invitations import INVITED_SECONDS
from edge_node.counter.picture import SCAN_MAX_BYTES
from edge_node.phone_door import PhoneDoor, private_addresses
from offline_store.desk import scans
from tests.edge_node.village import AGENT, PASSPHRASE, Village, photo

pytestmark = pytest.mark.node
ITEM, MATERIAL = "GA-YB-001", "GA-YB-001-M01"


class Counterside:
    """The agent's end: the API of the counter, with a phone's door on loopback."""

    def __init__(self, village: Village, port: int = 0, hosts: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.village, self.counter = village, village.counter
        self.app = counter_app(village.counter)
        self.door = PhoneDoor(
            phone_app(village.counter, self.app.state.receiving), village.counter.invitations, lambda: hosts, port
        )
        self.app.state.phone = self.door
        self.token = sign_in.sign_in(village.counter, AGENT, PASSPHRASE)[0].session
        self.who = village.counter.sessions.at_counter(self.token)
        self.draft_id = drafting.begin(village.counter, self.who, ITEM).draft_id

    async def call(self, method: str, path: str, **more: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://counter") as client:
            headers = {"authorization": f"Bearer {self.token}"}
            return await client.request(method, f"/counter{path}", params=more, headers=headers)

    async def invite(self, material_id: str = MATERIAL) -> tuple[str, str]:
        """Address and token."""
        answer = await self.call("POST", f"/drafts/{self.draft_id}/phone", material_id=material_id)
        assert answer.status_code == 201, answer.text
        address, _, token = answer.json()["urls"][0].partition("/#")
        return address, token

    def pages(self) -> list[int]:
        with self.counter.desk.reading() as tx:
            return sorted(one.page for one in scans.of_draft(tx, self.draft_id))


@asynccontextmanager
async def phone(address: str, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody vouches for the certificate: whoever scans the code has to go on knowingly."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, verify=False, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Counterside]:
    made = Counterside(Village.at(tmp_path))
    yield made
    await made.door.close()


async def test_an_invited_phone_hands_in_pages_of_its_material_and_reads_its_name_only(here: Counterside) -> None:
    address, token = await here.invite()
    async with phone(address, token) as client:
        asked = (await client.get("/asked")).json()
        assert (asked["pages"], set(asked), bool(asked["material"])) == (0, {"material", "pages"}, True)
        taken = [(await client.post("/pages", content=photo(number))).json()["page"] for number in range(2)]
        assert (taken, here.pages()) == ([1, 2], [1, 2])
        assert (await client.get("/asked")).json()["pages"] == 2
        for path in (f"/counter/drafts/{here.draft_id}", "/counter/items", "/counter/status", "/review"):
            assert (await client.get(path)).status_code == 404, path


@pytest.mark.parametrize("token", ["-", "x" * 22, "A" * 22])
async def test_who_was_not_invited_is_told_so_before_a_byte_is_kept(here: Counterside, token: str) -> None:
    address, _ = await here.invite()
    async with phone(address, token) as client:
        for answer in (await client.get("/asked"), await client.post("/pages", content=photo())):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "phone.not_invited")
            assert "F5" in answer.json()["error"]["message"]
    assert here.pages() == []


async def test_another_invitation_the_end_of_the_time_and_a_locked_screen_each_end_it(here: Counterside) -> None:
    async def still_in(address: str, token: str) -> bool:
        async with phone(address, token) as client:
            return (await client.get("/asked")).status_code == 200

    first, second = await here.invite(), await here.invite("D-WT")
    assert (await still_in(*first), await still_in(*second)) == (False, True)
    here.village.clock.passes(seconds=INVITED_SECONDS - 1)
    assert await still_in(*second)
    here.village.clock.passes(seconds=2)
    assert not await still_in(*second)
    here.token = sign_in.sign_in(here.counter, AGENT, PASSPHRASE)[0].session
    third = await here.invite()
    assert await still_in(*third)
    here.counter.sessions.end(here.token)
    assert not await still_in(*third)


async def test_the_door_closes_behind_the_last_invitation(here: Counterside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_door, "LOOK_SECONDS", 0.01)
    address, _ = await here.invite()
    assert listens(address)
    here.counter.invitations.withdraw(here.who)
    for _ in range(500):
        if not listens(address):
            break
        await asyncio.sleep(0.01)
    assert not listens(address)
    again, token = await here.invite()
    async with phone(again, token) as client:
        assert (await client.post("/pages", content=photo())).status_code == 201


async def test_two_invitations_while_the_door_closes_open_one_door(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = Counterside(Village.at(tmp_path), port)
    try:
        await here.invite()
        here.counter.invitations.withdraw(here.who)
        here.door._door.should_exit = True  # as the look behind the last invitation does
        (first, _), (second, token) = await asyncio.gather(here.invite(), here.invite())
        assert first == second
        async with phone(second, token) as client:
            assert (await client.get("/asked")).status_code == 200
        assert (await here.call("DELETE", "/phone")).status_code == 204
        assert not listens(second)
    finally:
        await here.door.close()


async def test_leaving_the_screen_closes_the_door_at_once(here: Counterside) -> None:
    address, _ = await here.invite()
    assert (await here.call("DELETE", "/phone")).status_code == 204
    assert not listens(address)


async def test_who_leaves_does_not_shut_the_door_on_a_colleagues_phone(here: Counterside) -> None:
    mine, here.token = here.token, sign_in.sign_in(here.counter, AGENT, PASSPHRASE)[0].session
    address, token = await here.invite()
    here.token = mine
    await here.call("DELETE", "/phone")
    async with phone(address, token) as client:
        assert (await client.post("/pages", content=photo())).status_code == 201


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def listens(address: str) -> bool:
    host, _, port = address.removeprefix("https://").partition(":")
    with socket.socket() as knocking:
        return knocking.connect_ex((host, int(port))) == 0


TOO_MUCH = b"x" * (SCAN_MAX_BYTES + 1)


@pytest.mark.parametrize("body", [b"GIF89a.....", b"", photo()[:200], TOO_MUCH], ids=["gif", "empty", "torn", "large"])
async def test_what_is_no_page_is_refused_in_words_and_leaves_nothing(here: Counterside, body: bytes) -> None:
    address, token = await here.invite()
    async with phone(address, token) as client:
        answer = await client.post("/pages", content=body)
    assert answer.json()["error"]["code"].startswith("scan."), answer.text
    assert (answer.status_code >= 400, here.pages()) == (True, [])


async def test_nothing_is_said_in_the_clear_and_the_key_lies_on_no_disk(here: Counterside, tmp_path: Path) -> None:
    address, _ = await here.invite()
    async with httpx.AsyncClient(trust_env=False) as plain:
        with pytest.raises(httpx.HTTPError):
            await plain.get(address.replace("https:", "http:") + "/asked")
    assert b"PRIVATE KEY" not in everything(tmp_path)


async def test_each_opening_has_a_certificate_of_its_own(here: Counterside) -> None:
    async def shown() -> bytes:
        address, _ = await here.invite()
        host, _, port = address.removeprefix("https://").partition(":")
        pem = await asyncio.to_thread(ssl_certificate, host, int(port))
        await here.call("DELETE", "/phone")
        return pem

    assert await shown() != await shown()


def ssl_certificate(host: str, port: int) -> bytes:
    return ssl.get_server_certificate((host, port)).encode()


async def test_without_a_network_a_free_port_or_leave_the_agent_is_told_what_to_do(tmp_path: Path) -> None:
    village = Village.at(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for here, code in (
            (Counterside(village, hosts=()), "phone.no_network"),
            (Counterside(village, port), "phone.port_taken"),
        ):
            answer = await here.call("POST", f"/drafts/{here.draft_id}/phone", material_id=MATERIAL)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, code)
            assert not here.counter.invitations.anyone_invited()
    shut = Counterside(village)
    shut.app.state.phone = None
    answer = await shut.call("POST", f"/drafts/{shut.draft_id}/phone", material_id=MATERIAL)
    assert answer.json()["error"]["code"] == "phone.off"


def test_only_private_addresses_are_offered() -> None:
    for address in private_addresses():
        assert not address.startswith("127.")
        assert address.split(".")[0] in {"10", "172", "192", "169"}
