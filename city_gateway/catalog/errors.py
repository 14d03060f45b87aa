"""What can stop a catalog from being published; every class has a stable code with a sentence.

CatalogError
 +-- SourceRefused        the JSON of the source does not hold together
 +-- RepositoryMissing    nothing was initialised here
 +-- RepositoryExists     something was, and must not be overwritten
 +-- TooFewSignatures     fewer key holders than the threshold
 +-- KeyNotOpened         wrong passphrase, or not a key file
 +-- PassphraseTooShort   a key file must not be easier to open than the office door
 +-- VersionNotRising     the content version only ever goes up
 +-- RevocationsNotRising the list of revoked nodes only ever grows
 +-- RevokedNodeMalformed what shall be revoked is no node id
 +-- StageRegionUnknown   a release for a region that the catalog does not have reaches nobody
 +-- ReleaseUnknown       no release of this version was published here, or its files are gone
 +-- BusyPublishing       two people publish at once
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the source: a stable code, the place, and what was found there."""

    code: str
    where: str
    found: str = ""


class CatalogError(Exception):
    """A catalog cannot be published."""

    code: ClassVar[str] = "catalog.error"

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(self.code, fields)


class SourceRefused(CatalogError):
    """The source folder has mistakes; nothing was published."""

    code = "catalog.source_refused"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(count=len(problems))


class RepositoryMissing(CatalogError):
    """There is no catalog repository in this folder."""

    code = "catalog.repository_missing"


class RepositoryExists(CatalogError):
    """A catalog repository or its keys already exist and are never overwritten."""

    code = "catalog.repository_exists"


class TooFewSignatures(CatalogError):
    """Fewer keys of a role are at hand than its threshold asks for."""

    code = "catalog.too_few_signatures"


class KeyNotOpened(CatalogError):
    """A key file does not open with this passphrase."""

    code = "catalog.key_not_opened"


class PassphraseTooShort(CatalogError):
    """A passphrase for a signing key is too short."""

    code = "catalog.passphrase_too_short"


class VersionNotRising(CatalogError):
    """The content version asked for is not above the published one."""

    code = "catalog.version_not_rising"


class RevocationsNotRising(CatalogError):
    """The list of revocations is older or shorter than the published one."""

    code = "catalog.revocations_not_rising"


class RevokedNodeMalformed(CatalogError):
    """What shall be revoked is no node id, so that nothing would be revoked."""

    code = "catalog.revoked_node_malformed"


class StageRegionUnknown(CatalogError):
    """The region that shall take a release is none of the catalog's, so that nobody would take it."""

    code = "catalog.stage_region_unknown"


class ReleaseUnknown(CatalogError):
    """No release of this version was published here, or its files are gone."""

    code = "catalog.release_unknown"


class BusyPublishing(CatalogError):
    """Another publication is under way in this folder."""

    code = "catalog.busy"
