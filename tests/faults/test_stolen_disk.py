"""Whoever steals a node finds nothing: names, ids, words of forms and bytes of scans, in no file and no spelling.

Looked for after a day's work, while a scan is half received, and after SIGKILL; in the node's folders, in the folder
for temporary files of its programs, in every log, and in what the programs hold open. With a desk in the clear the
same thief finds what people typed.
"""

from __future__ import annotations

import random
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.demo_world import AGENT_PASSPHRASE, DemoNode
from tests.faults.stolen_disk import Thief, spellings
from tests.journeys.at_the_counter import Town, copied_town, finish, picture

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

ITEM = "GA-MZ-001"  # 最低生活保障: a household with its members
PAPER = "GA-MZ-001-M01"
TYPED = {
    "applicant_name": "张测试标记",
    "applicant_id_no": "511602181203040558",
    "applicant_phone": "13800000061",
    "applicant_address": "样例村七组标记院子十九号",
    "authorization_no": "样委字二零二六标记零七号",
    "agent_name": "王样例标记",
    "agent_phone": "13800000062",
    "delivery_way": "ems",
    "ems_address": "样例镇标记街四十四号收发室",
    "ems_receiver": "李样例标记",
    "remark": "屋后第三棵柚子树标记",
}
FAMILY = ("赵虚构标记", "钱虚构标记")
RETURNED = {"problem": "照片里缺了标记一角", "remedy": "请连同标记背面重拍"}
ANSWER = "已补拍标记背面"
RECEIVER = "孙虚构标记"
RATING = "办得快的标记评语"
OPEN_DRAFT = "没有收件的标记草稿"
IN_THE_PDF = "夹在标记扫描件里的字"
HALF_SENT = "只送到一半的标记扫描件"
SEALED_FOR_THE_CITY_OR_IN_THE_VAULT = {"rating", "pdf", "picture", "shown picture", "half a scan", "passphrase"}


@dataclass
class Haul:
    """The markers that were planted, and where a thief would look."""

    place: Town
    temporary: Path
    markers: dict[str, str | bytes]

    @property
    def folders(self) -> tuple[Path, ...]:
        return (self.place.village.paths.root, self.place.township.paths.root, self.place.world.logs, self.temporary)

    def found(self, *, running: bool) -> dict[str, list[str]]:
        nodes = (self.place.village, self.place.township)
        programs = [program for node in nodes for program in (node.edge, node.agent)] if running else []
        return Thief(self.markers).finds(*self.folders, programs=programs)


def pdf(words: str) -> bytes:
    """A PDF in name, kept by the node byte for byte."""
    return b"%PDF-1.4\n% " + words.encode() + b" " + words.encode("gbk") + b"\n" + bytes(4000) + b"\n%%EOF\n"


def a_day_with_markers(place: Town) -> dict[str, str | bytes]:
    """One application from the first letter to the rating, and one draft that stays open; what was planted."""
    rng, agent, clerk = random.Random(11), place.at(place.village), place.at(place.township)
    photograph = picture(rng)
    draft = agent.begin(ITEM)
    typed = finish(agent, place.village, draft, rng, typed=TYPED)
    members = [*typed.values["family"], *typed.values["family"]][:2]
    family = [row | {"name": name} for row, name in zip(members, FAMILY, strict=True)]
    agent.change(draft.draft_id, values={"family": family})
    shown = agent.picture(agent.scan(draft.draft_id, PAPER, 2, photograph).scan_hash)
    agent._answer(
        "POST",
        f"/counter/drafts/{draft.draft_id}/scans",
        params={"material_id": PAPER, "page": 3},
        content=pdf(IN_THE_PDF),
    )
    agent.collect(draft.draft_id)
    place.until_shown(place.township, draft.draft_id, "submitted")
    place.until("the scans", lambda: all(scan.arrived for scan in clerk.detail(draft.draft_id).scans))
    for scan in clerk.detail(draft.draft_id).scans:
        clerk.picture(scan.scan_hash)
    clerk.review(draft.draft_id, "return", points=[{"kind": "material", "ref": PAPER, **RETURNED}])
    place.until_shown(place.village, draft.draft_id, "returned")
    answer = agent.answer_return(draft.draft_id)
    agent.scan(answer.draft_id, PAPER, 1, picture(rng))
    agent.change(answer.draft_id, answers={PAPER: ANSWER})
    agent.collect(answer.draft_id)
    place.until_shown(place.township, draft.draft_id, "pre_review")
    clerk.review(draft.draft_id, "accept")
    place.until_shown(place.village, draft.draft_id, "concluded")
    agent.act(draft.draft_id, "deliver", receiver=RECEIVER, way="上门")
    agent.act(draft.draft_id, "rate", level=1, text=RATING)
    place.until_shown(place.township, draft.draft_id, "rated")
    left_open = agent.begin(ITEM)
    agent.type(left_open.draft_id, remark=OPEN_DRAFT)
    words = {name: value for name, value in TYPED.items() if name != "delivery_way"}
    return {
        **words,
        **{f"family {number}": name for number, name in enumerate(FAMILY)},
        "family id": str(family[0]["id_no"]),
        **{f"return {name}": text for name, text in RETURNED.items()},
        "answer": ANSWER,
        "receiver": RECEIVER,
        "rating": RATING,
        "open draft": OPEN_DRAFT,
        "pdf": IN_THE_PDF,
        "picture": photograph[-120:-60],
        "shown picture": shown[-120:-60],
        "half a scan": HALF_SENT,
        "passphrase": AGENT_PASSPHRASE,
    }


@contextmanager
def half_a_scan(place: Town, node: DemoNode) -> Iterator[None]:
    """A scan of which one half has arrived and the other does not come."""
    agent = place.at(node)
    draft = agent.begin(ITEM)
    content = pdf(HALF_SENT)
    head = (
        f"POST /counter/drafts/{draft.draft_id}/scans?material_id={PAPER}&page=1 HTTP/1.1\r\nhost: counter\r\n"
        f"authorization: {agent._client.headers['authorization']}\r\ncontent-type: application/pdf\r\n"
        f"content-length: {len(content) * 2}\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(str(node.paths.counter_socket))
        asked.sendall(head.encode() + content)
        time.sleep(0.5)
        yield


@contextmanager
def haul(founded_town: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, in_the_clear: bool) -> Iterator[Haul]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert not tempfile.gettempdir().startswith(str(temporary))  # asked now, before only the programs are led there
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(temporary))
    with copied_town(founded_town, automatic_rulings=True) as place:
        if in_the_clear:
            place.village.edge.stop()
            place.village.edge.arguments = ("tests.faults.edge_without_encryption", *place.village.edge.arguments[1:])
            place.power_is_back(place.village)
        yield Haul(place, temporary, a_day_with_markers(place))


def test_the_thief_knows_every_spelling(tmp_path: Path) -> None:
    for number, spelling in enumerate(sorted(spellings(IN_THE_PDF) | spellings(b"\x00\xff some bytes of a scan"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "file").write_bytes(b"before" + spelling + b"after")
        assert Thief({"text": IN_THE_PDF, "bytes": b"\x00\xff some bytes of a scan"}).finds(folder), spelling


def test_a_stolen_node_says_nothing_after_a_day_with_half_a_scan_and_after_a_kill(
    founded_town: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with haul(founded_town, monkeypatch, tmp_path, in_the_clear=False) as stolen:
        assert len(stolen.markers) >= 20
        assert stolen.found(running=True) == {}
        with half_a_scan(stolen.place, stolen.place.village):
            assert stolen.found(running=True) == {}
            for node in (stolen.place.village, stolen.place.township):
                node.agent.kill()
                stolen.place.power_fails(node)
        assert stolen.found(running=False) == {}
        stolen.place.power_is_back(stolen.place.village)
        assert stolen.place.at(stolen.place.village).applications(), "the same disk still opens for its own machine"


def test_a_desk_in_the_clear_shows_the_same_thief_what_people_typed(
    founded_town: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with haul(founded_town, monkeypatch, tmp_path, in_the_clear=True) as stolen:
        found = stolen.found(running=True)
        stolen.place.power_fails(stolen.place.village)
        found_after_kill = stolen.found(running=False)
    expected = set(stolen.markers) - SEALED_FOR_THE_CITY_OR_IN_THE_VAULT
    assert set(found) >= expected
    assert set(found_after_kill) >= expected
    assert not set(found_after_kill) & SEALED_FOR_THE_CITY_OR_IN_THE_VAULT
