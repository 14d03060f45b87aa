"""S14: a stick that was cut, spoiled, doubled, misdirected, pulled: no partial import, nothing twice, all found out."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest

from city_gateway.acts.pieces import Arriving
from city_gateway.errors import CourierGap, GatewayError, NodeUnknown
from sync_agent import courier_in
from sync_agent.arriving import News, make_good
from sync_agent.courier_out import write_out
from sync_agent.errors import CourierError, StickGone
from tests.city_gateway.gateway_fixtures import city_in
from tests.faults import tally
from tests.simulators.carriers import (
    answer,
    at_the_city,
    carrying,
    city_state,
    out,
    read,
    sack,
    unchanged,
    write_answer,
)
from tests.simulators.post import Post, effects, stored_at
from tests.simulators.sticks import PulledStick, copied, files_on, fingerprint, stick
from wire.bundle import Part
from wire.errors import WireError, WronglyAddressed, WrongSignature
from wire.stick import UP, bundles

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]

CUT_BYTES = 4096
REFUSED = (WireError, GatewayError, CourierError)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with carrying(tmp_path) as made:
        made.file(os.urandom(30_000), b"small")
        made.file()
        yield made


def city(post: Post) -> object:
    return city_state(post.city.gateway)


def home(post: Post) -> str:
    return fingerprint(post.paths.root)


def everything_once(post: Post) -> None:
    post.everything_arrived_once()
    assert len(effects(post.city.gateway.ledger)) == len(set(effects(post.city.gateway.ledger)))


def noted(variant: str, trials: int, post: Post, came_in: int = 0) -> None:
    """What a look at both sides finds, and what came in damaged, goes into the report; all of it is nothing."""
    lost, duplicated, false_sent, phantom = post.counted()
    tally.record("S14", variant, trials, lost, duplicated, false_sent, phantom + came_in)
    assert (lost, duplicated, false_sent, phantom + came_in) == (0, 0, 0, 0)


def carried_whole(post: Post, root: Path) -> None:
    """The same stick, intact, still does its work."""
    at_the_city(post, root)
    answer(post, root)
    read(post, root)
    everything_once(post)


def cuts(length: int) -> Iterable[int]:
    return [*range(0, length, CUT_BYTES), length - 1]


def test_a_cut_at_every_four_kib_is_found_and_changes_nothing(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "whole")
    trials = partial = 0
    for place, file in enumerate(files_on(tmp_path / "whole")):
        for keep in cuts(file.stat().st_size):
            torn = copied(tmp_path / "whole", tmp_path / "torn")
            os.truncate(files_on(torn)[place], keep)
            partial += not unchanged(lambda: city(post), lambda: at_the_city(post, torn), *REFUSED)  # noqa: B023
            trials += 1
    at_the_city(post, tmp_path / "whole")
    answer(post, tmp_path / "back")
    for place, file in enumerate(files_on(tmp_path / "back")):
        for keep in cuts(file.stat().st_size):
            torn = copied(tmp_path / "back", tmp_path / "torn")
            os.truncate(files_on(torn)[place], keep)
            partial += not unchanged(lambda: home(post), lambda: read(post, torn), *REFUSED)  # noqa: B023
            trials += 1
    assert partial == 0
    read(post, tmp_path / "back")
    everything_once(post)
    noted("cut at every 4 KiB, up and down", trials, post)


def flip_one(rng: random.Random, root: Path) -> None:
    file = rng.choice(files_on(root))
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data) * 8)
    data[at // 8] ^= 1 << at % 8
    file.write_bytes(data)


def flips(post: Post, tmp_path: Path, trials: int, seed: int) -> int:
    """How many single bits, flipped up and down, were *not* refused with nothing changed."""
    rng = random.Random(seed)
    out(post, tmp_path / "whole")
    missed = 0
    for _ in range(trials // 2):
        spoiled = copied(tmp_path / "whole", tmp_path / "spoiled")
        flip_one(rng, spoiled)
        missed += not unchanged(lambda: city(post), lambda: at_the_city(post, spoiled), *REFUSED)  # noqa: B023
    at_the_city(post, tmp_path / "whole")
    answer(post, tmp_path / "back")
    for _ in range(trials - trials // 2):
        spoiled = copied(tmp_path / "back", tmp_path / "spoiled")
        flip_one(rng, spoiled)
        missed += not unchanged(lambda: home(post), lambda: read(post, spoiled), *REFUSED)  # noqa: B023
    read(post, tmp_path / "back")
    everything_once(post)
    return missed


@pytest.mark.parametrize(
    "trials", [pytest.param(60, id="everyday"), pytest.param(1_000, id="full", marks=pytest.mark.full)]
)
def test_a_flipped_bit_is_always_found_and_changes_nothing(post: Post, tmp_path: Path, trials: int) -> None:
    missed = flips(post, tmp_path, trials, seed=14)
    noted("one bit flipped, up and down", trials, post, came_in=missed)
    assert missed == 0


def test_control_without_the_check_of_parts_damage_comes_in(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unchecked(_part: Part, chunks: Iterable[bytes], _place: str = "") -> Iterator[bytes]:
        yield from chunks

    out(post, tmp_path / "whole")
    monkeypatch.setattr("wire.stick.checked", unchecked)
    rng = random.Random(1)
    came_in = 0
    for _ in range(20):
        spoiled = copied(tmp_path / "whole", tmp_path / "spoiled")
        file = max(files_on(spoiled), key=lambda path: path.stat().st_size)  # a sealed scan
        data = bytearray(file.read_bytes())
        data[rng.randrange(len(data))] ^= 1
        file.write_bytes(data)
        came_in += not unchanged(lambda: city(post), lambda: at_the_city(post, spoiled), *REFUSED)  # noqa: B023
        if came_in:
            break
    tally.record("S14", "control: parts not checked", 1, 0, 0, phantom=came_in)
    assert came_in, "the same look finds an import that it must not find when parts are checked"


def test_a_stick_read_three_times_more_has_one_effect(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "stick")
    (first,) = at_the_city(post, tmp_path / "stick")
    before = city(post)
    again = [at_the_city(post, tmp_path / "stick")[0] for _ in range(3)]
    assert [first.replayed, *(one.replayed for one in again)] == [False, True, True, True]
    assert [one.operations_new for one in again] == [0, 0, 0]
    assert city(post) == before
    answer(post, tmp_path / "stick")
    assert [read(post, tmp_path / "stick")[0].news for _ in range(4)] == [News.NEW, News.KNOWN, News.KNOWN, News.KNOWN]
    everything_once(post)
    noted("replayed three times, up and down", 6, post)


async def test_another_gateway_takes_nothing_and_is_not_believed(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "stick")
    async with city_in(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}") as other:
        look = lambda: city_state(other.gateway)  # noqa: E731
        taking = lambda: at_the_city(post, tmp_path / "stick", gateway=other.gateway)  # noqa: E731
        assert unchanged(look, taking, NodeUnknown)
        stranger = await other.enrol()
        answer(post, tmp_path / "forged", stranger.document.node_id, gateway=other.gateway)
        assert unchanged(lambda: home(post), lambda: read(post, tmp_path / "forged"), CourierError)
        _readdressed(post, other.gateway.keys, tmp_path / "lie")
        assert unchanged(lambda: home(post), lambda: read(post, tmp_path / "lie"), WrongSignature)
    carried_whole(post, tmp_path / "stick")
    noted("two gateways", 3, post)


def _readdressed(post: Post, keys: object, root: Path) -> None:
    """The other gateway signs, with its own key, an answer that names this node."""
    from dataclasses import replace

    gateway = replace(post.city.gateway, keys=keys)  # type: ignore[arg-type]
    answer(post, root, gateway=gateway)


async def test_a_bundle_addressed_to_another_gateway_is_refused(post: Post, tmp_path: Path) -> None:
    document = post.node.document
    elsewhere = document.model_copy(update={"gateway": document.gateway.model_copy(update={"id": "9" * 32})})
    here = sack(post)
    from dataclasses import replace

    write_out(replace(here, node=elsewhere), stick(tmp_path / "stick"))
    taking = lambda: at_the_city(post, tmp_path / "stick")  # noqa: E731
    assert unchanged(lambda: city(post), taking, WronglyAddressed)
    out(post, tmp_path / "right", again=True)
    carried_whole(post, tmp_path / "right")
    noted("wrong addressee", 1, post)


def test_a_stick_pulled_at_any_moment_of_writing_is_no_bundle_and_is_made_again(post: Post, tmp_path: Path) -> None:
    trials, left, done = 0, 0, False
    before = home(post)
    while not done:
        root = tmp_path / f"pulled{left}"
        pulled = PulledStick(stick(root), left)
        try:
            write_out(sack(post), pulled)
            done = True
        except StickGone:
            assert bundles(stick(root), UP) == [], "a pulled stick holds no bundle"
            assert at_the_city(post, root) == []
            assert home(post) == before, "nothing counts as handed over"
        trials, left = trials + 1, left + 1
    assert trials > 8
    again = tmp_path / "pulled3"
    out(post, again, again=True)
    assert len(bundles(stick(again), UP)) == 1
    carried_whole(post, again)
    noted("pulled while the village writes, at each step", trials, post)


def test_a_stick_pulled_while_it_is_read_changes_nothing_on_either_side(post: Post, tmp_path: Path) -> None:
    root, trials, left = tmp_path / "stick", 0, 0
    out(post, root)
    while not _read_without_pulling(post, root, left):
        trials, left = trials + 1, left + 1
    answer(post, root)
    left = 0
    while True:
        try:
            before = home(post)
            courier_in.take_in(sack(post), PulledStick(stick(root), left))
            break
        except StickGone:
            assert home(post) == before
            trials, left = trials + 1, left + 1
    everything_once(post)
    assert trials > 8
    noted("pulled while it is read, at each step", trials, post)


def _read_without_pulling(post: Post, root: Path, left: int) -> bool:
    pulled = PulledStick(stick(root), left)
    if unchanged(lambda: city(post), lambda: at_the_city(post, root, medium=pulled), OSError):
        return False
    assert pulled.done <= left
    return True


def test_a_stick_pulled_while_the_city_writes_holds_no_answer(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "up")
    at_the_city(post, tmp_path / "up")
    trials, left = 0, 0
    while True:
        root = tmp_path / f"down{left}"
        try:
            write_answer(post, PulledStick(stick(root), left))
            break
        except OSError:
            assert unchanged(lambda: home(post), lambda: read(post, root), CourierError)  # noqa: B023
            trials, left = trials + 1, left + 1
    read(post, root)
    everything_once(post)
    noted("pulled while the city writes, at each step", trials, post)


def test_the_city_that_dies_between_the_ledger_and_the_scans_is_whole_after_the_next_reading(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out(post, tmp_path / "stick")
    with monkeypatch.context() as broken:
        broken.setattr(Arriving, "settle", _dies)
        with pytest.raises(KeyboardInterrupt):
            at_the_city(post, tmp_path / "stick")
    assert len(effects(post.city.gateway.ledger)) == 2
    assert stored_at(post.city) == set()
    carried_whole(post, tmp_path / "stick")


def _dies(_self: object) -> None:
    raise KeyboardInterrupt


def test_the_village_that_dies_while_it_lays_out_is_whole_after_the_next_start(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    with monkeypatch.context() as broken:
        broken.setattr(type(post.incoming), "put_feed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            read(post, tmp_path / "stick")
    assert list(post.incoming.feed()) == []
    assert make_good(sack(post))
    everything_once(post)
    assert not make_good(sack(post))


def test_a_stick_without_the_one_before_it_is_refused_and_the_next_one_heals(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "first")
    at_the_city(post, tmp_path / "first")
    answer(post, tmp_path / "first")
    read(post, tmp_path / "first")
    post.file(b"later")
    out(post, tmp_path / "second")
    _forget(post)
    assert unchanged(lambda: city(post), lambda: at_the_city(post, tmp_path / "second"), CourierGap)


def _forget(post: Post) -> None:
    """The city's ledger is of a day before the first stick."""
    import sqlalchemy as sa

    from city_gateway.ledger.tables import NODES

    with post.city.gateway.ledger.transaction() as tx:
        tx.execute(sa.update(NODES).values(hwm=0, head_hash=bytes(32)))


def test_links_on_a_stick_are_not_followed(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "stick")
    part = files_on(tmp_path / "stick")[-1]
    elsewhere = tmp_path / "elsewhere"
    part.rename(elsewhere)
    part.symlink_to(elsewhere)
    assert unchanged(lambda: city(post), lambda: at_the_city(post, tmp_path / "stick"), OSError, WireError)
    part.unlink()
    os.mkfifo(part)
    assert unchanged(lambda: city(post), lambda: at_the_city(post, tmp_path / "stick"), OSError, WireError)
    part.unlink()
    elsewhere.rename(part)
    carried_whole(post, tmp_path / "stick")


def test_no_mail_is_readable_on_the_stick(post: Post, tmp_path: Path) -> None:
    out(post, tmp_path / "stick")
    at_the_city(post, tmp_path / "stick")
    answer(post, tmp_path / "stick")
    for file in files_on(tmp_path / "stick"):
        data = file.read_bytes()
        for plain in ("张测试", "511602180001010014", "13800000001"):
            assert plain.encode() not in data
            assert plain.encode("gbk") not in data
