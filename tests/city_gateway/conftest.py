"""The fixtures of this folder."""

from tests.city_gateway.databases import ledger_url, postgresql_server
from tests.city_gateway.far_scans import bad_road, scan_server
from tests.city_gateway.gateway_fixtures import city

__all__ = ["bad_road", "city", "ledger_url", "postgresql_server", "scan_server"]
