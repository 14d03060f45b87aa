"""Who may read a stored scan.

A township whose region covers a site with an application that refers to it and to which it belongs
(`ledger.scan_references`), sealed as it is; and the department that rules on that application, opened in memory for
this one answer.
"""

from __future__ import annotations

from city_gateway.acts import lost_scans, scan_shelf
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.readers import reads
from city_gateway.errors import ScanForbidden, ScanUnknown
from city_gateway.ledger import nodes, scan_references
from city_gateway.scan_store.naming import is_name
from wire.errors import WireError
from wire.fields import NodeRole
from wire.scan import open_scan


def readable_scan(gateway: Gateway, node_id: str, scan_hash: str) -> int:
    """Its length, for a node that may read it; whether it exists is told to nobody else."""
    if not is_name(scan_hash):
        raise ScanForbidden
    with gateway.ledger.reading() as tx:
        node = nodes.find(tx, node_id)
        sites = scan_references.sites_of(tx, scan_hash)
    if node is None or node.role is not NodeRole.TOWNSHIP or node.standing != nodes.ACTIVE:
        raise ScanForbidden
    if not any(reads(node, site) for site in sites):
        raise ScanForbidden
    length = gateway.scans.lengths([scan_hash]).get(scan_hash)
    if length is None:
        lost_scans.set_aside(gateway.scans, scan_hash)
        raise ScanUnknown
    return length


def plain_scan(gateway: Gateway, application_id: str, scan_hash: str) -> bytes:
    """What a scan of this application shows, or ScanUnknown where it is not here whole or not this application's."""
    with gateway.ledger.reading() as tx:
        theirs = scan_references.scans_of(tx, application_id)
    key = scan_shelf.keys_of(gateway, [scan_hash]).get(scan_hash) if scan_hash in theirs else None
    if key is None:
        raise ScanUnknown
    sealed = lost_scans.sound_pieces(gateway, scan_hash)
    try:
        return b"".join(open_scan(sealed, key.content_key))
    except WireError:
        raise ScanUnknown from None
