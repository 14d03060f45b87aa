"""The signing keys of the catalog and where they lie.

Laws:
- root, targets and county keys are files of their own (`root-1.pem`, `targets-2.pem`, `county-511602.pem`), each
  encrypted with its holder's passphrase (PKCS8); they belong on sticks, not on the gateway.
- snapshot and timestamp sign on the gateway itself (`FOLDER/catalog-keys`, readable by its user alone): they can only
  say "this is the newest", never what is in it.
- A key file is written once and never overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

from city_gateway.catalog.errors import KeyNotOpened, PassphraseTooShort, RepositoryExists

HOLDERS = 3
THRESHOLD = 2
PASSPHRASE_MIN_CHARACTERS = 12
COUNTIES = ("511602", "511603", "511621", "511622", "511623", "511681")
ONLINE = ("snapshot", "timestamp")

PassphraseOf = Callable[[str], str]


def county_role(county: str) -> str:
    """The delegated role of one county."""
    return f"county-{county}"


def offline_names() -> dict[str, tuple[str, ...]]:
    """Key file names of every role that signs with passphrase-protected keys."""
    names = {role: tuple(f"{role}-{n}" for n in range(1, HOLDERS + 1)) for role in ("root", "targets")}
    return names | {county_role(county): (county_role(county),) for county in COUNTIES}


def _write_key(path: Path, key: Ed25519PrivateKey, encryption: KeySerializationEncryption) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def create_keys(
    keys: Path, online: Path, passphrase_of: PassphraseOf, generate: Callable[[], Ed25519PrivateKey]
) -> dict[str, list[CryptoSigner]]:
    """Make every key of a new repository; refuses to touch a folder that already has one of them."""
    wanted = [keys / f"{name}.pem" for names in offline_names().values() for name in names]
    wanted += [online / f"{name}.pem" for name in ONLINE]
    if any(path.exists() for path in wanted):
        raise RepositoryExists(folder=str(keys))
    signers: dict[str, list[CryptoSigner]] = {}
    passphrases = {name: passphrase_of(name) for names in offline_names().values() for name in names}
    for name, passphrase in passphrases.items():
        if len(passphrase) < PASSPHRASE_MIN_CHARACTERS:
            raise PassphraseTooShort(key=name, minimum=PASSPHRASE_MIN_CHARACTERS)
    for folder in (keys, online):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for role, names in offline_names().items():
        for name in names:
            key = generate()
            _write_key(keys / f"{name}.pem", key, BestAvailableEncryption(passphrases[name].encode()))
            signers.setdefault(role, []).append(CryptoSigner(key))
    for name in ONLINE:
        key = generate()
        _write_key(online / f"{name}.pem", key, NoEncryption())
        signers[name] = [CryptoSigner(key)]
    return signers


def _open(path: Path, passphrase: str | None) -> CryptoSigner:
    try:
        key = load_pem_private_key(path.read_bytes(), None if passphrase is None else passphrase.encode())
    except (ValueError, TypeError) as wrong:
        raise KeyNotOpened(key=path.stem) from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyNotOpened(key=path.stem)
    return CryptoSigner(key)


def open_offline(keys: Path, passphrase_of: PassphraseOf, roles: Sequence[str]) -> Mapping[str, list[CryptoSigner]]:
    """Open the key files of these roles that lie in the folder; which are missing is the threshold's business."""
    opened: dict[str, list[CryptoSigner]] = {}
    for role in roles:
        for name in offline_names()[role]:
            path = keys / f"{name}.pem"
            if path.exists():
                opened.setdefault(role, []).append(_open(path, passphrase_of(name)))
    return opened


def open_online(online: Path) -> Mapping[str, list[CryptoSigner]]:
    """Open the two keys that live on the gateway."""
    return {name: [_open(online / f"{name}.pem", None)] for name in ONLINE}
