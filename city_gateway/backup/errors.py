"""What can go wrong with a backup or a restore: one class per failure, a stable code."""

from __future__ import annotations

from city_gateway.errors import Refusal


class BackupBusy(Refusal):
    """Another backup, check or restore of this gateway is at work."""

    code = "backup.busy"


class BackupUnknown(Refusal):
    """There is no backup at this place."""

    code = "backup.unknown"


class BackupDamaged(Refusal):
    """Something in the backup is missing, was changed, or does not fit the rest; `what` names it."""

    code = "backup.damaged"


class BackupUnverified(Refusal):
    """The backup was never restored on trial; nobody may rely on it yet."""

    code = "backup.unverified"


class BackupOlder(Refusal):
    """A newer verified backup exists, and nodes may have erased what only that one holds."""

    code = "backup.older"


class BackupOtherGateway(Refusal):
    """The backup is another gateway's, or the keys at hand are not those it was made with."""

    code = "backup.other_gateway"


class BackupOtherTimeline(Refusal):
    """The backup belongs to a timeline that the live ledger has left; its marks are not published."""

    code = "backup.other_timeline"


class BackupNoRoom(Refusal):
    """There is not enough free space for the backup or its trial."""

    code = "backup.no_room"


class ScratchRefused(Refusal):
    """The database does not let this role make the scratch schema in which a backup is restored on trial."""

    code = "backup.scratch_refused"


class LedgerNotEmpty(Refusal):
    """There is a ledger at the place of the restore; it is only moved aside when that is asked for."""

    code = "restore.not_empty"


class LedgerInUse(Refusal):
    """Programs are still connected to the ledger that would be replaced."""

    code = "restore.in_use"


class KeyExportNotOpened(Refusal):
    """The passphrase is not the one of this key export, or the file was changed."""

    code = "keys.export_not_opened"


class KeyExportUnprotected(Refusal):
    """The passphrase for the key export is too short."""

    code = "keys.export_passphrase"


class KeysDiffer(Refusal):
    """There are other keys in the gateway's folder than those of the backup or export; nothing was overwritten."""

    code = "keys.differ"
