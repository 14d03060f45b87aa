"""Makes the golden desk of the release that is checked out: `python -m tests.offline_store.golden.make_golden`.

Run it once, when a release gets a new form of the desk, and commit the file; a golden desk is never made again,
because later programs must open what the earlier one really wrote. Everybody in it is invented and its key is public.
"""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from casework.application import Applicant, Role
from casework.lifecycle import draft
from casework.states import State
from offline_store.desk import applications, catalog, clerks, drafts, feed, journal, keys, rechaining, scans, upgrading
from offline_store.desk.applications import Standing
from offline_store.desk.database import Desk, open_desk
from offline_store.desk.passphrases import ONLY_FOR_TESTS
from offline_store.desk.scans import ScanStatus
from tests.offline_store.desk_fixtures import counted_randomness, edition, service_item
from wire.audit_chain import Head
from wire.envelope import Kind, envelope_hash, seal
from wire.keys import SealingKey, SigningKey

GOLDEN_KEY = b"golden desks have a public key.."
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
APPLICATIONS = 20
APPLICATION_ID = f"{1:032x}"
PASSPHRASE = "稻田水渠"
OLD_NODE = (b"n" * 16).hex()


def fill(desk: Desk) -> None:
    """Something in every table."""
    item = service_item("A", "最低生活保障申请", aliases=["低保"], initials="zdshbzsq", initials_of_aliases=["db"])
    identity, sealing = SigningKey.from_bytes(b"i" * 32), SealingKey.from_bytes(b"s" * 32)
    with desk.transaction() as tx:
        catalog.activate(tx, edition(1, item, documents={"regions": []}), AT)
        agent = clerks.Clerk("z01", "张测试", Role.AGENT, "511603106205", active=True)
        clerks.save(tx, agent, PASSPHRASE, randomness=counted_randomness(), cost=ONLY_FOR_TESTS)
        keys.keep(tx, identity, sealing, AT)
        feed.advance(tx, Head(1, b"f" * 32))
        drafts.save(
            tx,
            drafts.Draft(
                draft_id="d1",
                kind=drafts.DraftKind.COLLECT,
                item_id="A",
                form_id="F-A",
                catalog_version=1,
                clerk_id="z01",
                created_at=AT,
                updated_at=AT,
                values={"applicant_name": "李样例"},
            ),
        )
        scans.save(
            tx,
            scans.KeptScan(
                scan_hash="a" * 64,
                status=ScanStatus.DRAFT,
                draft_id="d1",
                material_id="M01",
                page=1,
                length=1,
                media_type="image/jpeg",
                kept_at=AT,
                content_key=b"k" * 32,
            ),
        )
    for number in range(1, APPLICATIONS + 1):
        _file(desk, number, identity, sealing)
    with desk.transaction() as tx:
        rechaining.rechain(tx, old_node=OLD_NODE, stable=0, seal=lambda head, link: _sealed(head, link.op_id))


def _sealed(head: Head, op_id: str) -> bytes:
    return seal(
        kind=Kind.OPERATION,
        node_id=b"m" * 16,
        seq=head.seq + 1,
        prev=head.hash,
        op_id=bytes.fromhex(op_id),
        body=b"{}",
        recipients=[SealingKey.from_bytes(b"s" * 32).public],
        signer=SigningKey.from_bytes(b"i" * 32),
    )


def _file(desk: Desk, number: int, identity: SigningKey, sealing: SealingKey) -> None:
    application = replace(
        draft(f"{number:032x}"),
        receipt_no=f"511603106205-20261123-{number:04d}-K",
        item_id="A",
        catalog_version=1,
        applicant=Applicant("张测试", "111", "511602180001010012", "", "511603106205", ""),
        state=State.COLLECTED,
    )
    op_id = number.to_bytes(16, "big")
    with desk.transaction() as tx:
        head = journal.head(tx)
        envelope = seal(
            kind=Kind.OPERATION,
            node_id=b"n" * 16,
            seq=head.seq + 1,
            prev=head.hash,
            op_id=op_id,
            body=b"{}",
            recipients=[sealing.public],
            signer=identity,
        )
        journal.append(
            tx,
            head=Head(head.seq + 1, envelope_hash(envelope)),
            op_id=op_id.hex(),
            kind="operation",
            application_id=application.application_id,
            envelope=envelope,
            body=b"{}",
            at=AT,
        )
        standing, pending = Standing.SAVED_HERE, [op_id.hex()]
        applications.save(tx, application, confirmed=None, pending=pending, standing=standing, case_seq=0, at=AT)


def main() -> None:
    """Write the golden desk of this release beside this file; an existing one is left alone."""
    target = Path(__file__).with_name(f"desk-{upgrading.RELEASES[-1]}.db")
    with tempfile.TemporaryDirectory() as folder, open_desk(Path(folder) / "desk.db", GOLDEN_KEY, create=True) as desk:
        fill(desk)
        desk.copy_to(target)


if __name__ == "__main__":
    main()
