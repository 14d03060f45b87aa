"""The fixtures of this folder."""

from tests.city_gateway.databases import ledger_url, postgresql_server

__all__ = ["ledger_url", "postgresql_server"]
