"""Refusals of the counter's acts.

Laws
- One class per failure; the docstring is the English sentence, `code` is stable and never reused.
- Parameters carry keys, numbers and limits, never what a citizen wrote.
- A refusal changes nothing: it is raised before the transaction writes, or rolls it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ActRefused(Exception):
    """The counter refused an act."""

    code: str = "refused"

    def __init__(self, **params: object) -> None:
        self.params: Mapping[str, Any] = params
        super().__init__(self.code)


class NobodySignedIn(ActRefused):
    """There is no open session at this counter."""

    code = "session.missing"


class CounterLocked(ActRefused):
    """The counter locked itself after a time without a key pressed."""

    code = "session.locked"


class NodeLocked(ActRefused):
    """The node was started and nobody has unlocked it yet."""

    code = "node.locked"


class WrongPassphrase(ActRefused):
    """Clerk and passphrase do not belong together."""

    code = "sign_in.refused"


class LockedOut(ActRefused):
    """Too many wrong passphrases; the clerk must wait."""

    code = "sign_in.locked_out"


class NotInvited(ActRefused):
    """The phone's invitation is over, or was never given."""

    code = "phone.not_invited"


class PhoneOff(ActRefused):
    """Photographing by phone is switched off on this node."""

    code = "phone.off"


class NoNetworkForPhone(ActRefused):
    """This machine is in no network that a phone could reach."""

    code = "phone.no_network"


class PhonePortTaken(ActRefused):
    """Another program listens where the phone's door would open."""

    code = "phone.port_taken"


class NoSuchClerk(ActRefused):
    """No clerk of this id may sign in here, so no passphrase can be recovered."""

    code = "recovery.no_such_clerk"


class PassphraseTooShort(ActRefused):
    """The new passphrase is too short; no attempt was counted."""

    code = "recovery.too_short"


class AnswerMistyped(ActRefused):
    """Groups of the answer do not fit their check digits; no attempt was counted."""

    code = "recovery.mistyped"


class AnswerIncomplete(ActRefused):
    """The answer does not have its twenty digits; no attempt was counted."""

    code = "recovery.length"


class ChallengeForAnswer(ActRefused):
    """What was typed is the challenge, not its answer; no attempt was counted."""

    code = "recovery.other_digits"


class AnswerRefused(ActRefused):
    """The answer belongs to another challenge, clerk or node."""

    code = "recovery.refused"


class RecoveryExhausted(ActRefused):
    """Too many wrong answers; after a pause another challenge can be asked for."""

    code = "recovery.exhausted"


class RecoveryOver(ActRefused):
    """The challenge is too old, or the machine was started anew since; another one must be asked for."""

    code = "recovery.over"


class RecoveryNotAsked(ActRefused):
    """There is no challenge that waits for an answer: none was asked for, or its answer was used."""

    code = "recovery.not_asked"


class UnknownItem(ActRefused):
    """No such service item in the catalog."""

    code = "item.unknown"


class UnknownForm(ActRefused):
    """No such form in the catalog."""

    code = "form.unknown"


class NoCatalog(ActRefused):
    """No catalog has been activated on this node yet."""

    code = "catalog.none"


class ProxyNotAllowed(ActRefused):
    """The proxy rule of the item forbids collecting this application here; the code is the rule's own."""

    code = "proxy.refused"

    def __init__(self, refusal: str, **params: object) -> None:
        super().__init__(refusal=refusal, **params)
        self.code = refusal


class UnknownDraft(ActRefused):
    """No such draft at this counter."""

    code = "draft.unknown"


class DraftNotReady(ActRefused):
    """Fields or materials are still missing; all of them are listed."""

    code = "draft.not_ready"


class DraftTooLarge(ActRefused):
    """More was typed into this draft than an application can carry."""

    code = "draft.too_large"


class NotText(ActRefused):
    """What was typed holds signs that are no text."""

    code = "draft.not_text"


class NothingToSupplement(ActRefused):
    """This application waits for no supplement."""

    code = "supplement.not_asked"


class OnlyLostPages(ActRefused):
    """Nobody waits for a supplement: only the materials whose scans were lost may be scanned again."""

    code = "rescan.only_lost_pages"


class NothingScannedAgain(ActRefused):
    """No page of the lost scans was scanned again."""

    code = "rescan.nothing_scanned"


class UnknownMaterial(ActRefused):
    """The guide of this application names no such material."""

    code = "material.unknown"


class UnknownApplication(ActRefused):
    """No such application at this counter."""

    code = "application.unknown"


class Erased(ActRefused):
    """The papers of this application were erased after the time of keeping; only its line of the register is left."""

    code = "application.erased"


class UnknownScan(ActRefused):
    """No such scan at this counter."""

    code = "scan.unknown"


class ScanNotHere(ActRefused):
    """The scan has not arrived at this node yet; it has been asked for."""

    code = "scan.not_here"


class ScanEmpty(ActRefused):
    """The scan holds no data."""

    code = "scan.empty"


class ScanInterrupted(ActRefused):
    """The scan stopped arriving before it was whole."""

    code = "scan.interrupted"


class ScanTooLarge(ActRefused):
    """The scan is larger than the counter takes."""

    code = "scan.too_large"


class ScanOfUnknownType(ActRefused):
    """Only JPEG, PNG, WebP and PDF are taken; the content decides, not the name."""

    code = "scan.unknown_type"


class ScanHasTooManyPixels(ActRefused):
    """The picture has more pixels than the counter takes."""

    code = "scan.too_many_pixels"


class ScanBroken(ActRefused):
    """The picture cannot be read to its end."""

    code = "scan.broken"


class TooManyScans(ActRefused):
    """The draft already holds as many scans as one application may carry."""

    code = "scan.too_many"


class DiskReserveReached(ActRefused):
    """Only the reserve is left on the disk; new scans wait, sending and typing go on."""

    code = "scan.disk_reserve"


class ReasonNeeded(ActRefused):
    """This act needs a written reason."""

    code = "reason.needed"


class NotDeferrable(ActRefused):
    """The guide does not allow this material to be handed in later."""

    code = "material.not_deferrable"


class AddedLater(ActRefused):
    """A later return named what no earlier one named and no supplement touched."""

    code = "return.added_later"


class NotAskedHere(ActRefused):
    """A return named a field that the answers of this application hide."""

    code = "return.not_asked"


class NothingToReturn(ActRefused):
    """A return must name at least one point."""

    code = "return.empty"


class PurposeNeeded(ActRefused):
    """Names in full are handed out only for a purpose of the list."""

    code = "export.purpose"


class RatingNotOpen(ActRefused):
    """The rating opens only after the result was handed over, and once."""

    code = "rating.not_open"


class RatingOutOfScale(ActRefused):
    """The rating has five levels."""

    code = "rating.out_of_scale"


class CatalogRefused(ActRefused):
    """The arrived catalog was refused; the accepted one stays in use."""

    code = "catalog.refused"


class Stopped(ActRefused):
    """This node's journal is behind its own mark or forked; the node must be enrolled again."""

    code = "node.stopped"


class RelayClosed(ActRefused):
    """This node carries no mail for others."""

    code = "relay.closed"


class RelayFull(ActRefused):
    """There is no room for this bag now; its village keeps it."""

    code = "relay.full"


class RelayRefused(ActRefused):
    """These bytes are no bag for this city, or not signed by the node they name."""

    code = "relay.refused"


class RelayTooLarge(ActRefused):
    """This bag is larger than any that a relay carries; its village packs smaller ones."""

    code = "relay.too_large"


class RelaySlow(ActRefused):
    """The bag did not come whole within its time; its village brings it again."""

    code = "relay.slow"


class CourierBusy(ActRefused):
    """The courier is still busy with the last order."""

    code = "courier.busy"


class NoSuchMedium(ActRefused):
    """No stick of this name is mounted on this machine any more."""

    code = "courier.no_medium"


class PracticeStaysHere(ActRefused):
    """This is practice: nothing of it is carried anywhere."""

    code = "practice.stays_here"
