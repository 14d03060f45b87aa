"""The gateway's keys as one file under a passphrase: without them a restored gateway is another city.

Laws: the passphrase is stretched by Argon2id, the content authenticated; the file says in the clear only whose keys it
holds; importing never overwrites a key, and the same keys again change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from city_gateway.backup.errors import KeyExportNotOpened, KeyExportUnprotected, KeysDiffer
from city_gateway.backup.manifest import key_names
from city_gateway.backup.shelf import placing
from city_gateway.catalog.repository import online_folder
from city_gateway.folder import GatewayFolder, flush_folder
from city_gateway.keys import GatewayKeys, load_keys
from wire.canonical import b64, canonical_json, read_json, unb64
from wire.errors import WireError

PASSPHRASE_AT_LEAST = 12
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 1
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
PURPOSE = b"guangan-gateway-keys-1\0"


def export_keys(folder: Path, target: Path, passphrase: str, randomness: Callable[[int], bytes]) -> None:
    """Write `keys/` and the online catalog keys into one protected file."""
    if len(passphrase) < PASSPHRASE_AT_LEAST:
        raise KeyExportUnprotected(at_least=PASSPHRASE_AT_LEAST)
    keys = load_keys(GatewayFolder(folder).keys)
    salt, nonce = randomness(SALT_BYTES), randomness(NONCE_BYTES)
    signing, sealing = key_names(keys)
    head = {
        "v": 1,
        "gateway": keys.gateway_id,
        "signing_key": signing,
        "sealing_keys": sealing,
        "kdf": {"name": "argon2id", "memory_kib": MEMORY_KIB, "passes": PASSES, "lanes": LANES, "salt": b64(salt)},
        "nonce": b64(nonce),
    }
    files = {str(path.relative_to(folder)): b64(path.read_bytes()) for path in _key_files(folder)}
    sealed = ChaCha20Poly1305(_stretched(passphrase, salt, MEMORY_KIB, PASSES, LANES)).encrypt(
        nonce, canonical_json(files), PURPOSE + canonical_json(head)
    )
    with placing(target) as file:
        file.write(json.dumps({**head, "sealed": b64(sealed)}, indent=1, sort_keys=True).encode() + b"\n")


def import_keys(folder: Path, source: Path, passphrase: str) -> GatewayKeys:
    """Lay the keys of an export into the folder; KeysDiffer when others are there."""
    files = _opened(source, passphrase)
    for name, data in files.items():
        place = folder / name
        if place.exists() and place.read_bytes() != data:
            raise KeysDiffer
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not place.exists():
            with placing(place) as file:
                file.write(data)
        flush_folder(place.parent)
    return load_keys(GatewayFolder(folder).keys)


def exports_of(keys: GatewayKeys, place: Path) -> list[Path]:
    """The exports in a folder that hold all the present keys."""
    signing, sealing = key_names(keys)
    found = []
    for path in sorted(place.glob("*.keys")):
        try:
            said = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(said, dict) and said.get("signing_key") == signing and set(sealing) <= set(said["sealing_keys"]):
            found.append(path)
    return found


def _opened(source: Path, passphrase: str) -> dict[str, bytes]:
    try:
        said = read_json(source.read_bytes(), "keys")
        sealed, kdf = unb64(said.pop("sealed")), said["kdf"]
        limits = int(kdf["memory_kib"]), int(kdf["passes"]), int(kdf["lanes"])
        if limits[0] > 1024 * 1024 or limits[1] > 16:
            raise KeyExportNotOpened
        key = _stretched(passphrase, unb64(kdf["salt"]), *limits)
        plain = ChaCha20Poly1305(key).decrypt(unb64(said["nonce"]), sealed, PURPOSE + canonical_json(said))
        files = {str(name): unb64(data) for name, data in read_json(plain, "keys").items()}
    except (InvalidTag, WireError, KeyError, TypeError, ValueError, AttributeError, OSError):
        raise KeyExportNotOpened from None
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in files):
        raise KeyExportNotOpened
    return files


def _key_files(folder: Path) -> list[Path]:
    places = (GatewayFolder(folder).keys, online_folder(folder))
    return sorted(path for place in places if place.is_dir() for path in place.iterdir() if path.is_file())


def _stretched(passphrase: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=passes, lanes=lanes, memory_cost=memory_kib)
    return kdf.derive(passphrase.encode())
