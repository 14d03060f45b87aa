"""A gateway behind a road without sockets, and a folder that is to become a node."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from city_gateway.acts import enrol as gateway_enrol
from city_gateway.acts.gateway import Gateway
from city_gateway.app import Settings, open_gateway
from city_gateway.errors import GatewayError
from city_gateway.folder import GatewayFolder
from city_gateway.keys import make_keys
from city_gateway.ledger import nodes
from offline_store.paths import NodePaths
from provisioning.enrol import enrol
from provisioning.gateway_door import GatewayDoor
from wire.enrolment import EnrolmentDocument
from wire.messages import Refusal, sign_refusal

VILLAGE = "511603106205"
MACHINE = bytes(range(32))


class EnrolmentWorld:
    """One gateway, one machine."""

    def __init__(self, root: Path, name: str = "node") -> None:
        folder = root / "gateway"
        if not GatewayFolder(folder).keys.exists():
            make_keys(GatewayFolder(folder).keys, os.urandom)
        settings = Settings(f"sqlite:///{folder / 'ledger.db'}", folder, "http://gateway.invalid")
        self.gateway: Gateway = open_gateway(settings)
        self.paths = NodePaths(root / name)
        self.asked: list[str] = []
        self.before_answer: Callable[[httpx.Request], None] = lambda _request: None
        self.after_answer: Callable[[httpx.Request], None] = lambda _request: None

    def code(self, role: str = "village", site: str = VILLAGE) -> str:
        return gateway_enrol.issue_code(
            self.gateway.ledger,
            self.gateway.keys,
            role=role,
            site=site,
            site_name="团柏村",
            now=datetime.now(UTC),
            lifetime=timedelta(hours=1),
            randomness=os.urandom,
        )

    def enrol(self, code: str, *, role: str | None = "village", paths: NodePaths | None = None) -> EnrolmentDocument:
        with httpx.Client(transport=httpx.MockTransport(self._answer)) as client:
            return enrol(
                paths=paths or self.paths,
                door=GatewayDoor(client, "http://gateway.invalid"),
                code_text=code,
                role=role,
                machine=MACHINE,
                randomness=os.urandom,
                now=lambda: datetime.now(UTC),
            )

    def nodes(self) -> list[str]:
        with self.gateway.ledger.reading() as tx:
            return [node.node_id for node in nodes.everyone(tx)]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        self.before_answer(request)
        try:
            said = (
                gateway_enrol.card(self.gateway)
                if request.method == "GET"
                else gateway_enrol.enrol(self.gateway, request.content)
            )
        except GatewayError as refused:
            refusal = Refusal(code=refused.code, server_time=datetime.now(UTC))
            return httpx.Response(403, content=json.dumps(sign_refusal(refusal, self.gateway.keys.signing)))
        self.after_answer(request)
        return httpx.Response(200, content=json.dumps(said))
