"""Renewing an enrolment document: the same node, the same keys, a later end; it rides on the receipt.

Laws
- Whoever signs an exchange with the node's own transport key, and is not stopped, is renewed from 180 days before the
  end until 400 days after it; nobody has to ask, nobody has to come.
- The document is given again as long as the node says that it holds an older one: a lost answer costs nothing.
- Whoever the city could have heard and did not, on more than 400 days that it served others, and whose document
  ended more than 400 days ago, is over. Both, so that no clock of the city ends anybody: one that jumps serves one day.
- This identity is not spoken with any more; the machine is enrolled anew, with a code, and what it
  holds goes on under unchanged op_ids.
- A document names the sealing keys of the gateway as they are now: so a node learns of a rotated key, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from city_gateway.acts.enrol import VALID_FOR, identity_of
from city_gateway.acts.gateway import Gateway
from city_gateway.errors import EnrolmentOver
from city_gateway.ledger import nodes, served_days
from city_gateway.ledger.nodes import Node
from wire.enrolment import EnrolmentDocument, sign_enrolment
from wire.messages import ExchangeHead
from wire.signed import SignedDocument

RENEWED_BEFORE = timedelta(days=180)
RENEWED_AFTER = timedelta(days=400)


def is_over(tx: Connection, node: Node, now: datetime) -> bool:
    """Whether the document of this identity ended too long ago to be renewed, and nothing was heard of it since."""
    if now <= node.valid_to + RENEWED_AFTER:
        return False
    return served_days.newest(tx) - node.heard_on > RENEWED_AFTER.days


def require_renewable(tx: Connection, node: Node, now: datetime) -> None:
    """Refuse an identity that is over."""
    if is_over(tx, node, now):
        raise EnrolmentOver


def renewed(gateway: Gateway, tx: Connection, node: Node, asked: ExchangeHead, now: datetime) -> SignedDocument | None:
    """The next document of this node, when the one it holds needs one; a node that does not say gets none."""
    held = asked.enrolled_until
    if held is None or is_over(tx, node, now):
        return None
    valid_from, valid_to = node.valid_from, node.valid_to
    if valid_to - now < RENEWED_BEFORE:
        valid_from, valid_to = now, now + VALID_FOR
        nodes.renew(tx, node.node_id, valid_from, valid_to)
    if held >= valid_to:
        return None
    document = EnrolmentDocument(
        node_id=node.node_id,
        site=node.site,
        site_name=node.site_name,
        role=node.role,
        region=node.region,
        township=node.township,
        valid_from=valid_from,
        valid_to=valid_to,
        identity_public=bytes(node.identity_public),
        sealing_public=bytes(node.sealing_public),
        transport_public=bytes(node.transport_public),
        gateway=identity_of(gateway),
        gateway_url=gateway.public_url,
        tuf_root=gateway.first_root(),
    )
    return sign_enrolment(document, gateway.keys.signing)
