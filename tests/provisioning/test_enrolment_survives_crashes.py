"""A machine becomes a node once, whatever happens in between and however often it is tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from offline_store.desk import keyring, state
from offline_store.errors import NodeFileMissing, SlotRefused
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from provisioning import enrol as enrol_module
from provisioning import node_keys
from provisioning.errors import EnrolledElsewhere, GatewayRefused, GatewayUnreachable, WrongRole
from provisioning.node_keys import open_node_desk
from provisioning.wording import sentence
from tests.provisioning.enrolment_world import MACHINE, EnrolmentWorld
from wire.errors import MalformedCode, WrongGateway

pytestmark = pytest.mark.node


class PowerCutError(Exception):
    """The machine went dark here."""


@pytest.fixture
def world(tmp_path: Path) -> EnrolmentWorld:
    return EnrolmentWorld(tmp_path)


def dark(*_what: object, **_more: object) -> None:
    raise PowerCutError


def after(real: Callable[..., object]) -> Callable[..., object]:
    def doing(*what: object, **more: object) -> object:
        real(*what, **more)
        raise PowerCutError

    return doing


CUTS: dict[str, tuple[object, str, bool]] = {
    "before the keyring": (keyring, "create", False),
    "after the keyring": (keyring, "create", True),
    "before the desk": (node_keys, "open_desk", False),
    "after the desk": (node_keys, "open_desk", True),
    "before the keys": (node_keys.keys, "keep", False),
    "before the transport key": (node_keys, "place", False),
    "after the transport key": (node_keys, "place", True),
    "before the nonce": (enrol_module, "_nonce", False),
    "after the nonce": (enrol_module, "_nonce", True),
    "after the answer": (enrol_module, "read_enrolment", False),
    "before the gateway is pinned": (enrol_module, "_pin", False),
    "after the gateway is pinned": (enrol_module, "_pin", True),
    "before the node file": (enrol_module, "write_node_file", False),
    "after the node file": (enrol_module, "write_node_file", True),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_power_cut_anywhere_is_mended_by_running_again(
    world: EnrolmentWorld, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    code = world.code()
    where, name, late = CUTS[cut]
    with monkeypatch.context() as patch:
        patch.setattr(where, name, after(getattr(where, name)) if late else dark)
        with pytest.raises(PowerCutError):
            world.enrol(code)
    document = world.enrol(code)
    assert world.nodes() == [document.node_id]
    assert read_node_file(world.paths.enrolment) == document
    assert world.enrol(code) == document


def test_an_answer_lost_on_the_way_is_asked_for_again_and_is_the_same(world: EnrolmentWorld) -> None:
    code = world.code()

    def lost(request: httpx.Request) -> None:
        if request.method == "POST":
            raise httpx.ReadError("the line dropped")

    world.after_answer = lost
    with pytest.raises(GatewayUnreachable):
        world.enrol(code)
    (made,) = world.nodes()
    with pytest.raises(NodeFileMissing):
        read_node_file(world.paths.enrolment)
    world.after_answer = lambda _request: None
    assert world.enrol(code).node_id == made
    assert world.nodes() == [made]


def test_the_desk_keeps_the_gateways_key_and_the_folders_are_private(world: EnrolmentWorld) -> None:
    world.enrol(world.code())
    with open_node_desk(world.paths, MACHINE) as desk, desk.reading() as tx:
        assert state.pinned_gateway(tx) == world.gateway.keys.signing.public
    assert world.paths.transport_key.stat().st_mode & 0o077 == 0
    assert world.paths.desk_folder.stat().st_mode & 0o077 == 0
    with pytest.raises(SlotRefused):
        open_node_desk(world.paths, bytes(32))


def test_a_code_of_another_gateway_leaves_this_machine_untouched(world: EnrolmentWorld, tmp_path: Path) -> None:
    other = EnrolmentWorld(tmp_path / "elsewhere")
    with pytest.raises(WrongGateway):
        world.enrol(other.code())
    assert world.asked == ["GET"]
    assert not world.paths.root.exists()


def test_a_mistyped_code_asks_nobody(world: EnrolmentWorld) -> None:
    code = world.code()
    with pytest.raises(MalformedCode):
        world.enrol(code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert world.asked == []


def test_a_used_code_makes_no_second_node(world: EnrolmentWorld, tmp_path: Path) -> None:
    code = world.code()
    first = world.enrol(code)
    with pytest.raises(GatewayRefused) as refused:
        world.enrol(code, paths=NodePaths(tmp_path / "second"))
    assert world.nodes() == [first.node_id]
    assert not (tmp_path / "second" / "enrolment.json").exists()
    assert "开通码" in sentence(refused.value)


def test_a_code_for_the_other_role_makes_no_node_here(world: EnrolmentWorld) -> None:
    with pytest.raises(WrongRole):
        world.enrol(world.code(), role="township")
    with pytest.raises(NodeFileMissing):
        read_node_file(world.paths.enrolment)


def test_a_node_is_not_taken_over_by_another_gateway(world: EnrolmentWorld, tmp_path: Path) -> None:
    document = world.enrol(world.code())
    other = EnrolmentWorld(tmp_path / "elsewhere")
    with pytest.raises(EnrolledElsewhere):
        other.enrol(other.code(), paths=world.paths)
    assert read_node_file(world.paths.enrolment) == document


def test_a_page_of_a_captive_portal_is_not_a_gateway(world: EnrolmentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "_answer", lambda _request: httpx.Response(200, html="<html>pay</html>"))
    with pytest.raises(GatewayUnreachable):
        world.enrol(world.code())
    assert not world.paths.root.exists()
