"""The counter asks the courier by a file and looks on: sticks, one order at a time, and an end that is always said."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from edge_node.acts import courier_desk
from edge_node.counter.errors import CourierBusy, NoSuchMedium
from offline_store.mailbox import orders
from offline_store.mailbox.orders import Progress
from tests.edge_node.town import Town
from wire.counter import AskCourier

pytestmark = pytest.mark.node


@pytest.fixture
def desk(town: Town, tmp_path: Path) -> Town:
    """A counter with one stick; plain folders count as sticks here, as in a trial."""
    (tmp_path / "media" / "STICK").mkdir(parents=True)
    limits = dataclasses.replace(town.counter.limits, media_root=tmp_path / "media", media_folders=True)
    town.counter.limits = limits
    return town


def asking(desk: Town, way: str = "out", medium: str = "STICK") -> str:
    order = AskCourier.model_validate({"way": way, "medium": medium})
    job = courier_desk.ask(desk.counter, desk.clerk(), order).job
    assert job is not None
    return job.order_id


def test_sticks_are_listed_by_name_with_their_room(desk: Town, tmp_path: Path) -> None:
    (tmp_path / "media" / ".hidden").mkdir()
    (tmp_path / "media" / "file").write_bytes(b"")
    (tmp_path / "media" / "link").symlink_to(tmp_path)
    view = courier_desk.view(desk.counter, desk.clerk())
    assert [medium.name for medium in view.media] == ["STICK"]
    assert view.media[0].free_bytes > 0


def test_a_folder_on_which_nothing_is_mounted_is_no_stick(desk: Town) -> None:
    desk.counter.limits = dataclasses.replace(desk.counter.limits, media_folders=False)
    assert courier_desk.view(desk.counter, desk.clerk()).media == []
    with pytest.raises(NoSuchMedium):
        asking(desk)
    assert orders.order(desk.counter.paths.outgoing) is None


def test_an_order_is_a_file_and_its_progress_is_shown(desk: Town) -> None:
    order_id = asking(desk)
    found = orders.order(desk.counter.paths.outgoing)
    assert found is not None
    assert (found.order_id, found.way, found.medium) == (order_id, "out", "STICK")
    told = Progress(order_id=order_id, phase="working", files=1, files_all=3, bytes=10, bytes_all=30)
    orders.put_progress(desk.counter.paths.incoming, told)
    job = courier_desk.view(desk.counter, desk.clerk()).job
    assert job is not None
    assert (job.phase, job.files, job.bytes_all) == ("working", 1, 30)


def test_a_second_order_waits_for_the_end_of_the_first(desk: Town) -> None:
    order_id = asking(desk)
    with pytest.raises(CourierBusy):
        asking(desk)
    orders.put_progress(desk.counter.paths.incoming, Progress(order_id=order_id, phase="done", code="courier.written"))
    assert asking(desk, "in") != order_id


def test_a_courier_that_never_answers_is_said_to_be_away_and_blocks_nobody(desk: Town) -> None:
    asking(desk)
    desk.clock.seconds += 60
    job = courier_desk.view(desk.counter, desk.clerk()).job
    assert job is not None
    assert (job.phase, job.code) == ("failed", courier_desk.AWAY)
    order_id = asking(desk)
    orders.put_progress(desk.counter.paths.incoming, Progress(order_id=order_id, phase="working"))
    desk.clock.seconds += timedelta(hours=1).total_seconds()
    assert asking(desk) != order_id


def test_broken_files_between_the_two_programs_are_as_if_absent(desk: Town) -> None:
    for path in (desk.counter.paths.outgoing / orders.ORDER, desk.counter.paths.incoming / orders.PROGRESS):
        for content in (b"", b"[]", b"{", b'{"order_id": 1}'):
            path.write_bytes(content)
            courier_desk.view(desk.counter, desk.clerk())
