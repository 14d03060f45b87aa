"""A machine that has no line becomes a node by a stick that goes to the city and back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from city_gateway.enrolment_stick import answer_all, lay_card
from city_gateway.wording import words
from offline_store.errors import NodeFileMissing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from provisioning.enrol import enrol
from provisioning.errors import AnswerAwaited, GatewayRefused, StickDamaged, StickWithoutCard
from provisioning.re_enrol import re_enrol
from provisioning.stick_door import StickDoor
from provisioning.wording import sentence
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from wire.enrolment import EnrolmentDocument, read_code
from wire.enrolment_stick import CARD, FOLDER
from wire.errors import WrongGateway

pytestmark = pytest.mark.node


@pytest.fixture
def world(tmp_path: Path) -> EnrolmentWorld:
    return EnrolmentWorld(tmp_path)


@pytest.fixture
def stick(tmp_path: Path, world: EnrolmentWorld) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    lay_card(world.gateway, folder)
    return folder


def here(world: EnrolmentWorld, stick: Path, code: str, paths: NodePaths | None = None) -> EnrolmentDocument:
    return enrol(
        paths=paths or world.paths,
        door=StickDoor(stick),
        code_text=code,
        role="village",
        machine=MACHINE,
        randomness=os.urandom,
        now=lambda: datetime.now(UTC),
    )


def laid_down(world: EnrolmentWorld, stick: Path, code: str, paths: NodePaths | None = None) -> None:
    with pytest.raises(AnswerAwaited) as awaited:
        here(world, stick, code, paths)
    assert "送到市级" in sentence(awaited.value)


def files(stick: Path, suffix: str) -> list[Path]:
    return sorted((stick / FOLDER).glob(f"*{suffix}"))


def test_a_stick_that_goes_to_the_city_and_back_makes_a_node(world: EnrolmentWorld, stick: Path) -> None:
    code = world.code()
    laid_down(world, stick, code)
    assert world.nodes() == []
    with pytest.raises(NodeFileMissing):
        read_node_file(world.paths.enrolment)
    (answered,) = answer_all(world.gateway, stick)
    assert (answered.site_name, answered.error) == ("团柏村", "")
    document = here(world, stick, code)
    assert world.nodes() == [document.node_id]
    assert read_node_file(world.paths.enrolment) == document
    assert world.asked == []


def test_who_finds_the_stick_reads_no_code_and_no_key(world: EnrolmentWorld, stick: Path) -> None:
    code = world.code()
    laid_down(world, stick, code)
    secret = read_code(code).secret
    found = b"".join(path.read_bytes() for path in (stick / FOLDER).iterdir())
    assert secret.encode() not in found
    assert secret not in "".join(path.name for path in (stick / FOLDER).iterdir())


def test_a_stick_lost_on_the_way_costs_a_journey_and_no_code(
    world: EnrolmentWorld, stick: Path, tmp_path: Path
) -> None:
    code = world.code()
    laid_down(world, stick, code)
    (made,) = answer_all(world.gateway, stick)
    other = tmp_path / "other"
    other.mkdir()
    lay_card(world.gateway, other)
    laid_down(world, other, code)
    (again,) = answer_all(world.gateway, other)
    assert (again.request, again.error) == (made.request, "")
    assert world.nodes() == [here(world, other, code).node_id]


def test_a_stick_that_is_read_twice_at_the_city_makes_one_node(world: EnrolmentWorld, stick: Path) -> None:
    code = world.code()
    laid_down(world, stick, code)
    first = (*answer_all(world.gateway, stick), files(stick, ".ANS")[0].read_bytes())
    second = (*answer_all(world.gateway, stick), files(stick, ".ANS")[0].read_bytes())
    assert first == second
    assert len(world.nodes()) == 1


def test_a_used_code_is_refused_in_words_on_the_stick_too(world: EnrolmentWorld, stick: Path, tmp_path: Path) -> None:
    code = world.code()
    first = world.enrol(code)
    second = NodePaths(tmp_path / "second")
    laid_down(world, stick, code, second)
    (answered,) = answer_all(world.gateway, stick)
    assert "开通码" in words(f"error.{answered.error}")
    with pytest.raises(GatewayRefused) as refused:
        here(world, stick, code, second)
    assert "开通码" in sentence(refused.value)
    assert world.nodes() == [first.node_id]
    assert not second.enrolment.exists()


def test_an_answer_to_another_machine_is_not_taken(world: EnrolmentWorld, stick: Path, tmp_path: Path) -> None:
    mine, others = world.code(), world.code()
    laid_down(world, stick, mine)
    laid_down(world, stick, others, NodePaths(tmp_path / "second"))
    assert [one.error for one in answer_all(world.gateway, stick)] == ["", ""]
    one, two = files(stick, ".ANS")
    swapped = one.read_bytes(), two.read_bytes()
    two.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    with pytest.raises(StickDamaged):
        here(world, stick, mine)
    assert not world.paths.enrolment.exists()


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"\xff" * 300, b"x" * 300_000])
def test_a_spoilt_answer_is_told_and_changes_nothing(world: EnrolmentWorld, stick: Path, spoilt: bytes) -> None:
    code = world.code()
    laid_down(world, stick, code)
    list(answer_all(world.gateway, stick))
    files(stick, ".ANS")[0].write_bytes(spoilt)
    with pytest.raises(StickDamaged) as damaged:
        here(world, stick, code)
    assert "换一个U盘" in sentence(damaged.value)
    assert not world.paths.enrolment.exists()
    list(answer_all(world.gateway, stick))
    assert here(world, stick, code).node_id in world.nodes()


@pytest.mark.parametrize("spoilt", [b"", b"\xff" * 300, b"x" * 300_000])
def test_a_spoilt_request_is_told_and_keeps_no_other_from_its_answer(
    world: EnrolmentWorld, stick: Path, spoilt: bytes
) -> None:
    code = world.code()
    laid_down(world, stick, code)
    (stick / FOLDER / "00000000.REQ").write_bytes(spoilt)
    bad, good = sorted(answer_all(world.gateway, stick), key=lambda one: one.error == "")
    assert (bad.request, bad.unreadable, good.error) == ("00000000.REQ", True, "")
    assert not (stick / FOLDER / "00000000.ANS").exists()
    assert here(world, stick, code).node_id in world.nodes()


def test_a_link_on_the_stick_is_followed_by_neither_end(world: EnrolmentWorld, stick: Path, tmp_path: Path) -> None:
    code = world.code()
    laid_down(world, stick, code)
    (request,) = files(stick, ".REQ")
    elsewhere = tmp_path / "elsewhere"
    request.rename(elsewhere)
    request.symlink_to(elsewhere)
    (answered,) = answer_all(world.gateway, stick)
    assert answered.error == "wire.malformed_message"
    (stick / FOLDER / CARD).rename(tmp_path / "card")
    (stick / FOLDER / CARD).symlink_to(tmp_path / "card")
    with pytest.raises(StickDamaged):
        here(world, stick, code)
    assert world.nodes() == []


def test_a_stick_of_another_city_leaves_this_machine_untouched(world: EnrolmentWorld, tmp_path: Path) -> None:
    other, folder = EnrolmentWorld(tmp_path / "elsewhere"), tmp_path / "foreign"
    folder.mkdir()
    lay_card(other.gateway, folder)
    with pytest.raises(WrongGateway):
        here(world, folder, world.code())
    assert not world.paths.root.exists()
    assert files(folder, ".REQ") == []


def test_a_stick_without_a_card_says_what_to_do(world: EnrolmentWorld, tmp_path: Path) -> None:
    with pytest.raises(StickWithoutCard) as without:
        here(world, tmp_path, world.code())
    assert "--stick" in sentence(without.value)


def test_a_stopped_machine_gets_another_identity_by_stick(world: EnrolmentWorld, stick: Path) -> None:
    before, code = world.enrol(world.code()), world.code()

    def anew() -> EnrolmentDocument:
        return re_enrol(
            paths=world.paths,
            door=StickDoor(stick),
            code_text=code,
            machine=MACHINE,
            randomness=os.urandom,
            now=lambda: datetime.now(UTC),
        ).document

    with pytest.raises(AnswerAwaited):
        anew()
    assert read_node_file(world.paths.enrolment) == before
    assert [one.error for one in answer_all(world.gateway, stick)] == [""]
    after = anew()
    assert after.node_id != before.node_id
    assert sorted(world.nodes()) == sorted([before.node_id, after.node_id])
    assert anew() == after
