"""Every way in which the store can refuse or fail, one class each.

    StoreError
    ├── DeskError            the encrypted database
    │   ├── DeskMissing  DeskExists  WrongDeskKey  NewerDesk  UnsafeDesk
    │   └── DeskBusy  DeskFull  DeskDamaged  DeskWriteFailed  BrokenRule
    ├── KeyringError         the file that wraps the desk key
    │   └── MachineKeyMissing  KeyringMissing  KeyringExists  KeyringDamaged  SlotRefused  LastSlot
    ├── RecordError          what was asked of the desk
    │   └── Unknown  NotTheNextLink  OlderCatalog  CatalogMissing  WrongPassphrase  LockedOut
    └── FileError            mailbox, vault, node file
        └── EnvelopeChanged  NotAHash  DamagedFile  WrongOffset  NodeFileMissing  OtherIdentity  OnlyForPractice
            NotForPractice  DiskFull  FileWriteFailed

A full disk (`NO_ROOM`) is a state that passes: the program goes on and says so. A disk that refuses a write or a flush,
or holds a damaged desk, ends it (`DISK_REFUSES`): after a failed flush nothing in memory can be trusted to be what lies
on the disk, so only a new start may look at it again.

Laws: `code` is stable and never reused; fields are typed and carry no personal data; the docstring is the English
sentence, the Chinese one belongs to the surface that shows it.
"""

from datetime import datetime
from typing import ClassVar


class StoreError(Exception):
    """Something the node keeps could not be kept, found or trusted."""

    code: ClassVar[str] = "store"

    def __str__(self) -> str:
        fields = " ".join(f"{name}={value}" for name, value in vars(self).items())
        return f"{self.code} {fields}".rstrip()


class DeskError(StoreError):
    """The encrypted database cannot be used."""

    code = "desk"


class DeskMissing(DeskError):
    """There is no desk at this place."""

    code = "desk.missing"


class DeskExists(DeskError):
    """A desk is already there; creating would overwrite it."""

    code = "desk.exists"


class WrongDeskKey(DeskError):
    """The key does not open this desk, or the file is not a desk."""

    code = "desk.wrong_key"


class NewerDesk(DeskError):
    """The desk was written by a newer program; it was left untouched."""

    code = "desk.newer"

    def __init__(self, found: str, known: str) -> None:
        super().__init__()
        self.found = found
        self.known = known


class UnsafeDesk(DeskError):
    """A setting that keeps saved work safe is not in force."""

    code = "desk.unsafe"

    def __init__(self, setting: str, wanted: str, found: str) -> None:
        super().__init__()
        self.setting = setting
        self.wanted = wanted
        self.found = found


class DeskBusy(DeskError):
    """Another writer held the desk for too long; nothing was saved."""

    code = "desk.busy"


class DeskFull(DeskError):
    """The disk is full; nothing was saved."""

    code = "desk.full"


class DeskDamaged(DeskError):
    """The file of the desk is damaged; nothing more is written to it."""

    code = "desk.damaged"


class DeskWriteFailed(DeskError):
    """The disk refused a write or a flush; the program must stop and look at the disk again."""

    code = "desk.write_failed"


class BrokenRule(DeskError):
    """What was to be saved contradicts what is kept (double id, missing owner); nothing was saved."""

    code = "desk.broken_rule"


class KeyringError(StoreError):
    """The desk key cannot be had."""

    code = "keyring"


class MachineKeyMissing(KeyringError):
    """The machine gave the program no usable machine key."""

    code = "keyring.machine_key_missing"


class KeyringMissing(KeyringError):
    """There is no keyring at this place."""

    code = "keyring.missing"


class KeyringExists(KeyringError):
    """A keyring is already there; making another would lose the desk."""

    code = "keyring.exists"


class KeyringDamaged(KeyringError):
    """The keyring is torn, or of a version this program does not know."""

    code = "keyring.damaged"


class LastSlot(KeyringError):
    """Nobody on this node could open the desk any more; nothing was dropped."""

    code = "keyring.last_slot"


class SlotRefused(KeyringError):
    """No slot of this kind opens with what was given."""

    code = "keyring.slot_refused"

    def __init__(self, slot: str) -> None:
        super().__init__()
        self.slot = slot


class RecordError(StoreError):
    """What was asked of the desk cannot be answered or done."""

    code = "record"


class Unknown(RecordError):
    """The desk holds no such thing."""

    code = "record.unknown"

    def __init__(self, what: str, key: str) -> None:
        super().__init__()
        self.what = what
        self.key = key


class NotTheNextLink(RecordError):
    """The next link does not follow the head; nothing was written."""

    code = "record.not_the_next_link"

    def __init__(self, chain: str, expected: int, found: int) -> None:
        super().__init__()
        self.chain = chain
        self.expected = expected
        self.found = found


class OlderCatalog(RecordError):
    """An older or equal catalog never replaces the active one."""

    code = "record.older_catalog"

    def __init__(self, active: int, offered: int) -> None:
        super().__init__()
        self.active = active
        self.offered = offered


class CatalogMissing(RecordError):
    """No catalog, or not this version of it, is on the desk."""

    code = "record.catalog_missing"

    def __init__(self, version: int | None) -> None:
        super().__init__()
        self.version = version


class WrongPassphrase(RecordError):
    """Clerk and passphrase do not go together, or there is no such clerk."""

    code = "record.wrong_passphrase"


class LockedOut(RecordError):
    """Too many wrong passphrases; this clerk waits until the given trusted time."""

    code = "record.locked_out"

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class FileError(StoreError):
    """A file of mailbox or vault is not what it has to be."""

    code = "file"


class EnvelopeChanged(FileError):
    """Other bytes already lie under this number; sealed bytes never change."""

    code = "file.envelope_changed"

    def __init__(self, seq: int) -> None:
        super().__init__()
        self.seq = seq


class NotAHash(FileError):
    """A scan was asked for by something that is not the hash of a scan."""

    code = "file.not_a_hash"


class DamagedFile(FileError):
    """The bytes are not those that their name promises."""

    code = "file.damaged"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class WrongOffset(FileError):
    """A part continues where it ends and nowhere else; nothing was written."""

    code = "file.wrong_offset"

    def __init__(self, expected: int, found: int) -> None:
        super().__init__()
        self.expected = expected
        self.found = found


class NodeFileMissing(FileError):
    """This machine is not enrolled: the enrolment document is not there."""

    code = "file.node_file_missing"


class OtherIdentity(FileError):
    """The enrolment document names other keys than the desk holds: enrolling anew was begun and not finished."""

    code = "file.other_identity"


class OnlyForPractice(FileError):
    """This is a practice store: nothing in it is true, and nothing of it may go anywhere."""

    code = "file.only_for_practice"


class NotForPractice(FileError):
    """This is the store of a true node: nobody practises on it."""

    code = "file.not_for_practice"


class DiskFull(FileError):
    """The disk is full; the file was not written."""

    code = "file.disk_full"


class FileWriteFailed(FileError):
    """The disk refused a write or a flush of a file; the program must stop and look at the disk again."""

    code = "file.write_failed"


NO_ROOM = (DeskFull, DiskFull)
DISK_REFUSES = (DeskWriteFailed, DeskDamaged, FileWriteFailed)
