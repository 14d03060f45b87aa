"""The fixtures of this folder."""

from tests.city_gateway.databases import ledger_url, postgresql_server
from tests.city_gateway.far_scans import scan_server
from tests.journeys.founded import founded_town, place

__all__ = ["founded_town", "ledger_url", "place", "postgresql_server", "scan_server"]
