"""The way to a bucket: every request bounded in time and tries, every failure one of ours.

Laws: what went wrong is told by its class alone, since the client's own texts carry addresses; after a failure
that took its time the store is let be for a moment, so that one which swallows requests does not hold every thread of
the door.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from city_gateway.errors import ScanStoreAway, ScanStoreRefused
from city_gateway.scan_store.s3_place import Keys, Place
from city_gateway.scan_store.store import PIECE_BYTES

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig

CONNECT_S, SILENCE_S, REQUEST_S = 3, 10, 60
TRIES, TRYING_S = 2, 10
SLOW_S, REST_S = 1.0, 5.0
NO_SUCH_RANGE = "status code: 416"
"""What the client says when there is not one byte; it has no class for it."""
REFUSED = (PermissionDeniedError, UnauthenticatedError)


class Road:
    """One bucket and prefix."""

    def __init__(self, place: Place, keys: Keys, monotonic: Callable[[], float] = time.monotonic) -> None:
        client: ClientConfig = {
            "allow_http": place.endpoint.startswith("http:"),
            "connect_timeout": timedelta(seconds=CONNECT_S),
            "read_timeout": timedelta(seconds=SILENCE_S),
            "timeout": timedelta(seconds=REQUEST_S),
        }
        if place.ca is not None:
            client["root_certificate"] = place.ca.read_bytes()
        self._bucket = S3Store(
            place.bucket,
            prefix=place.prefix or None,
            config={
                "endpoint": place.endpoint,
                "region": place.region,
                "access_key_id": keys.access,
                "secret_access_key": keys.secret,
                "checksum_algorithm": "SHA256",
                "virtual_hosted_style_request": False,
            },
            client_options=client,
            retry_config={
                "max_retries": TRIES,
                "retry_timeout": timedelta(seconds=TRYING_S),
                "backoff": {"max_backoff": timedelta(seconds=1)},
            },
        )
        self._monotonic = monotonic
        self._rests_until = 0.0

    def put(self, key: str, data: bytes, *, only_if_new: bool = False) -> bool:
        """Store an object; confirmed when this returns. False when it was there and nothing was written."""
        began = self._may_ask()
        try:
            obstore.put(self._bucket, key, data, mode="create" if only_if_new else "overwrite", use_multipart=False)
        except AlreadyExistsError:
            return False
        except FileNotFoundError:
            raise ScanStoreRefused from None  # there is no such bucket
        except (BaseError, ValueError) as problem:
            raise self._told(problem, began) from None
        return True

    def length(self, key: str) -> int | None:
        """How long an object is, None when it is not there."""
        began = self._may_ask()
        try:
            return obstore.head(self._bucket, key)["size"]
        except FileNotFoundError:
            return None
        except (BaseError, ValueError) as problem:
            raise self._told(problem, began) from None

    def beginning(self, key: str, most: int) -> bytes | None:
        """The first bytes of an object, None when it is not there."""
        began = self._may_ask()
        try:
            return bytes(obstore.get_range(self._bucket, key, start=0, end=most))
        except FileNotFoundError:
            return None
        except (BaseError, ValueError) as problem:
            if NO_SUCH_RANGE in str(problem):
                return b""
            raise self._told(problem, began) from None

    def pieces(self, key: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of an object; asked for at once, FileNotFoundError when it is not there."""
        began = self._may_ask()
        try:
            if first == 0 and end is None:
                found = obstore.get(self._bucket, key)
            else:
                some: GetOptions = {"range": {"offset": first} if end is None else (first, end)}
                found = obstore.get(self._bucket, key, options=some)
        except FileNotFoundError:
            raise
        except (BaseError, ValueError) as problem:
            raise self._told(problem, began) from None
        return self._streamed(iter(found.stream(PIECE_BYTES)), began)

    def keys(self, under: str) -> Iterator[str]:
        """The names of all objects of a folder."""
        began = self._may_ask()
        try:
            for some in obstore.list(self._bucket, prefix=under):
                yield from (one["path"].rpartition("/")[2] for one in some)
        except FileNotFoundError:
            raise ScanStoreRefused from None
        except (BaseError, ValueError) as problem:
            raise self._told(problem, began) from None

    def copy(self, key: str, to: str) -> bool:
        """Copy an object inside the store; False when it is not there."""
        began = self._may_ask()
        try:
            obstore.copy(self._bucket, key, to)
        except FileNotFoundError:
            return False
        except (BaseError, ValueError) as problem:
            raise self._told(problem, began) from None
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are none the less gone."""
        began = self._may_ask()
        for key in keys:
            try:
                obstore.delete(self._bucket, key)
            except FileNotFoundError:
                continue
            except (BaseError, ValueError) as problem:
                raise self._told(problem, began) from None

    def _streamed(self, pieces: Iterator[bytes], began: float) -> Iterator[bytes]:
        try:
            for piece in pieces:
                yield bytes(piece)
        except (BaseError, ValueError, OSError) as problem:
            raise self._told(problem, began) from None

    def _may_ask(self) -> float:
        now = self._monotonic()
        if now < self._rests_until:
            raise ScanStoreAway
        return now

    def _told(self, problem: Exception, began: float) -> ScanStoreAway:
        if isinstance(problem, REFUSED):
            return ScanStoreRefused()
        now = self._monotonic()
        if now - began >= SLOW_S:
            self._rests_until = now + REST_S
        return ScanStoreAway()
