"""Who this node is: the enrolment document that the city signed, as a file that every program of the node may read.

Laws: the document is public and grants nothing; it is believed only with the gateway's signature over it. Whoever has
pinned the gateway's key elsewhere (the desk does) hands it in; without it the key inside the document is used, which
proves that the file is whole, not who wrote it. A practice store is read by nobody but who asks for one, and whoever
does reads no other.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from offline_store.errors import DamagedFile, NodeFileMissing, NotForPractice, OnlyForPractice
from offline_store.placing import place
from wire.canonical import canonical_json, read_json, unb64
from wire.enrolment import EnrolmentDocument, read_enrolment
from wire.errors import WireError
from wire.practice import is_practice


def write_node_file(path: Path, document: Mapping[str, str]) -> None:
    """Keep the signed document as it came."""
    place(path, canonical_json(dict(document)))


def read_node_file(path: Path, gateway_public: bytes | None = None, *, practice: bool = False) -> EnrolmentDocument:
    """Who this node is; NodeFileMissing before enrolment, DamagedFile when the signature does not hold."""
    try:
        document = read_json(path.read_bytes(), "enrolment")
        node = read_enrolment(document, gateway_public or _gateway_inside(document))
    except FileNotFoundError:
        raise NodeFileMissing from None
    except (WireError, ValueError, TypeError, KeyError):
        raise DamagedFile(path.name) from None
    if is_practice(node.site) is not practice:
        raise NotForPractice if practice else OnlyForPractice
    return node


def _gateway_inside(document: Mapping[str, str]) -> bytes:
    public = json.loads(unb64(document["payload"]))["gateway"]["signing_public"]
    return unb64(public)
