"""Who may fetch a stored scan: a township whose region covers a site with an application that refers to it
and to which it belongs (`ledger.scan_references`)."""

from __future__ import annotations

from pathlib import Path

from city_gateway.acts import lost_scans, scan_shelf
from city_gateway.acts.gateway import Gateway
from city_gateway.acts.readers import reads
from city_gateway.errors import ScanForbidden, ScanUnknown
from city_gateway.ledger import nodes, scan_references
from wire.fields import NodeRole


def readable_scan(gateway: Gateway, node_id: str, scan_hash: str) -> Path:
    """The file, for a node that may read it; whether it exists is told to nobody else."""
    if not scan_shelf.is_name(scan_hash):
        raise ScanForbidden
    with gateway.ledger.reading() as tx:
        node = nodes.find(tx, node_id)
        sites = scan_references.sites_of(tx, scan_hash)
    if node is None or node.role is not NodeRole.TOWNSHIP or node.standing != nodes.ACTIVE:
        raise ScanForbidden
    if not any(reads(node, site) for site in sites):
        raise ScanForbidden
    path = gateway.folder.scans / scan_hash
    if not path.is_file():
        lost_scans.set_aside(gateway.folder, scan_hash)
        raise ScanUnknown
    return path
