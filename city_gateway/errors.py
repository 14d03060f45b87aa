"""What can go wrong at the city's door: one class per failure, a stable code, the HTTP answer it becomes.

GatewayError ── Refusal
├── what a node may be told           Replayed, NodeUnknown, NodeStopped, EnrolmentOver, Forked, NotThisNode,
│                                     ForgedEnvelope, TooLarge, Busy, NotFound
├── enrolment                         CodeRefused, RegionRefused, NoCatalogYet
├── scans                             ScanUnknown, ScanOffsetConflict, ScanBusy, ScanChecksumWrong, ScanHashWrong,
│                                     ScanBadRequest, ScanForbidden, ScanRangeWrong, TusVersionWrong
├── the store of finished scans       ScanStoreAway (of Busy) ── ScanStoreRefused, ScanStoreForeign;
│                                     ScanStoreUrlWrong, ScanStoreKeysMissing
├── mail by carrier                   CourierNoRoom, CourierGap, BagOfNobody
├── the back office                   OfficeSignInRefused, OfficeSignedOut, OfficeFormRefused, RulingRefused,
│                                     ApplicationUnknown, OfficeNotForYou, AuditBroken, PeriodWrong
├── clerks of nodes                   RecoveryNodeUnknown, RecoveryNodeStopped, RecoveryNotCalledBack
├── a dead machine's disk             DiskOfNobody, SlotNotOurs, RecoveryPassphraseShort
└── the ledger and the keys           LedgerTooNew, LedgerUnsafe, KeysExist, KeysMissing

Requests that are not signed well enough are refused by `wire.errors.RequestRefused` and its kinds; `faults` has the
table. `status` is the HTTP answer. No error carries personal data: only ids, codes and numbers.
"""

from __future__ import annotations

from typing import ClassVar

from wire.errors import FORK


class GatewayError(Exception):
    """Something the gateway refuses or cannot do."""

    code: ClassVar[str] = "gateway.error"
    status: ClassVar[int] = 500

    def __init__(self, **params: str | int) -> None:
        self.params: dict[str, str | int] = params
        super().__init__(f"{self.code} {params}" if params else self.code)


class Refusal(GatewayError):
    """What the rules do not allow, or what was not understood."""


class Replayed(Refusal):
    """This signed request was seen before; a fresh signature is all that is needed."""

    code = "request.replayed"
    status = 425


class NodeUnknown(Refusal):
    """No node of this id is enrolled here."""

    code = "request.unknown_node"
    status = 401


class BagOfNobody(Refusal):
    """A relayed bag names a node that is not enrolled here: final for who brings it, while its author, if there is
    one, keeps its mail and hears `NodeUnknown` on every other road."""

    code = "courier.bag_of_nobody"
    status = 422


class NotThisNode(Refusal):
    """The message names another node than the one that signed the request."""

    code = "request.other_node"
    status = 403


class NodeStopped(Refusal):
    """This identity was stopped; the machine enrols again and sends its unconfirmed work under the same op_ids."""

    code = "node.stopped"
    status = 403


class EnrolmentOver(Refusal):
    """The enrolment ended more than 400 days ago and is not renewed; the machine enrols again with a code."""

    code = "enrolment.over"
    status = 403


class Forked(Refusal):
    """The journal contradicts what the ledger already holds: two machines, or one rolled back, use one identity."""

    code = FORK
    status = 409


class ForgedEnvelope(Refusal):
    """The first envelope of the batch is not signed by the node's identity key; nothing was stored."""

    code = "envelope.forged"
    status = 422


class TooLarge(Refusal):
    """The body is larger than this door takes; send less at once."""

    code = "request.too_large"
    status = 413


class Busy(Refusal):
    """Too many nodes at once; come back after `retry_after` seconds."""

    code = "gateway.busy"
    status = 503

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class ScanStoreAway(Busy):
    """The store of finished scans does not answer; nothing was acknowledged that it did not confirm."""

    code = "scan.store_away"

    def __init__(self, retry_after: int = 60) -> None:
        super().__init__(retry_after)


class ScanStoreRefused(ScanStoreAway):
    """The store of finished scans answers and refuses: wrong keys, no such bucket, or this gateway may not do that."""

    code = "scan.store_refused"


class ScanStoreForeign(ScanStoreAway):
    """The store does not say that it is this gateway's; nothing was read from it and nothing written."""

    code = "scan.store_foreign"


class ScanStoreUrlWrong(Refusal):
    """The address of the store of finished scans is not understood, or carries keys."""

    code = "scan.store_url"


class ScanStoreKeysMissing(Refusal):
    """There are no keys for the store of finished scans, neither as a credential nor in the environment."""

    code = "scan.store_keys"


class CodeRefused(Refusal):
    """The enrolment code is unknown, expired or used; which of them is not said."""

    code = "enrolment.code_refused"
    status = 403


class RegionRefused(Refusal):
    """A village node stands at a village or community, a township node at a township or street."""

    code = "enrolment.region_refused"
    status = 400


class NoCatalogYet(Refusal):
    """There is no repository of the catalog yet: a node enrolled now would trust none that is made later."""

    code = "enrolment.no_catalog"
    status = 409


class ScanBadRequest(Refusal):
    """A header of the upload is missing or malformed."""

    code = "scan.bad_request"
    status = 400


class TusVersionWrong(Refusal):
    """Only tus 1.0.0 is spoken here."""

    code = "scan.tus_version"
    status = 412


class ScanUnknown(Refusal):
    """No upload and no stored scan of this name."""

    code = "scan.unknown"
    status = 404


class ScanForbidden(Refusal):
    """This node may not read this scan."""

    code = "scan.forbidden"
    status = 403


class ScanOffsetConflict(Refusal):
    """The offset is not where this upload stands; nothing was written."""

    code = "scan.offset"
    status = 409


class ScanBusy(Refusal):
    """Another request is writing this upload; nothing was written."""

    code = "scan.busy"
    status = 423


class ScanChecksumWrong(Refusal):
    """The bytes do not match the checksum sent with them; they were dropped."""

    code = "scan.checksum"
    status = 460


class ScanHashWrong(Refusal):
    """The finished file does not have the hash it is named by; it was discarded and begins again at 0."""

    code = "scan.hash"
    status = 422


class ScanRangeWrong(Refusal):
    """The asked range lies outside the scan."""

    code = "scan.range"
    status = 416


class NotFound(Refusal):
    """There is nothing at this address."""

    code = "http.not_found"
    status = 404


class CourierNoRoom(Refusal):
    """The scans of this bundle do not fit on the gateway's disk; nothing was taken in."""

    code = "courier.no_room"
    status = 507


class CourierGap(Refusal):
    """Envelopes before those of this bundle are missing here; nothing was taken in, the node makes a new bundle."""

    code = "courier.gap"
    status = 409


class OfficeSignInRefused(Refusal):
    """Clerk id or passphrase do not match, or the clerk is locked out."""

    code = "office.sign_in_refused"
    status = 403


class OfficeSignedOut(Refusal):
    """There is no valid session."""

    code = "office.signed_out"
    status = 401


class OfficeFormRefused(Refusal):
    """A form field is missing, malformed, or the form's secret does not match the session."""

    code = "office.form_refused"
    status = 400


class RulingRefused(Refusal):
    """The lifecycle does not allow this ruling in the application's state."""

    code = "office.ruling_refused"
    status = 409


class ApplicationUnknown(Refusal):
    """The ledger holds no application of this id."""

    code = "application.unknown"
    status = 404


class RecoveryNodeUnknown(Refusal):
    """No node of this id or at this site is enrolled here."""

    code = "recovery.node_unknown"
    status = 404


class RecoveryNodeStopped(Refusal):
    """This identity is stopped or revoked; nobody gets in at it by telephone."""

    code = "recovery.node_stopped"
    status = 403


class RecoveryNotCalledBack(Refusal):
    """Whoever answers has not said that the station was called back at its number in the directory."""

    code = "recovery.not_called_back"
    status = 403


class OfficeNotForYou(Refusal):
    """This page is for people of the office with another duty."""

    code = "office.not_for_you"
    status = 403


class AuditBroken(Refusal):
    """The city's own audit chain does not hold at `seq`: an entry was changed, left out, put in or cut off."""

    code = "audit.broken"


class PeriodWrong(Refusal):
    """A period of figures is one month or several, the earlier one first, as YYYY-MM."""

    code = "figures.period_wrong"
    status = 400


class LedgerTooNew(Refusal):
    """The ledger was written by a newer program; it was not touched."""

    code = "ledger.too_new"


class LedgerUnsafe(Refusal):
    """The database does not promise that a commit survives a power cut."""

    code = "ledger.unsafe"


class KeysExist(Refusal):
    """There are keys already; they are never overwritten."""

    code = "keys.exist"


class KeysMissing(Refusal):
    """There are no gateway keys in this folder; make them with `keys init`."""

    code = "keys.missing"


class DiskOfNobody(Refusal):
    """There is no enrolment document of this city in the folder: it is no node's disk, or another city's."""

    code = "rescue.disk_of_nobody"


class SlotNotOurs(Refusal):
    """The keyring on this disk has no slot that the keys of this gateway open, or it cannot be read."""

    code = "rescue.slot_not_ours"


class RecoveryPassphraseShort(Refusal):
    """The passphrase for the recovery key is too short."""

    code = "rescue.passphrase"
