"""The fixtures of this folder."""

from tests.city_gateway.databases import ledger_url, postgresql_server
from tests.city_gateway.gateway_fixtures import city

__all__ = ["city", "ledger_url", "postgresql_server"]
