"""A practice store: made on the spot, of no city, cleared as a whole.

Laws:
- Its identity is new and signed by the key of a city that exists only while this function runs. Nobody can enrol it,
  answer it or open what is sealed in it for that city; no transport key is kept, so no courier could sign a request.
- The key of its desk is handed in and never written: when the program that holds it ends, what is left on the disk
  opens nothing.
- Only a folder that is empty or carries the mark of a practice store is cleared; one with a true node never.
- The pages to attach are drawn here, so that nobody needs a true paper to practise with.
- The catalog is that of a true node, proven again when it is opened; of that node nothing else is read.
"""

from __future__ import annotations

import contextlib
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from casework.application import Role
from offline_store.desk import clerks, keyring, keys, state
from offline_store.desk.database import open_desk
from offline_store.desk.passphrases import SIGN_IN, Cost
from offline_store.errors import DamagedFile, NodeFileMissing
from offline_store.node_file import read_node_file, write_node_file
from offline_store.paths import NodePaths
from offline_store.placing import place
from provisioning.errors import PracticeWithoutCatalog, TrueNodeHere
from provisioning.node_keys import Randomness
from provisioning.wording import words
from wire.enrolment import EnrolmentDocument, GatewayIdentity, sign_enrolment
from wire.fields import NodeRole
from wire.keys import SealingKey, SigningKey
from wire.practice import CLERK, PASSPHRASE, REGION, SITE, TOWNSHIP

LASTS = timedelta(days=2)
NOWHERE = "http://practice.invalid"
SETTINGS = b"disk_reserve_mib = 16\n"
PAGES = 4
PAGE_SIZE = (620, 877)


def clear(paths: NodePaths) -> None:
    """Remove what was practised; TrueNodeHere, and nothing removed, where the folder is anything else."""
    if not paths.root.exists() or not any(paths.root.iterdir()):
        return
    if not paths.practice_mark.exists():
        raise TrueNodeHere(folder=paths.root)
    with contextlib.suppress(NodeFileMissing, DamagedFile):  # its making was cut off
        read_node_file(paths.enrolment, practice=True)
    for part in paths.root.iterdir():
        if part != paths.practice_mark:
            shutil.rmtree(part) if part.is_dir() and not part.is_symlink() else part.unlink()
    paths.practice_mark.unlink()


def make(
    paths: NodePaths,
    true_node: NodePaths,
    *,
    machine: bytes,
    randomness: Randomness,
    now: datetime,
    cost: Cost = SIGN_IN,
) -> None:
    """Make a fresh practice store in an empty folder, with the catalog of a true node."""
    known = read_node_file(true_node.enrolment)
    if known.tuf_root is None or not true_node.catalog_marker.exists():
        raise PracticeWithoutCatalog
    paths.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    place(paths.practice_mark, b"")
    paths.create()
    _bring_catalog(true_node.catalog_cache, paths.catalog_cache)
    place(paths.settings, SETTINGS)
    _draw_pages(samples(paths))
    city, identity, sealing = (SigningKey.generate(randomness), SigningKey.generate(randomness), _sealing(randomness))
    desk_key = keyring.create(paths.keyring, machine, None, randomness)
    with open_desk(paths.desk_db, desk_key, create=True) as desk, desk.transaction() as tx:
        keys.keep(tx, identity, sealing, now)
        state.pin_gateway(tx, city.public)
        clerk = clerks.Clerk(clerk_id=CLERK, name=words("practice.clerk"), role=Role.AGENT, region="", active=True)
        clerks.save(tx, clerk, PASSPHRASE, randomness=randomness, cost=cost)
    document = EnrolmentDocument(
        node_id=randomness(16).hex(),
        site=SITE,
        site_name=words("practice.site"),
        role=NodeRole.VILLAGE,
        region=REGION,
        township=TOWNSHIP,
        valid_from=now,
        valid_to=now + LASTS,
        identity_public=identity.public,
        sealing_public=sealing.public,
        transport_public=SigningKey.generate(randomness).public,
        gateway=GatewayIdentity(
            id=randomness(16).hex(), signing_public=city.public, sealing_publics=[_sealing(randomness).public]
        ),
        gateway_url=NOWHERE,
        tuf_root=known.tuf_root,
    )
    write_node_file(paths.enrolment, sign_enrolment(document, city))


def samples(paths: NodePaths) -> Path:
    """Where the pages lie that one may attach."""
    return paths.root / "samples"


def _draw_pages(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(1, PAGES + 1):
        page = Image.new("RGB", PAGE_SIZE, "white")
        pen = ImageDraw.Draw(page)
        pen.rectangle((30, 30, PAGE_SIZE[0] - 30, PAGE_SIZE[1] - 30), outline="black", width=4)
        pen.text((80, 380), f"PRACTICE {number}\nVOID", fill="red", font=ImageFont.load_default(size=72))
        page.save(folder / f"practice-{number}.jpg", "JPEG")


def _sealing(randomness: Randomness) -> SealingKey:
    return SealingKey.generate(randomness)


def _bring_catalog(source: Path, target: Path) -> None:
    """The release as it lies in the true node's mailbox: public, signed, and read only."""
    for folder in ("metadata", "targets"):
        shutil.copytree(source / folder, target / folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    place(target / "arrived.json", (source / "arrived.json").read_bytes())
