"""Why bringing a node to life can fail; every class has a stable code, wording.py has its Chinese sentence.

ProvisioningError
 +-- GatewayUnreachable   no answer, or an answer that is not the gateway's
 +-- GatewayRefused       the gateway said no, signed; its code is in the field
 +-- WrongRole            the code was issued for the other kind of node
 +-- WrongDocument        the document names keys that are not this machine's
 +-- NoRoad               neither a gateway's address nor a stick was named
 +-- StickWithoutCard     the city's card does not lie on the stick
 +-- StickDamaged         a file on the stick cannot be read, or is not the gateway's
 +-- AnswerAwaited        the request lies on the stick, the answer does not yet
 +-- EnrolledElsewhere    this folder already belongs to a node of another gateway
 +-- NodeRunning          the desk is in use; stop edge_node first
 +-- NotEnrolled          there is no node in this folder
 +-- WrongSite            the code was issued for another counter than this machine's
 +-- CredentialRefused    the service manager makes or opens no credential
 +-- OtherDisk            the recovery key was made for another node's disk
 +-- RecoveryKeyNeeded    drafts lie in the desk, which only the recovery key opens
 +-- UnlockedByClerk      clerks unlock this node; one has to be named
 +-- NoRescueHere         the folder to rescue into cannot be used
 +-- CourierRefused       the mail of the disk could not be written as a bundle
 +-- ProgramDied          a program of the demo ended by itself
 +-- DayStuck             the demo's day did not get on within its limit
 +-- TrueNodeHere         a folder that is no practice store is not cleared for practising
 +-- PracticeWithoutCatalog  the node has no catalog yet to practise on
 +-- PracticeGoesOn       somebody practises in this folder at this moment
 +-- PracticeNotServed    the counter service of the practice did not come up
"""

from __future__ import annotations

from typing import ClassVar


class ProvisioningError(Exception):
    """A step of provisioning failed; the step can be repeated."""

    code: ClassVar[str] = "provisioning.error"

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(self.code, fields)


class GatewayUnreachable(ProvisioningError):
    """The gateway did not answer, or something else answered in its place."""

    code = "provisioning.gateway_unreachable"


class GatewayRefused(ProvisioningError):
    """The gateway refused the enrolment."""

    code = "provisioning.gateway_refused"


class WrongRole(ProvisioningError):
    """The code was issued for a node of another role."""

    code = "provisioning.wrong_role"


class WrongDocument(ProvisioningError):
    """The enrolment document does not name this machine's keys."""

    code = "provisioning.wrong_document"


class NoRoad(ProvisioningError):
    """Enrolment was asked for without saying by which road."""

    code = "provisioning.no_road"


class StickWithoutCard(ProvisioningError):
    """The gateway's card is not on the stick; the city lays it there when it issues the code."""

    code = "provisioning.stick_without_card"


class StickDamaged(ProvisioningError):
    """A file on the stick cannot be read, or is not the gateway's word on this machine's request."""

    code = "provisioning.stick_damaged"


class AnswerAwaited(ProvisioningError):
    """The request lies on the stick; no failure, the city has to answer it."""

    code = "provisioning.answer_awaited"


class EnrolledElsewhere(ProvisioningError):
    """This folder already holds a node of another gateway."""

    code = "provisioning.enrolled_elsewhere"


class NodeRunning(ProvisioningError):
    """The desk is in use by a running edge_node."""

    code = "provisioning.node_running"


class NotEnrolled(ProvisioningError):
    """There is no enrolled node in this folder."""

    code = "provisioning.not_enrolled"


class WrongSite(ProvisioningError):
    """The code was issued for another site than the one this machine stands at; nothing was changed."""

    code = "provisioning.wrong_site"


class CredentialRefused(ProvisioningError):
    """The service manager makes no credential, or does not open the one that it made; the old one is in use."""

    code = "provisioning.credential_refused"


class OtherDisk(ProvisioningError):
    """The recovery key was made for the disk of another node; nothing was opened."""

    code = "provisioning.other_disk"


class RecoveryKeyNeeded(ProvisioningError):
    """Drafts lie in the encrypted desk; without the recovery key only sealed mail can be rescued."""

    code = "provisioning.recovery_key_needed"


class UnlockedByClerk(ProvisioningError):
    """Clerks unlock this node at start, no machine key opens its desk; name one who can."""

    code = "provisioning.unlocked_by_clerk"


class NoRescueHere(ProvisioningError):
    """What is rescued has to lie in a folder of its own, not on the disk itself."""

    code = "provisioning.no_rescue_here"


class CourierRefused(ProvisioningError):
    """The courier could not write the mail of the disk as a bundle."""

    code = "provisioning.courier_refused"


class ProgramDied(ProvisioningError):
    """A program of the demo ended by itself."""

    code = "provisioning.program_died"


class DayStuck(ProvisioningError):
    """Something the demo waits for did not happen within its limit."""

    code = "provisioning.day_stuck"


class TrueNodeHere(ProvisioningError):
    """This folder holds something else than a practice store; it was not touched."""

    code = "provisioning.true_node_here"


class PracticeWithoutCatalog(ProvisioningError):
    """This node has no catalog yet; after its first contact there is something to practise on."""

    code = "provisioning.practice_without_catalog"


class PracticeGoesOn(ProvisioningError):
    """Somebody practises in this folder at this moment."""

    code = "provisioning.practice_goes_on"


class PracticeNotServed(ProvisioningError):
    """The counter service of the practice did not come up."""

    code = "provisioning.practice_not_served"
