"""What a publisher can and cannot publish, and what a release contains."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import zlib
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from city_gateway.acts.catalog_words import words_of
from city_gateway.catalog import repository as repository_module
from city_gateway.catalog.commands import app
from city_gateway.catalog.dictionary import DICTIONARY_BYTES, build_dictionary
from city_gateway.catalog.errors import (
    BusyPublishing,
    KeyNotOpened,
    PassphraseTooShort,
    RepositoryExists,
    RevocationsNotRising,
    RevokedNodeMalformed,
    SourceRefused,
)
from city_gateway.catalog.key_files import create_keys, offline_names, open_offline
from city_gateway.catalog.pinyin import initials, spelled
from city_gateway.catalog.source import check_source, read_source
from city_gateway.catalog.wording import error_lines
from city_gateway.folder import GatewayFolder
from city_gateway.keys import make_keys
from tests.city_gateway.catalog_world import PASSPHRASE, RECIPIENT, SEED, CatalogWorld
from wire.canonical import b64

pytestmark = pytest.mark.node


@pytest.fixture
def world(tmp_path: Path) -> CatalogWorld:
    made = CatalogWorld(tmp_path)
    made.begin()
    return made


def target(world: CatalogWorld, path: str) -> Any:
    data = world.repository.target(world.repository.published(), path)
    assert data is not None
    return json.loads(data)


def changed_seed(folder: Path, file: str, change: Callable[[Any], object]) -> Path:
    shutil.copytree(SEED, folder, dirs_exist_ok=True)
    path = folder / f"{file}.json"
    plain = json.loads(path.read_text("utf-8"))
    change(plain)
    path.write_text(json.dumps(plain, ensure_ascii=False), "utf-8")
    return folder


def test_every_entry_is_published_as_it_stands_and_null_stays_null(world: CatalogWorld) -> None:
    world.publish()
    index = target(world, "catalog.json")
    published = [item for path in index["items"] for item in target(world, path)["items"]]
    for entry in published:
        entry.pop("initials")
        entry.pop("initials_of_aliases")
    seed = json.loads((SEED / "items.json").read_text("utf-8"))["items"]
    assert sorted(published, key=itemgetter("item_id")) == sorted(seed, key=itemgetter("item_id"))
    forms = [form for path in index["forms"] for form in target(world, path)["forms"]]
    assert len(forms) == len(published) == 58
    assert target(world, "calendar.json") == json.loads((SEED / "calendar.json").read_text("utf-8"))


def test_initials_are_those_an_agent_types(world: CatalogWorld) -> None:
    assert initials("调解") == "tj"
    assert initials("城乡居民基本医疗保险(参保)") == "cxjmjbylbxcb"
    assert initials("POS机2台") == "posj2t"
    assert spelled("医保") == "yibao"
    world.publish()
    first = target(world, "items/yibao.json")["items"][0]
    assert first["initials_of_aliases"] == [initials(alias) for alias in first["aliases"]]


def test_an_unchanged_domain_is_an_unchanged_file(world: CatalogWorld, tmp_path: Path) -> None:
    world.publish()
    before = set((world.folder / "catalog" / "targets").rglob("*.json"))
    source = changed_seed(tmp_path / "source", "items", lambda plain: plain["items"][0]["conditions"].append("新条件"))
    world.publish(source)
    added = {path.name.partition(".")[2] for path in set((world.folder / "catalog/targets").rglob("*.json")) - before}
    assert added == {"yibao.json", "catalog.json", "1-2.json"}


def test_the_dictionary_keeps_its_number_until_a_new_one_is_asked_for(world: CatalogWorld, tmp_path: Path) -> None:
    world.publish()
    first = target(world, "catalog.json")["dictionary"]
    source = changed_seed(
        tmp_path / "source", "forms", lambda plain: plain["forms"][0]["sections"][1]["fields"][0].update(id="act")
    )
    world.publish(source)
    assert target(world, "catalog.json")["dictionary"] == first
    world.publish(source, new_dictionary=True)
    third = target(world, "catalog.json")["dictionary"]
    assert (third["id"], third["older"]) == (2, [{"id": 1, "path": "dictionaries/1.bin"}])


def test_the_dictionary_halves_an_application() -> None:
    forms = json.loads((SEED / "forms.json").read_text("utf-8"))["forms"]
    built = build_dictionary(forms)
    assert len(built) <= DICTIONARY_BYTES
    assert built == build_dictionary(list(reversed(forms)))
    assert b'"event":"collected"' in built
    body = {one["id"]: f"value {n}" for part in forms[5]["sections"] for n, one in enumerate(part["fields"])}
    plain = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    with_dictionary = zlib.compressobj(9, zdict=built)
    packed = with_dictionary.compress(plain) + with_dictionary.flush()
    assert len(packed) < 0.7 * len(zlib.compress(plain, 9))


def item(plain: Any) -> Any:
    return plain["items"][3]


def unit(plain: Any) -> Any:
    return next(entry["time_limits"]["promised"] for entry in plain["items"] if entry["time_limits"]["promised"])


def field(plain: Any) -> Any:
    return plain["forms"][0]["sections"][0]["fields"][0]


REFERENCE, DOES_NOT_LOAD = "catalog.reference_unknown", "catalog.does_not_load"
MISTAKES: dict[str, tuple[str, Callable[[Any], object], str]] = {
    "item twice": ("items", lambda plain: plain["items"].append(item(plain)), "catalog.id_twice"),
    "no such form": ("items", lambda plain: item(plain).update(form_id="F-NONE"), REFERENCE),
    "no domain": ("items", lambda plain: item(plain).update(domain=" "), "catalog.domain_missing"),
    "no such mode": ("items", lambda plain: item(plain)["agent_policy"].update(mode="maybe"), "catalog.mode_unknown"),
    "no such source": ("items", lambda plain: item(plain)["sources"].append("NO"), REFERENCE),
    "no such region": (
        "items",
        lambda plain: item(plain)["codes"].update(region="519999"),
        REFERENCE,
    ),
    "another's form": (
        "items",
        lambda plain: item(plain).update(form_id=plain["items"][4]["form_id"]),
        "catalog.form_of_another_item",
    ),
    "no such unit": ("items", lambda plain: unit(plain).update(unit="moons"), DOES_NOT_LOAD),
    "no such field type": ("forms", lambda plain: field(plain).update(type="magic"), DOES_NOT_LOAD),
    "visible when nothing": (
        "forms",
        lambda plain: field(plain).update(visible_when={"nothing": ["1"]}),
        REFERENCE,
    ),
    "no such parent": ("regions", lambda plain: plain["regions"][9].update(parent="5199"), REFERENCE),
    "no such item": (
        "notices",
        lambda plain: plain["notices"][0]["scope"].update(items=["GA"]),
        REFERENCE,
    ),
    "no list": ("policies", lambda plain: plain.pop("policies"), "catalog.wrong_shape"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_source_with_a_mistake_is_refused_with_its_place(world: CatalogWorld, tmp_path: Path, mistake: str) -> None:
    file, change, code = MISTAKES[mistake]
    source = changed_seed(tmp_path / "source", file, change)
    with pytest.raises(SourceRefused) as refused:
        world.publish(source)
    assert code in {problem.code for problem in refused.value.problems}
    assert world.repository.published().content_version == 0
    assert f"{file}.json" in "".join(error_lines(refused.value)[1:])


def test_every_mistake_is_found_at_once(tmp_path: Path) -> None:
    def both(plain: Any) -> None:
        plain["items"][0].update(form_id="F-NONE")
        plain["items"][1].update(domain="")

    with pytest.raises(SourceRefused) as refused:
        check_source(read_source(changed_seed(tmp_path / "source", "items", both)))
    assert {problem.code for problem in refused.value.problems} >= {
        REFERENCE,
        "catalog.domain_missing",
    }


def test_a_crash_before_the_last_file_leaves_the_old_release_published(
    world: CatalogWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish()
    real = repository_module.place

    def dying(path: Path, data: bytes) -> None:
        if path.name == "timestamp.json":
            raise KeyboardInterrupt
        real(path, data)

    monkeypatch.setattr(repository_module, "place", dying)
    with pytest.raises(KeyboardInterrupt):
        world.publish()
    monkeypatch.undo()
    assert world.repository.published().content_version == 1
    assert world.fetch().catalog == 1
    assert world.publish() == 2


def test_two_publishers_do_not_mix(world: CatalogWorld) -> None:
    with (world.folder / "catalog.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyPublishing):
            world.publish()
    assert world.publish() == 1


def test_keys_and_repository_are_never_overwritten(world: CatalogWorld) -> None:
    before = {path: path.read_bytes() for path in world.keys.iterdir()}
    with pytest.raises(RepositoryExists):
        world.begin()
    assert {path: path.read_bytes() for path in world.keys.iterdir()} == before


def test_a_short_passphrase_makes_no_key_and_a_wrong_one_opens_none(world: CatalogWorld, tmp_path: Path) -> None:
    with pytest.raises(PassphraseTooShort):
        create_keys(tmp_path / "k", tmp_path / "o", lambda _name: "short", Ed25519PrivateKey.generate)
    assert not (tmp_path / "k").exists()
    with pytest.raises(KeyNotOpened) as refused:
        open_offline(world.keys, lambda _name: "another passphrase", ["targets"])
    assert PASSPHRASE not in str(refused.value)


def test_revocations_only_grow(world: CatalogWorld) -> None:
    world.publish(revocation_number=3, revoked_nodes=["aa" * 16])
    world.publish()
    assert target(world, "directory.json") == {
        "recipients": [b64(RECIPIENT)],
        "revocations": {"number": 3, "nodes": ["aa" * 16]},
    }
    with pytest.raises(RevocationsNotRising):
        world.publish(revocation_number=2, revoked_nodes=["aa" * 16])
    with pytest.raises(RevocationsNotRising):
        world.publish(revocation_number=4, revoked_nodes=[])


def test_a_node_is_revoked_without_a_number_and_the_others_stay_revoked(world: CatalogWorld) -> None:
    world.publish(revoked_nodes=["aa" * 16])
    world.publish(revoked_nodes=["bb" * 16])
    world.publish()
    assert target(world, "directory.json")["revocations"] == {"number": 2, "nodes": ["aa" * 16, "bb" * 16]}


@pytest.mark.parametrize("number", [None, 1])
def test_what_is_no_node_id_is_not_published_as_revoked(world: CatalogWorld, number: int | None) -> None:
    world.publish()
    before = target(world, "catalog.json")
    with pytest.raises(RevokedNodeMalformed) as refused:
        world.publish(revocation_number=number, revoked_nodes=["aa" * 16, "a" * 31])
    assert refused.value.fields == {"node": "a" * 31}
    assert target(world, "catalog.json") == before


def test_the_command_line_goes_from_nothing_to_a_published_release(tmp_path: Path) -> None:
    folder, keys = tmp_path / "gateway", tmp_path / "keys"
    make_keys(GatewayFolder(folder).keys, os.urandom)
    where = ["--folder", str(folder), "--keys", str(keys), "--passphrase-stdin"]
    runner = CliRunner()
    assert runner.invoke(app, ["publish", *where], input="x\n").exit_code == 1
    assert runner.invoke(app, ["init", *where], input="too short\n").exit_code == 1
    assert runner.invoke(app, ["init", *where], input=f"{PASSPHRASE}\n").exit_code == 0
    said = runner.invoke(app, ["publish", *where, "--source", str(SEED)], input=f"{PASSPHRASE}\n")
    assert (said.exit_code, said.output) == (0, "已发布目录第 1 版。\n")
    wrong = runner.invoke(app, ["publish", *where, "--source", str(SEED)], input="not the passphrase\n")
    assert (wrong.exit_code, "口令不对" in wrong.output) == (1, True)
    assert runner.invoke(app, ["refresh", "--folder", str(folder)]).exit_code == 0
    assert runner.invoke(app, ["renew-root", *where], input=f"{PASSPHRASE}\n").exit_code == 0
    shown = runner.invoke(app, ["status", "--folder", str(folder)])
    assert "办事目录第 1 版" in shown.output


def test_a_passphrase_that_is_too_short_is_asked_again_at_once(tmp_path: Path) -> None:
    folder, keys = tmp_path / "gateway", tmp_path / "keys"
    typed = ["short", "short", *[PASSPHRASE] * 2 * len([name for names in offline_names().values() for name in names])]
    said = CliRunner().invoke(
        app, ["init", "--folder", str(folder), "--keys", str(keys)], input="\n".join(typed) + "\n"
    )
    assert said.exit_code == 0, said.output
    assert "密钥 root-1 的口令太短" in said.output
    assert "Repeat" not in said.output


def test_a_file_that_was_changed_behind_its_signature_lends_no_words(world: CatalogWorld) -> None:
    world.publish()
    assert words_of(world.folder).items
    world.publish()
    named = world.repository.published().targets.signed.targets["regions.json"].get_prefixed_paths()[0]
    (world.folder / "catalog" / "targets" / named).write_bytes(b"{}")
    words = words_of(world.folder)
    assert (words.items, words.place("511603106000")) == ({}, "511603106000")
