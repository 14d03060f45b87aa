"""Everything the wire refuses, one class for each reason.

Laws:
- `code` is stable and never reused; a surface words it, a test or a table recognises it.
- The docstring is the English sentence. Fields are numbers, names of parts and ids, never content: no personal data.
- These are refusals of hostile or broken *input*. Misuse by a developer is a TypeError, ValueError or RuntimeError.

    WireError
    ├── Malformed    NotAnEnvelope NotAScan UnknownVersion UnknownSuite UnknownKind Truncated TrailingBytes
    │                TooLarge NotCanonical MalformedMessage MalformedCode BundleIncomplete
    │                DigitsMistyped DigitsMissing OtherDigits
    ├── Untrusted    WrongSignature Tampered NotForThisKey WronglyAddressed Replayed UnknownDictionary WrongGateway
    │                ChallengeOfOthers RecoveryKeyNotOpened
    ├── ChainBroken  Gap Duplicate Fork
    ├── RequestRefused   RequestUnsigned RequestStale RequestChanged
    ├── ReleaseRefused   ReleaseMalformed ReleaseUnsigned ReleaseTampered ReleaseRolledBack ReleaseExpired
    │                    ReleaseIncomplete
    └── IllegalStep
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar, Final


class WireError(Exception):
    """Something said on the wire cannot be accepted."""

    code: ClassVar[str] = "wire"

    def params(self) -> dict[str, object]:
        """The typed fields by name, for the wording of a surface."""
        return {field.name: getattr(self, field.name) for field in fields(self)} if is_dataclass(self) else {}

    def __str__(self) -> str:
        sentence = (type(self).__doc__ or "").strip().splitlines()[0]
        told = " ".join(f"{name}={value}" for name, value in self.params().items())
        return f"{sentence} [{self.code}]" + (f" {told}" if told else "")


class Malformed(WireError):
    """The bytes are not what they claim to be."""

    code = "wire.malformed"


class NotAnEnvelope(Malformed):
    """The bytes do not begin like a sealed envelope."""

    code = "envelope.not_an_envelope"


class NotAScan(Malformed):
    """The bytes do not begin like a sealed scan."""

    code = "scan.not_a_scan"


@dataclass(eq=False)
class UnknownVersion(Malformed):
    """This program does not know this version of the format."""

    version: int
    code = "wire.unknown_version"


@dataclass(eq=False)
class UnknownSuite(Malformed):
    """This program does not know this suite of algorithms."""

    suite: int
    code = "wire.unknown_suite"


@dataclass(eq=False)
class UnknownKind(Malformed):
    """This program does not know this kind of envelope."""

    kind: int
    code = "envelope.unknown_kind"


@dataclass(eq=False)
class Truncated(Malformed):
    """The bytes end too early."""

    expected: int
    got: int
    code = "wire.truncated"


@dataclass(eq=False)
class TrailingBytes(Malformed):
    """There are bytes after the end."""

    expected: int
    got: int
    code = "wire.trailing_bytes"


@dataclass(eq=False)
class TooLarge(Malformed):
    """A part is larger than the protocol allows."""

    limit: int
    code = "wire.too_large"


class NotCanonical(Malformed):
    """The value cannot be written as canonical JSON."""

    code = "wire.not_canonical"


@dataclass(eq=False)
class MalformedMessage(Malformed):
    """The message does not have the agreed shape."""

    message: str
    where: str = ""
    code = "wire.malformed_message"


class MalformedCode(Malformed):
    """The enrolment code was mistyped."""

    code = "enrolment.malformed_code"


@dataclass(eq=False)
class DigitsMistyped(Malformed):
    """Groups of the digits that were read out do not fit their check digits; these are to be said again."""

    groups: tuple[int, ...]
    code = "recovery.mistyped"


@dataclass(eq=False)
class DigitsMissing(Malformed):
    """There are not as many digits as are read out."""

    needed: int
    found: int
    code = "recovery.length"


@dataclass(eq=False)
class OtherDigits(Malformed):
    """A challenge was typed where its answer belongs, or the answer where the challenge belongs."""

    kind: str
    code = "recovery.other_digits"


@dataclass(eq=False)
class BundleIncomplete(Malformed):
    """A part that the bundle's inventory names is not there; part 0 is the inventory itself."""

    part: int
    code = "bundle.incomplete"


class Untrusted(WireError):
    """The bytes are well formed but must not be believed."""

    code = "wire.untrusted"


class WrongSignature(Untrusted):
    """The signature is not that of the expected signer."""

    code = "wire.wrong_signature"


@dataclass(eq=False)
class Tampered(Untrusted):
    """The sealed content was changed or re-ordered."""

    part: str
    code = "wire.tampered"


class NotForThisKey(Untrusted):
    """The envelope is not sealed to this key."""

    code = "wire.not_for_this_key"


@dataclass(eq=False)
class WronglyAddressed(Untrusted):
    """The envelope or document is meant for another node or another purpose."""

    part: str
    code = "wire.wrongly_addressed"


class Replayed(Untrusted):
    """The answer belongs to an earlier question."""

    code = "wire.replayed"


@dataclass(eq=False)
class UnknownDictionary(Untrusted):
    """The compression dictionary is not on this machine yet."""

    dictionary: int
    code = "envelope.unknown_dictionary"


class WrongGateway(Untrusted):
    """The gateway's key is not the one named by the enrolment code."""

    code = "enrolment.wrong_gateway"


class ChallengeOfOthers(Untrusted):
    """This node did not make this challenge for this clerk."""

    code = "recovery.challenge_of_others"


class RecoveryKeyNotOpened(Untrusted):
    """The file is no recovery key, or the passphrase is not the one it was made with."""

    code = "rescue.key_not_opened"


class ChainBroken(WireError):
    """The envelope does not continue the chain."""

    code = "chain.broken"


@dataclass(eq=False)
class Gap(ChainBroken):
    """Envelopes before this one are missing."""

    expected: int
    got: int
    code = "chain.gap"


@dataclass(eq=False)
class Duplicate(ChainBroken):
    """This envelope is already part of the chain."""

    seq: int
    code = "chain.duplicate"


@dataclass(eq=False)
class Fork(ChainBroken):
    """The chain has two continuations: the machine was cloned or set back."""

    seq: int
    code = "chain.fork"


FORK: Final = "fork"
"""What the city answers an identity whose journal contradicts its ledger."""
FORK_CODES: Final = frozenset({FORK, Fork.code})
"""Told by the city or found here: this identity is used by two machines, or by one that was set back."""


class RequestRefused(WireError):
    """The HTTP request is not proven to come from a node."""

    code = "request.refused"


@dataclass(eq=False)
class RequestUnsigned(RequestRefused):
    """The HTTP request carries no acceptable signature."""

    why: str
    code = "request.unsigned"


@dataclass(eq=False)
class RequestStale(RequestRefused):
    """The HTTP request was signed too far from the gateway's time."""

    off_by_s: int
    code = "request.stale"


class RequestChanged(RequestRefused):
    """The body is not the one that was signed."""

    code = "request.changed"


@dataclass(eq=False)
class ReleaseRefused(WireError):
    """The catalog release cannot be accepted."""

    part: str
    code = "release.refused"


@dataclass(eq=False)
class ReleaseMalformed(ReleaseRefused):
    """A part of the catalog release cannot be read."""

    code = "release.malformed"


@dataclass(eq=False)
class ReleaseUnsigned(ReleaseRefused):
    """A part of the catalog release is not signed by enough of its keys."""

    code = "release.unsigned"


@dataclass(eq=False)
class ReleaseTampered(ReleaseRefused):
    """A part of the catalog release is not the one that was signed."""

    code = "release.tampered"


@dataclass(eq=False)
class ReleaseRolledBack(ReleaseRefused):
    """A part of the catalog release is older than the one in use."""

    accepted: int
    offered: int
    code = "release.rolled_back"


@dataclass(eq=False)
class ReleaseExpired(ReleaseRefused):
    """The catalog release is new to this node and its signatures have expired."""

    code = "release.expired"


@dataclass(eq=False)
class ReleaseIncomplete(ReleaseRefused):
    """A part of the catalog release is missing."""

    code = "release.incomplete"


@dataclass(eq=False)
class IllegalStep(WireError):
    """The conversation does not allow this step now."""

    phase: str
    event: str
    allowed: tuple[str, ...]
    code = "exchange.illegal_step"
