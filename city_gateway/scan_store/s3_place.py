"""Where an S3-compatible store is, and with which keys it is spoken to.

    s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION&ca=/path/to/ca.pem

Laws: the keys come from a systemd credential or the environment, never from the address, which stands in arguments and
logs; without keys nothing is tried, so that no client library goes looking for some on the network.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from city_gateway.errors import ScanStoreKeysMissing, ScanStoreUrlWrong

CREDENTIALS = "CREDENTIALS_DIRECTORY"
ACCESS_FILE, SECRET_FILE = "scans-access-key", "scans-secret-key"
ACCESS, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
PARTS = frozenset({"endpoint", "region", "ca"})
ANY_REGION = "us-east-1"
"""What stores that know no regions sign with."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an address says."""

    bucket: str
    prefix: str
    endpoint: str
    region: str = ANY_REGION
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """What a request is signed with."""

    access: str
    secret: str = field(repr=False)


def read_place(url: str) -> Place:
    """The place that an address names, or ScanStoreUrlWrong."""
    parsed = urlsplit(url)
    said = dict(parse_qsl(parsed.query, keep_blank_values=True))
    endpoint = urlsplit(said.get("endpoint", ""))
    if parsed.scheme != "s3" or not parsed.netloc or parsed.fragment or set(said) - PARTS:
        raise ScanStoreUrlWrong(part="s3")
    if "@" in parsed.netloc or "@" in endpoint.netloc:
        raise ScanStoreUrlWrong(part="keys")
    if endpoint.scheme not in {"http", "https"} or not endpoint.hostname:
        raise ScanStoreUrlWrong(part="endpoint")
    ca = Path(said["ca"]) if said.get("ca") else None
    if ca is not None and not ca.is_file():
        raise ScanStoreUrlWrong(part="ca")
    prefix = parsed.path.strip("/")
    return Place(parsed.netloc, prefix, said["endpoint"].rstrip("/"), said.get("region") or ANY_REGION, ca)


def read_keys(environment: Mapping[str, str]) -> Keys:
    """The keys, or ScanStoreKeysMissing; a systemd credential goes before the environment."""
    folder = environment.get(CREDENTIALS)
    if folder and (Path(folder) / SECRET_FILE).is_file():
        access, secret = (_line(Path(folder) / name) for name in (ACCESS_FILE, SECRET_FILE))
    else:
        access, secret = environment.get(ACCESS, ""), environment.get(SECRET, "")
    if not (access and secret):
        raise ScanStoreKeysMissing
    return Keys(access, secret)


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def own_environment() -> Mapping[str, str]:
    """This process's."""
    return os.environ
