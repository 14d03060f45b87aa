"""The door of enrolment by a stick, for a machine without a line: the request is laid on it, the answer taken from it.

Laws: asking again lays the very same request down again, so that a lost stick costs a journey and no code; an answer is
taken only for the request it was given to; no link on the stick is followed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from offline_store.placing import place
from provisioning.door import document_in
from provisioning.errors import AnswerAwaited, StickDamaged, StickWithoutCard
from wire.canonical import read_json
from wire.enrolment import Code, EnrolmentRequest, GatewayCard, read_card, read_enrolment, seal_request
from wire.enrolment_stick import CARD, FILE_BYTES_MOST, FOLDER, answer_to, request_of
from wire.errors import WireError, WrongGateway
from wire.signed import SignedDocument

READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class StickDoor:
    """One stick, mounted at `root`."""

    def __init__(self, root: Path) -> None:
        self._root, self._place = root, root if root.name == FOLDER else root / FOLDER

    def card(self, code: Code) -> GatewayCard:
        """The card that the city laid on the stick, proven by the code."""
        said = self._read(CARD)
        if said is None:
            raise StickWithoutCard(stick=self._root)
        try:
            return read_card(read_json(said), code)
        except WrongGateway:
            raise
        except WireError as broken:
            raise StickDamaged(name=CARD) from broken

    def ask(self, request: EnrolmentRequest, gateway: GatewayCard) -> SignedDocument:
        """The answer that lies on the stick; without one the request is laid there and AnswerAwaited raised."""
        name = request_of(request)
        said = self._read(answer_to(name))
        if said is None:
            self._ask_by_stick(name, request, gateway)
            raise AnswerAwaited(stick=self._root, name=name)
        try:
            document = document_in(said, gateway)
            if read_enrolment(document, gateway.signing_public).nonce == request.nonce:
                return document
        except WireError as broken:
            raise StickDamaged(name=answer_to(name)) from broken
        raise StickDamaged(name=answer_to(name))

    def _ask_by_stick(self, name: str, request: EnrolmentRequest, gateway: GatewayCard) -> None:
        place(self._place / name, seal_request(request, gateway.sealing_publics[0]))

    def _read(self, name: str) -> bytes | None:
        try:
            with os.fdopen(os.open(self._place / name, READ_FLAGS), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_BYTES_MOST:
                    raise StickDamaged(name=name)
                return file.read(FILE_BYTES_MOST)
        except FileNotFoundError:
            return None
        except OSError as broken:
            raise StickDamaged(name=name) from broken
