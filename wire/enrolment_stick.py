"""How enrolment lies on a stick, where a machine has no line: the same sealed request and the same signed answer.

Laws:
- One folder `guangan-enrol` at the root; in it the gateway's card (`GATEWAY.JSN`, public, believed only through the
  fingerprint in a code), and for each machine `NNNNNNNN.REQ` and `NNNNNNNN.ANS`: the first eight hex digits of the
  request's nonce. Every name fits the oldest FAT. A nonce says nothing of the code.
- A request is what `seal_request` makes, an answer what `POST /v1/enrol` answers: an enrolment document or a refusal,
  each signed by the gateway. Whoever carries the stick learns nothing and can change nothing.
"""

import re
from collections.abc import Iterable

from wire.enrolment import EnrolmentRequest

__all__ = ["CARD", "FILE_BYTES_MOST", "FOLDER", "answer_to", "request_of", "requests"]

FOLDER = "guangan-enrol"
CARD = "GATEWAY.JSN"
FILE_BYTES_MOST = 256 * 1024
"""An answer carries the root of the catalog."""
_REQUEST = re.compile(r"[0-9A-F]{8}\.REQ", re.IGNORECASE)  # some drivers show short names in small letters


def request_of(request: EnrolmentRequest) -> str:
    """The file in which this request lies."""
    return f"{request.nonce[:8].upper()}.REQ"


def answer_to(request_name: str) -> str:
    """The file of the answer to a request.

    >>> answer_to("0A1B2C3D.REQ"), answer_to("0a1b2c3d.req")
    ('0A1B2C3D.ANS', '0A1B2C3D.ANS')
    """
    return f"{request_name[:8].upper()}.ANS"


def requests(names: Iterable[str]) -> list[str]:
    """The requests among the files of the folder.

    >>> requests(["GATEWAY.JSN", "0A1B2C3D.REQ", "0A1B2C3D.ANS", "._0A1B2C3D.REQ"])
    ['0A1B2C3D.REQ']
    """
    return sorted(name for name in names if _REQUEST.fullmatch(name))
