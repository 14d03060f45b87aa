"""Whether the desk opens by itself after a start, or when a clerk has typed the passphrase.

Laws:
- Switching on: the clerk's slot is seen to open the desk before the machine's goes. Switching off: the machine's before
  the clerks' go. Killed between, both open, and the same command finishes.
- Only who signs in at this node can unlock it, so only such a clerk's passphrase switches it on. Colleagues get their
  slot at their next sign-in, for only then is the passphrase at hand.
- edge_node is stopped meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from offline_store.desk import clerks, keyring
from offline_store.desk.keyring import ByClerk, Opener
from offline_store.desk.passphrases import SIGN_IN, Cost
from offline_store.paths import NodePaths
from provisioning.node_keys import Randomness, open_node_desk


def switch_on(
    *,
    paths: NodePaths,
    opener: Opener,
    who: ByClerk,
    now: datetime,
    randomness: Randomness,
    cost: Cost = SIGN_IN,
) -> None:
    """From the next start on a clerk unlocks this node; `who` is the first who can."""
    with open_node_desk(paths, opener) as desk:
        clerks.sign_in(desk, who.clerk_id, who.passphrase, now)
        desk.let_clerk_open(paths.keyring, who, randomness, cost)
    keyring.unlock(paths.keyring, who)
    keyring.drop_machine_slots(paths.keyring)


def switch_off(*, paths: NodePaths, machine: bytes, who: ByClerk, randomness: Randomness) -> None:
    """The node opens by itself again."""
    if not keyring.opens_alone(paths.keyring):
        with open_node_desk(paths, who):
            pass  # finishes a re-keying that was cut
        keyring.add_machine_slot(paths.keyring, keyring.unlock(paths.keyring, who), machine, randomness)
    keyring.unlock(paths.keyring, machine)
    keyring.drop_clerk_slots(paths.keyring)
