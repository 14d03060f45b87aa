"""The store that a setting names: the gateway's own folder, unless an address is given."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from city_gateway.errors import ScanStoreAway, ScanStoreForeign, ScanStoreRefused
from city_gateway.folder import GatewayFolder
from city_gateway.scan_store.folder_store import FolderStore
from city_gateway.scan_store.store import ScanStore

if TYPE_CHECKING:
    from city_gateway.scan_store.s3_store import S3ScanStore

LOG = logging.getLogger("city_gateway")


def open_store(address: str | None, folder: GatewayFolder, gateway_id: str) -> ScanStore:
    """The store; one that does not answer now is opened all the same, one that is wrong is not."""
    if not address:
        return FolderStore(folder)
    store = far_store(address, folder, gateway_id)
    try:
        store.prove()
    except (ScanStoreRefused, ScanStoreForeign):
        raise
    except ScanStoreAway as away:
        LOG.warning("scan store", extra={"error": type(away).__name__})
    return store


def far_store(address: str, folder: GatewayFolder, gateway_id: str) -> S3ScanStore:
    """The store at an address, not yet proven; its client library is loaded only now."""
    from city_gateway.scan_store.s3_place import own_environment, read_keys, read_place
    from city_gateway.scan_store.s3_road import Road
    from city_gateway.scan_store.s3_store import S3ScanStore

    road = Road(read_place(address), read_keys(own_environment()))
    return S3ScanStore(road, gateway_id, folder.scan_parts)
