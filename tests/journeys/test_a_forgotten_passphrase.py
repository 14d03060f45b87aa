"""An agent without a line forgot the passphrase: one telephone call, the city's real command, and signed in again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from city_gateway.app import Settings, open_gateway
from city_gateway.ledger import journal, nodes
from provisioning.counter_door import CounterRefused
from provisioning.demo_world import DemoNode, ProgramDied
from tests.journeys.at_the_counter import Hands, Town, copied_town
from wire.envelope import Kind, open_sealed, read_header
from wire.messages import read_operation

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

NEW = "another invented one"


class Telephone:
    """The clerk at a node on one end, the administrator with the city's command on the other."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def asked(self, node: DemoNode) -> str:
        """What the node shows to be read out."""
        return str(_posted(node, "/counter/recovery", {"clerk": node.person.clerk_id}).json()["challenge"])

    def city_answers(self, node: DemoNode, challenge: str, site: str | None = None) -> str:
        """What the administrator reads back after calling the station."""
        world = self.town.world
        about = ["--node", site or node.site, "--clerk", node.person.clerk_id, "--by", "adm", "--called-back"]
        said = world.command(
            "city_gateway", "clerk-recovery", "answer", *world.ledger_arguments, *about, "--challenge", challenge
        )
        return said.strip()

    def typed(self, node: DemoNode, answer: str) -> tuple[int, str]:
        """What the node says to an answer and a new passphrase."""
        body = {"clerk": node.person.clerk_id, "answer": answer, "passphrase": NEW}
        said = _posted(node, "/counter/recovery/answer", body)
        return said.status_code, "" if said.status_code == httpx.codes.NO_CONTENT else said.json()["error"]["code"]


def _posted(node: DemoNode, path: str, body: dict[str, str]) -> httpx.Response:
    transport = httpx.HTTPTransport(uds=str(node.paths.counter_socket))
    with httpx.Client(transport=transport, base_url="http://counter", timeout=30) as client:
        return client.post(path, json=body)


def signs_in(node: DemoNode, passphrase: str) -> bool:
    try:
        Hands.opened(node.paths.counter_socket, node.person.clerk_id, passphrase).close()
    except CounterRefused as refused:
        return refused.status != httpx.codes.UNAUTHORIZED
    return True


def heard_at_the_city(town: Town, node: DemoNode) -> list[dict[str, Any]]:
    """The audit entries of the node about this, as the city can read them."""
    world = town.world
    gateway = open_gateway(Settings(world.database, world.gateway_folder, ""))
    gateway.dictionaries.look_again()
    try:
        with gateway.ledger.reading() as tx:
            (author,) = [one for one in nodes.everyone(tx) if one.site == node.site]
            found = [journal.envelope_at(tx, author.node_id, seq) for seq in range(1, author.hwm + 1)]
        audits = [data for data in found if data and read_header(data).kind is Kind.AUDIT]
        opened = [
            open_sealed(
                data,
                recipient=gateway.keys.sealing_for(read_header(data).recipients),
                signer_public=author.identity_public,
                dictionaries=gateway.dictionaries.known,
            )
            for data in audits
        ]
    finally:
        gateway.ledger.close()
    told = [dict(read_operation(one.body).audit or {}) for one in opened]
    return [one for one in told if "challenge" in one]


def test_a_forgotten_passphrase_is_recovered_by_telephone_alone(founded_town: Path) -> None:
    with copied_town(founded_town) as town:
        telephone, village, township = Telephone(town), town.village, town.township
        village.line.cut()
        town.leave(village)

        challenge = telephone.asked(village)
        elsewhere = telephone.city_answers(township, telephone.asked(township))
        assert telephone.typed(village, elsewhere) == (403, "recovery.refused")
        with pytest.raises(ProgramDied):
            telephone.city_answers(village, challenge, site=township.site)
        assert (signs_in(village, village.person.passphrase), signs_in(village, NEW)) == (True, False)

        town.power_fails(village)
        town.power_is_back(village)
        assert telephone.asked(village) == challenge
        answer = telephone.city_answers(village, challenge)
        assert telephone.typed(village, answer) == (204, "")
        assert (signs_in(village, village.person.passphrase), signs_in(village, NEW)) == (False, True)
        village.person = replace(village.person, passphrase=NEW)

        town.power_fails(village)
        town.power_is_back(village)
        assert telephone.typed(village, answer) == (409, "recovery.not_asked")
        assert signs_in(village, NEW)

        town.line_is_back(village)
        town.until("told to the city", lambda: len(heard_at_the_city(town, village)) == 3)
        assert heard_at_the_city(town, village) == [
            {"kind": "recovery_asked", "challenge": challenge},
            {"kind": "recovery_refused", "challenge": challenge, "attempt": 1},
            {"kind": "passphrase_recovered", "challenge": challenge},
        ]
