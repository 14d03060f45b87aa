"""A few bytes sealed to one key: an enrolment request, a rating for the city, a key for the recovery slot.

Laws:
- One HPKE message (base mode) behind the recipient's key id. The label is bound in, so that a note sealed for one
  purpose cannot be opened for another. There is no sender: what must be attributed is signed inside.
- Layout: suite (1 byte), key id (8), encapsulated key and ciphertext.
"""

from wire.errors import NotForThisKey, Truncated
from wire.keys import KEY_ID_BYTES, SealingKey, key_id
from wire.suites import suite_by_number

__all__ = ["open_note", "seal_note"]

_START = 1 + KEY_ID_BYTES


def seal_note(label: str, plain: bytes, recipient_public: bytes, *, suite_number: int = 1) -> bytes:
    """Seal `plain` to one recipient for the purpose named by `label`."""
    start = bytes([suite_number]) + key_id(recipient_public)
    return start + suite_by_number(suite_number).wrap(recipient_public, plain, _context(label, start))


def open_note(label: str, data: bytes, *keys: SealingKey) -> bytes:
    """Open a note with whichever of `keys` it was sealed to."""
    if len(data) < _START:
        raise Truncated(_START, len(data))
    suite = suite_by_number(data[0])
    start = bytes(data[:_START])
    for key in keys:
        if key_id(key.public) == start[1:]:
            return suite.unwrap(key, data[_START:], _context(label, start))
    raise NotForThisKey


def _context(label: str, start: bytes) -> bytes:
    return b"guangan-wire-1\0note\0" + label.encode("ascii") + b"\0" + start
