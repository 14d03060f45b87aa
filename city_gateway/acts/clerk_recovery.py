"""Answering a clerk who forgot the passphrase, by telephone.

Laws: an answer is for one clerk of one node that works; a stopped or revoked identity gets none. What is said is kept
before it is said, a refusal, too, in the signed chain of the office as well, where no row can be taken out unseen; that
a challenge was answered before is told to whoever answers it again.
Who the caller is no program can know: the administrator says that he was called back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from city_gateway.acts import office_audit
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.errors import GatewayError, RecoveryNodeStopped, RecoveryNodeUnknown
from city_gateway.ledger import nodes, recoveries
from city_gateway.ledger.nodes import Node
from city_gateway.ledger.recoveries import ANSWERED, Recovery
from wire.clerk_recovery import answer_for, shared_at_city
from wire.errors import ChallengeOfOthers, WireError
from wire.spoken_digits import SpokenKind, read_digits, say_digits


@dataclass(frozen=True, slots=True)
class Answered:
    """What to read back, to which station, and when the same challenge was answered before."""

    answer: str
    site_name: str
    node_id: str
    before: datetime | None


def answer(gateway: Gateway, *, node: str, clerk: str, challenge: str, by: str) -> Answered:
    """The answer to a challenge; `node` is a node's id or the region code of its site."""
    said = say_digits(read_digits(challenge, SpokenKind.CHALLENGE), SpokenKind.CHALLENGE)
    with gateway.ledger.reading() as tx:
        meant = [one for one in nodes.everyone(tx) if node in {one.node_id, one.site}]
    if not meant:
        raise RecoveryNodeUnknown(node=node)
    author, found = meant[-1], ""
    refused: GatewayError | WireError | None = None
    try:
        author, found = _answered(gateway, meant, clerk, said)
        if not _works(gateway, author):
            refused = RecoveryNodeStopped(site=author.site_name)
    except ChallengeOfOthers as others:
        works = any(_works(gateway, one) for one in meant)
        refused = others if works else RecoveryNodeStopped(site=author.site_name)
    before = _keep(gateway, author, clerk, said, by, ANSWERED if refused is None else refused.code)
    if refused is not None:
        raise refused
    return Answered(found, author.site_name, author.node_id, before)


def _answered(gateway: Gateway, meant: list[Node], clerk: str, challenge: str) -> tuple[Node, str]:
    """Which of the nodes of this site made the challenge, and its answer."""
    gateway.keys.look_again()
    for one in reversed(meant):
        secrets = [shared_at_city(one.node_id, key, one.sealing_public) for key in gateway.keys.sealing]
        try:
            return one, answer_for(challenge, clerk, secrets)
        except ChallengeOfOthers:
            continue
    raise ChallengeOfOthers


def _works(gateway: Gateway, node: Node) -> bool:
    return node.standing == nodes.ACTIVE and node.node_id not in gateway.revoked()


def _keep(gateway: Gateway, author: Node, clerk: str, challenge: str, by: str, verdict: str) -> datetime | None:
    with gateway.ledger.transaction() as tx:
        before = recoveries.answered_at(tx, author.node_id, challenge)
        recoveries.note(tx, Recovery(gateway.clock(), author.node_id, clerk, challenge, by, verdict))
        done = OfficeAct.RECOVERY_ANSWERED if verdict == ANSWERED else OfficeAct.RECOVERY_REFUSED
        who, about = office_audit.at_the_machine(by), f"{author.site} {clerk} {challenge}"
        office_audit.note(gateway, tx, who, done, about=about)
    return before
