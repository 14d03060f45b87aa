"""A village node on this machine's disk: enrolled, keyed and encrypted as a real one, so that programs can open it."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks import catalogs
from casework.application import Role
from edge_node.app import open_counter
from edge_node.counter.counter import Counter
from edge_node.counter.sessions import AtCounter
from offline_store.desk import catalog, clerks, keyring, keys, state
from offline_store.desk.database import open_desk
from offline_store.node_file import write_node_file
from offline_store.paths import NodePaths
from wire.enrolment import EnrolmentDocument, GatewayIdentity, sign_enrolment
from wire.keys import SealingKey, SigningKey

VILLAGE: Final = "511603106205"
TOWNSHIP: Final = "511603106000"
AGENT: Final = "agent1"
AGENT_NAME: Final = "王示例"
PASSPHRASE: Final = "benchmarks only 2026"
MACHINE_KEY: Final = bytes(range(32))


@dataclass(slots=True)
class Village:
    """A counter and the agent who is signed in at it."""

    counter: Counter
    agent: AtCounter

    def close(self) -> None:
        """Close the desk."""
        self.counter.desk.close()


def found_village(root: Path, items: list[catalogs.Plain] | None = None) -> NodePaths:
    """Make a node in an empty folder: keys, desk, clerk, catalog, and a document signed by a gateway nobody runs."""
    now = datetime.now(UTC)
    paths = NodePaths(root)
    paths.create()
    gateway, gateway_sealing = SigningKey.generate(), SealingKey.generate()
    identity, sealing, transport = SigningKey.generate(), SealingKey.generate(), SigningKey.generate()
    desk_key = keyring.create(paths.keyring, MACHINE_KEY, gateway_sealing.public)
    document = EnrolmentDocument(
        node_id=uuid.uuid4().hex,
        site=VILLAGE,
        site_name="演示村便民服务站",
        role="village",
        region=VILLAGE,
        township=TOWNSHIP,
        valid_from=now - timedelta(days=1),
        valid_to=now + timedelta(days=300),
        identity_public=identity.public,
        sealing_public=sealing.public,
        transport_public=transport.public,
        gateway=GatewayIdentity(
            id=uuid.uuid4().hex, signing_public=gateway.public, sealing_publics=[gateway_sealing.public]
        ),
        gateway_url="http://127.0.0.1:9",
    )
    with open_desk(paths.desk_db, desk_key, create=True) as desk, desk.transaction() as tx:
        keys.keep(tx, identity, sealing, now)
        state.pin_gateway(tx, gateway.public)
        clerks.save(tx, clerks.Clerk(AGENT, AGENT_NAME, Role.AGENT, "", active=True), PASSPHRASE, randomness=os.urandom)
        catalog.activate(tx, catalogs.edition(items or catalogs.real_items(), now), now)
    paths.transport_key.write_bytes(transport.to_bytes())
    write_node_file(paths.enrolment, sign_enrolment(document, gateway))
    return paths


def open_village(paths: NodePaths, machine_key: bytes = MACHINE_KEY) -> Village:
    """Open the counter as edge_node does, its clock just confirmed by the city, an agent signed in."""
    counter = open_counter(paths, machine_key)
    counter.clock.hear(datetime.now(UTC))
    _, agent = counter.sessions.begin(counter.actor(Role.AGENT, AGENT, ""), AGENT_NAME)
    return Village(counter, agent)
