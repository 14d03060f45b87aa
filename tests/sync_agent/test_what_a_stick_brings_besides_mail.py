"""The catalog, revocations in it, and scans that a township waits for: they come by stick as they come over a line."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from types import SimpleNamespace

import pytest
from tuf.ngclient._internal import trusted_metadata_set as datetime_of_tuf

from city_gateway.acts.courier_out import answer_for
from city_gateway.catalog import publication
from city_gateway.catalog.carrying import make_it_last, release_for
from city_gateway.catalog.repository import Repository, first_root
from offline_store.mailbox.outgoing import Outgoing
from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from offline_store.vault.scans import Vault
from sync_agent.catalog_fetch import read_marker
from sync_agent.courier_in import take_in
from sync_agent.packing import Sack, held_versions
from tests.city_gateway.catalog_world import COUNTY, RECIPIENT, SEED, passphrase_of
from tests.city_gateway.gateway_fixtures import TOWNSHIP
from tests.simulators.carriers import at_the_city, carrying, out, sack
from tests.simulators.post import Post
from tests.simulators.sticks import stick
from wire.enrolment import sign_enrolment
from wire.stick import DOWN, write_bundle

pytestmark = pytest.mark.node
MIB = 1024 * 1024


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path / "world") as made:
        yield made


def founded(post: Post, keys: Path) -> None:
    """The city begins to publish, and the village was enrolled with its root."""
    folder = post.city.gateway.folder.root
    publication.begin(folder, keys, passphrase_of, datetime.now(UTC))
    document = post.node.document.model_copy(update={"tuf_root": first_root(folder)})
    write_node_file(post.paths.enrolment, sign_enrolment(document, post.city.gateway.keys.signing))


def published(post: Post, keys: Path, **wanted: object) -> int:
    asked = publication.Wanted(source=SEED, recipients=[RECIPIENT], **wanted)  # type: ignore[arg-type]
    folder = post.city.gateway.folder.root
    return publication.publish(folder, keys, passphrase_of, asked, datetime.now(UTC)).content_version


def brought(post: Post, root: Path) -> tuple[str | None, int]:
    """A stick goes to the city and back; what became of the catalog, and how much of one was on it."""
    out(post, root)
    at_the_city(post, root)
    made = answer_for(post.city.gateway, post.node.document.node_id, most_bytes=64 * MIB)
    write_bundle(stick(root), DOWN, made.document, [(part, chunks()) for part, chunks in made.parts])
    size = sum(part.length for part, _ in made.parts if part.kind == "catalog")
    return take_in(sack(post), stick(root)).arrived[-1].catalog, size


def test_the_catalog_comes_whole_and_then_only_what_is_new(post: Post, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    founded(post, keys)
    assert brought(post, tmp_path / "before") == (None, 0), "nothing is published yet"
    version = published(post, keys)
    came, size = brought(post, tmp_path / "first")
    marker = read_marker(post.paths.catalog_cache)
    assert came == "ok"
    assert marker is not None
    assert marker.catalog == version
    assert size > 100_000
    assert brought(post, tmp_path / "again") == (None, 0), "what is held is not carried again"
    post.city.clock.forward(hours=1)
    publication.refresh(post.city.gateway.folder.root, datetime.now(UTC))
    came, renewed = brought(post, tmp_path / "renewed")
    assert came == "ok"
    assert 0 < renewed < size // 4, "only the signatures that say: still the newest"


class Wrong(datetime):
    """A machine that believes it is 2055."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime(2055, 1, 1, tzinfo=tz)


def test_a_machine_decades_ahead_takes_the_catalog_in_all_the_same(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    founded(post, keys)
    version = published(post, keys)
    monkeypatch.setattr(datetime_of_tuf, "datetime", SimpleNamespace(datetime=Wrong, timezone=timezone))
    assert brought(post, tmp_path / "stick")[0] == "ok"
    marker = read_marker(post.paths.catalog_cache)
    assert marker is not None
    assert marker.catalog == version


def test_a_catalog_that_had_expired_when_the_city_handed_it_over_is_refused(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    founded(post, keys)
    published(post, keys)
    post.city.clock.forward(days=800)
    assert brought(post, tmp_path / "stick")[0] == "catalog.refused.expired"


def test_a_revocation_rides_in_the_catalog(post: Post, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    founded(post, keys)
    published(post, keys)
    published(post, keys, revocation_number=1, revoked_nodes=("9" * 32,))
    assert brought(post, tmp_path / "stick")[0] == "ok"
    assert b"9" * 32 in (post.paths.catalog_targets / "directory.json").read_bytes()


def test_a_catalog_that_is_refused_keeps_nothing_else_from_being_taken_in(post: Post, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    founded(post, keys)
    published(post, keys)
    post.file()
    release = release_for(post.city.gateway.folder.root, COUNTY, {})
    assert release is not None
    spoiled = replace(release, files=[(a, d.replace(b'"version":2', b'"version":3')) for a, d in release.files])
    gateway = replace(post.city.gateway, carried_catalog=lambda _county, _held: spoiled)
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    made = answer_for(gateway, post.node.document.node_id, most_bytes=64 * MIB)
    write_bundle(stick(tmp_path / "stick"), DOWN, made.document, [(part, chunks()) for part, chunks in made.parts])
    (arrived,) = take_in(sack(post), stick(tmp_path / "stick")).arrived
    assert str(arrived.catalog).startswith("catalog.")
    assert read_marker(post.paths.catalog_cache) is None
    assert arrived.received == 1
    receipt = post.receipt()
    assert receipt is not None
    assert receipt.hwm == 1


def test_what_leaves_on_a_stick_lasts_for_its_way(post: Post, tmp_path: Path) -> None:
    keys, folder = tmp_path / "keys", post.city.gateway.folder.root
    assert not make_it_last(folder, datetime.now(UTC)), "nothing is published"
    founded(post, keys)
    published(post, keys)
    now = datetime.now(UTC) + timedelta(days=30)
    assert make_it_last(folder, now)
    timestamp = Repository(folder).published().timestamp.signed
    assert timestamp.expires - now > timedelta(days=80)
    assert not make_it_last(folder, now + timedelta(days=20))


def test_held_versions_are_read_without_believing_them(post: Post) -> None:
    assert held_versions(post.paths) == {}
    for content in (b"", b"[]", b'{"signed": {}}', b'{"signed": {"version": "x", "meta": 3}}'):
        post.paths.catalog_marker.write_bytes(b"{}")
        (post.paths.catalog_metadata / "timestamp.json").write_bytes(content)
        (post.paths.catalog_metadata / "snapshot.json").write_bytes(content)
        assert held_versions(post.paths) == {}


async def test_a_township_gets_the_scans_it_waits_for(post: Post, tmp_path: Path) -> None:
    township = await post.city.enrol("township", TOWNSHIP, "测试镇")
    paths = NodePaths(tmp_path / "township")
    paths.create()
    paths.transport_key.write_bytes(township.transport.to_bytes())
    write_node_file(paths.enrolment, sign_enrolment(township.document, post.city.gateway.keys.signing))
    post.file(os.urandom(40_000))
    await post.drain()
    (scan,) = post.vault.hashes()
    own = Sack.of(paths, lambda: datetime.now(UTC))
    Outgoing(paths.outgoing).want_scan(scan)
    from sync_agent.courier_out import write_out

    write_out(own, stick(tmp_path / "stick"))
    at_the_city(post, tmp_path / "stick")
    made = answer_for(post.city.gateway, township.document.node_id, most_bytes=64 * MIB)
    assert made.scans == 1
    write_bundle(stick(tmp_path / "stick"), DOWN, made.document, [(part, chunks()) for part, chunks in made.parts])
    take_in(own, stick(tmp_path / "stick"))
    assert Vault(paths.vault).has(scan)
    # a village may not read scans of others, whatever it wants
    post.outgoing.want_scan(scan)
    out(post, tmp_path / "nosy")
    at_the_city(post, tmp_path / "nosy")
    assert answer_for(post.city.gateway, post.node.document.node_id, most_bytes=64 * MIB).scans == 0
