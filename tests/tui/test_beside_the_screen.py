"""The parts beside the screens: the client's errors, autosave, the scan folder, the program's own faults."""

from __future__ import annotations

import asyncio
import gc
import ssl
from datetime import date

import httpx
import pytest

from tests.simulators.agents_work import ON_THE_FAKE
from tui.application_words import clock_words
from tui.autosave import Autosave, Kept
from tui.counter_client import CounterClient, over_socket
from tui.drawn import forget
from tui.errors import NodeAway, Refused, SessionLocked, SessionOver
from tui.scan_folder import newest_first, size_words
from tui.widgets.field_frame import FieldFrame
from wire.counter import ClockView

pytestmark = pytest.mark.screen


def answering(status, **content):
    return CounterClient(httpx.MockTransport(lambda _: httpx.Response(status, **content)))


def refusal(code, message="不行"):
    return {"error": {"code": code, "message": message, "params": {}, "fields": []}}


@pytest.mark.parametrize(
    ("status", "content", "failure"),
    [
        (502, {"text": "<html>captive portal</html>"}, NodeAway),
        (500, {"json": {"detail": "no error of the node"}}, NodeAway),
        (200, {"json": {"rows": "not a page"}}, NodeAway),
        (200, {"text": ""}, NodeAway),
        (401, {"json": refusal("session.locked")}, SessionLocked),
        (401, {"json": refusal("session.missing")}, SessionOver),
        (409, {"json": refusal("draft.not_ready")}, Refused),
    ],
)
async def test_every_answer_that_is_no_success_is_one_of_four_failures(status, content, failure):
    async with answering(status, **content) as client:
        with pytest.raises(failure):
            await client.applications()


async def test_a_refusal_keeps_the_sentence_of_the_node():
    async with answering(409, json=refusal("draft.not_ready", "还有内容未填好")) as client:
        with pytest.raises(Refused) as refused:
            await client.collect("0" * 32)
    assert (refused.value.reason, refused.value.sentence, refused.value.status) == (
        "draft.not_ready",
        "还有内容未填好",
        409,
    )


async def test_nobody_on_the_socket_is_the_node_being_away(tmp_path):
    async with CounterClient(over_socket(str(tmp_path / "no.sock"))) as client:
        with pytest.raises(NodeAway):
            await client.status()


async def test_the_status_call_carries_no_session_and_no_passphrase_is_in_an_address():
    seen = []

    def answer(request):
        seen.append(request)
        signed = {"session": "s", "clerk": {"id": "a", "name": "张测试", "role": "agent"}}
        return httpx.Response(200, json=signed if request.method == "POST" else {})

    async with CounterClient(httpx.MockTransport(answer)) as client:
        await client.sign_in("a", "open1")
        with pytest.raises(NodeAway):
            await client.status()
    assert "authorization" not in seen[-1].headers
    assert all("open1" not in str(request.url) for request in seen)


def test_the_road_to_the_node_loads_no_certificates():
    transport = over_socket("/nowhere.sock")
    context = transport._pool._ssl_context
    assert isinstance(context, ssl.SSLContext)
    assert context.cert_store_stats()["x509"] == 0


class Desk:
    """Takes changes, or is away."""

    def __init__(self):
        self.saved, self.away, self.told = {}, False, []
        self.changed = asyncio.Event()

    def tell(self, kept):
        self.told.append(kept)
        self.changed.set()

    async def until(self, kept):
        while self.told[-1:] != [kept]:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)

    async def save(self, parts):
        if self.away:
            raise NodeAway
        for part, values in parts.items():
            self.saved.setdefault(part, {}).update(values)


async def test_a_change_is_saved_by_itself_and_the_last_one_wins():
    desk = Desk()
    autosave = Autosave(desk.save, desk.tell, delay=0.01)
    for name in ("李", "李样", "李样例"):
        autosave.put("values", "applicant_name", name)
    await desk.until(Kept.SAVED)
    assert desk.saved == {"values": {"applicant_name": "李样例"}}
    assert desk.told == [Kept.WAITING, Kept.SAVED]


async def test_changes_made_while_the_node_is_away_are_all_saved_when_it_is_back():
    desk = Desk()
    autosave = Autosave(desk.save, desk.tell, delay=0.01, again=0.02)
    desk.away = True
    autosave.put("values", "a", 1)
    autosave.put("values", "b", 1)
    assert not await autosave.flush()
    assert autosave.kept is Kept.AWAY
    autosave.put("values", "a", 2)
    desk.away = False
    await desk.until(Kept.SAVED)
    assert desk.saved == {"values": {"a": 2, "b": 1}}


def test_the_scan_folder_shows_what_the_node_takes_newest_first(tmp_path):
    import os

    for number, name in enumerate(("old.jpg", "new.PDF", "notes.txt", "empty.png")):
        (tmp_path / name).write_bytes(b"" if name == "empty.png" else b"x" * 2048)
        os.utime(tmp_path / name, (1000 + number, 1000 + number))
    assert [file.path.name for file in newest_first(tmp_path)] == ["new.PDF", "old.jpg"]
    assert newest_first(tmp_path / "missing") == []
    assert size_words(2048) == "2 KB"
    assert size_words(3 * 1024 * 1024) == "3.0 MB"


@ON_THE_FAKE
async def test_a_fault_of_the_program_shows_where_it_broke_and_nobody_s_data(at_the_screen):
    async with at_the_screen() as agent:
        secret = "李样例 511602180001010014"
        try:
            raise ValueError(secret)
        except ValueError:
            agent.app._fatal_error()
        shown = str(agent.app._exit_renderables[-1])
        assert "ValueError" in shown
        assert "test_beside_the_screen.py" in shown
        assert secret not in shown


@ON_THE_FAKE
async def test_nothing_of_a_screen_that_is_gone_is_kept(at_the_screen):
    from tui.screens.wizard import WizardScreen

    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.press("escape")
        await agent.at("guide")
        await agent.press("escape", "escape")
        await agent.at("home")

        def gone() -> bool:
            forget()
            kept = [one for one in gc.get_objects() if isinstance(one, WizardScreen) and one.is_attached]
            return not kept and not [one for one in gc.get_objects() if type(one) is FieldFrame]

        await agent.until(gone)


@ON_THE_FAKE
async def test_keys_that_arrive_at_once_land_in_their_own_fields(at_the_screen):
    """A card reader types a number and Enter without a pause."""
    from textual.events import Key

    async with at_the_screen() as agent:
        await agent.begin("新农合")
        await agent.focus_on("applicant_id_no")
        for key in (*"5116", "enter", *"1380"):
            agent.app.post_message(Key(key, key if len(key) == 1 else None))
        await agent.until(lambda: agent.screen.query_one("#field-applicant_phone").editor.value == "1380")
        assert agent.screen.query_one("#field-applicant_id_no").editor.value == "5116"


@ON_THE_FAKE
async def test_a_look_that_is_overtaken_before_it_began_leaves_nothing_behind(at_the_screen):
    async with at_the_screen() as agent:
        agent.app._tick()
        agent.app._tick()  # takes the place of the first, whose work has not begun
        await agent.settle()
        gc.collect()  # a coroutine that nobody awaited would be told here, and a warning fails the test
        assert {worker.group for worker in agent.app.workers} <= {"look"}


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("working_day", "还剩 5 个工作日"),
        ("calendar_day", "还剩 5 天（自然日）"),
        ("immediate", "还剩 5 天"),
        (None, "还剩 5 天"),
    ],
)
def test_the_days_that_are_left_are_said_in_the_unit_of_the_limit(unit, words):
    clock = ClockView(kind="notice", standing="running", due=date(2026, 12, 4), remaining_days=5, unit=unit)
    assert clock_words(clock).endswith(words)
