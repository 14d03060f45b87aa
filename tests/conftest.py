"""Fences around every test: settings of the person and of the machine stay outside.

Each test module states its tier by a strict marker (see pyproject.toml); a module without one is refused here.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

TALLY = "GUANGAN_FAULT_TALLY"  # where fault tests note their counts for the report; no program reads it
TIERS = {"fast", "node", "journey", "screen", "browser", "fault"}

settings.register_profile("everyday", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that does not say which tier it belongs to."""
    homeless = sorted({item.nodeid for item in items if not TIERS & {mark.name for mark in item.iter_markers()}})
    if homeless:
        raise pytest.UsageError("tests without a tier marker: " + ", ".join(homeless[:10]))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, no language and no credential of the person who runs the tests leaks into them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    own = [name for name in os.environ if name.startswith("GUANGAN_") and name != TALLY]
    for name in [*own, "CREDENTIALS_DIRECTORY"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
