"""Health, the catalog as files, refusals, and every code with a sentence."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from casework.application import Role
from casework.events import EVENTS
from casework.states import State
from city_gateway import errors
from city_gateway.__main__ import app as commands
from city_gateway.errors import GatewayError
from city_gateway.wording import say, sentences
from tests.city_gateway.gateway_fixtures import City
from wire.messages import read_refusal
from wire.signed import read_document

pytestmark = pytest.mark.node


async def test_health_is_signed_and_tells_the_time(city: City) -> None:
    said = read_document("health", (await city.client.get("/v1/health")).json(), city.gateway.keys.signing.public)
    assert said == {
        "gateway": city.gateway.keys.gateway_id,
        "epoch": city.gateway.ledger.epoch,
        "server_time": "2026-11-23T04:00:00Z",
    }


async def test_catalog_files_go_out_as_they_are_and_nothing_beside_them(city: City) -> None:
    targets = city.gateway.folder.catalog / "targets"
    (targets / "items").mkdir(parents=True)
    (targets / "items" / "a.json").write_bytes(b"{}" * 100)
    (targets / "items" / "a.json.gz").write_bytes(gzip.compress(b"{}" * 100))
    (city.gateway.folder.catalog / "secret").write_bytes(b"x")
    plain = await city.client.get("/v1/catalog/targets/items/a.json", headers={"accept-encoding": "identity"})
    packed = await city.client.get("/v1/catalog/targets/items/a.json")
    assert (plain.content, packed.content, packed.headers["content-encoding"]) == (b"{}" * 100, b"{}" * 100, "gzip")
    for path in ("targets/items", "targets/../secret", "targets/%2e%2e/secret", "secret", "targets/..%2f..%2fkeys/x"):
        assert (await city.client.get(f"/v1/catalog/{path}")).status_code == 404


async def test_what_is_not_there_is_refused_with_the_gateways_signature(city: City) -> None:
    answer = await city.client.get("/v1/nothing")
    refusal = read_refusal(answer.json(), city.gateway.keys.signing.public)
    assert (answer.status_code, refusal.code, refusal.server_time) == (404, "http.404", city.clock())


def refusals(kind: type[GatewayError] = GatewayError) -> set[str]:
    found = {kind.code} if "code" in vars(kind) and kind not in (GatewayError, errors.Refusal) else set()
    return found.union(*[refusals(one) for one in kind.__subclasses__()])


def test_every_refusal_state_and_event_has_a_sentence() -> None:
    known = sentences("zh_CN")
    wanted = {f"error.{code}" for code in refusals()}
    wanted |= {f"state.{state}" for state in State} | {f"event.{code}" for code in EVENTS}
    assert {key for key in wanted if key not in known} == set()
    assert say("no.such.key") == "no.such.key"
    assert Role.AGENT


def test_the_command_line_makes_keys_codes_and_clerks(tmp_path: Path) -> None:
    folder, ledger = str(tmp_path / "gateway"), f"sqlite:///{tmp_path / 'ledger.db'}"

    def run(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "city_gateway", *arguments]
        return subprocess.run(command, input=said, capture_output=True, text=True, cwd=Path(__file__).parents[2])

    assert run("keys", "init", "--folder", folder).returncode == 0
    assert run("keys", "init", "--folder", folder).returncode == 1
    site = ("--site", "511603106205", "--role", "village", "--name", "测试村")
    too_early = run("node-code", "--folder", folder, "--database", ledger, *site)
    assert (too_early.returncode, too_early.stdout) == (1, "")
    assert "catalog init" in too_early.stderr
    made = ("--folder", folder, "--keys", str(tmp_path / "keys"), "--passphrase-stdin")
    assert run("catalog", "init", *made, said="an invented passphrase\n").returncode == 0
    code = run("node-code", "--folder", folder, "--database", ledger, *site)
    assert (code.returncode, len(code.stdout.strip())) == (0, 35)
    who = ("--id", "d-1", "--name", "李样例", "--department", "测试局")
    assert run("clerk", "add", "--database", ledger, *who, said="a long passphrase\n").returncode == 0
    assert run("clerk", "add", "--database", ledger, *who, said="short\n").returncode == 1
    assert run("catalog", "--help").returncode == 0


def ledger_options(command: Any) -> Iterator[Any]:
    """Every option of every command that may hold a database's password."""
    for below in getattr(command, "commands", {}).values():
        yield from ledger_options(below)
    yield from (one for one in command.params if {"--database", "--scratch"} & set(one.opts))


def test_help_and_manual_say_that_a_password_in_an_argument_is_seen_and_where_it_belongs() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "manual" / "administrator.md").read_text("utf-8")
    options = list(ledger_options(get_command(commands)))
    assert {one.envvar for one in options} == {"GUANGAN_LEDGER", "GUANGAN_SCRATCH"}
    for one in options:
        assert "进程列表" in one.help
        assert one.envvar in one.help
        assert f"`{one.envvar}`" in manual
    assert "进程列表" in manual
