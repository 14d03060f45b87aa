"""Who may read an application: the nodes of the site it was collected at, and the townships that cover it."""

from __future__ import annotations

from sqlalchemy import Connection

from casework.identifiers import parent_region, region_covers
from city_gateway.ledger import nodes
from city_gateway.ledger.nodes import Node
from wire.fields import NodeRole


class Readers:
    """Looked up once per site and transaction."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._of_site: dict[str, list[Node]] = {}

    def of(self, site: str) -> list[Node]:
        """The active nodes that read applications of this site."""
        if site not in self._of_site:
            found = nodes.in_regions(self._tx, _with_ancestors(site))
            self._of_site[site] = [node for node in found if reads(node, site)]
        return self._of_site[site]


def reads(node: Node, site: str) -> bool:
    """Whether this node reads applications of that site."""
    return region_covers(node.region, site) if node.role is NodeRole.TOWNSHIP else node.site == site


def _with_ancestors(site: str) -> list[str]:
    regions = [site]
    above = parent_region(site)
    while above is not None:
        regions.append(above)
        above = parent_region(above)
    return regions
