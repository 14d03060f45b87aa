"""The people of a node's counter: added by the installer while edge_node is stopped."""

from __future__ import annotations

from typing import Final

from casework.application import Role
from offline_store.desk import clerks, keyring
from offline_store.desk.keyring import ByClerk, Opener
from offline_store.desk.passphrases import SIGN_IN, Cost
from offline_store.errors import Unknown
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from provisioning.errors import ProvisioningError
from provisioning.node_keys import Randomness, open_node_desk

PASSPHRASE_MIN_CHARACTERS = 8
OWN_REGION = ""  # the region the node itself answers for
WORKS_AT: Final = {"village": Role.AGENT, "township": Role.CLERK}
"""Whose acts the city takes from a node of this kind; it refuses everybody else's, after they were shown as saved."""


class PassphraseTooShort(ProvisioningError):
    """A clerk's passphrase is too short."""

    code = "provisioning.passphrase_too_short"


class RoleNotHere(ProvisioningError):
    """Nobody in this role works at a node of this kind."""

    code = "provisioning.role_not_here"


class UnknownClerk(ProvisioningError):
    """No clerk signs in by this name."""

    code = "provisioning.unknown_clerk"


def add_clerk(
    *,
    paths: NodePaths,
    machine: Opener,
    clerk_id: str,
    name: str,
    role: Role,
    passphrase: str,
    randomness: Randomness,
    cost: Cost = SIGN_IN,
) -> None:
    """Add a clerk, or give an existing one a new name, role and passphrase."""
    if len(passphrase) < PASSPHRASE_MIN_CHARACTERS:
        raise PassphraseTooShort(minimum=PASSPHRASE_MIN_CHARACTERS)
    node = read_node_file(paths.enrolment)
    if role is not WORKS_AT[node.role]:
        raise RoleNotHere(role=role.value, wanted=WORKS_AT[node.role].value)
    clerk = clerks.Clerk(clerk_id=clerk_id, name=name, role=role, region=OWN_REGION, active=True)
    with open_node_desk(paths, machine) as desk:
        with desk.transaction() as tx:
            clerks.save(tx, clerk, passphrase, randomness=randomness, cost=cost)
        if not keyring.opens_alone(paths.keyring):
            desk.let_clerk_open(paths.keyring, ByClerk(clerk_id, passphrase), randomness, cost)


def close_clerk(*, paths: NodePaths, machine: Opener, clerk_id: str) -> None:
    """Let a clerk in no longer; what was filed keeps the name, and adding the clerk again lets in again.

    Where clerks unlock the node, the last who can is not closed: another one has to be able to first.
    """
    read_node_file(paths.enrolment)
    try:
        with open_node_desk(paths, machine) as desk:
            with desk.reading() as tx:
                clerks.load(tx, clerk_id)
            keyring.drop_clerk_slot(paths.keyring, clerk_id)
            with desk.transaction() as tx:
                clerks.set_active(tx, clerk_id, active=False)
    except Unknown as nobody:
        raise UnknownClerk(clerk_id=clerk_id) from nobody
