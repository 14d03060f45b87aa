"""How this courier behaves: read from the environment (`GUANGAN_AGENT_…`); defaults for a village's metered line."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AgentSettings(BaseSettings):
    """Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="GUANGAN_AGENT_", extra="ignore")

    gateway_url: str | None = None
    """Another way to the same gateway (a tunnel, a relay of the county); the enrolment's address when not set. Who
    answers there is believed for its signature alone."""
    idle_s: float = Field(default=60.0, gt=0)
    """Rest between two questions when nothing waits."""
    catalog_s: float = Field(default=900.0, gt=0)
    """Rest between two looks at the catalog."""
    connections: int = Field(default=4, ge=1, le=16)
    """Scans under way at once: on a lossy line one connection reaches a third of it."""
    piece_bytes: int = Field(default=256 * 1024, ge=4096, le=8 * 1024 * 1024)
    """How much of a scan goes in one request: a scan of the usual size goes in one; of a cut request the gateway keeps
    what arrived, so this bounds how long an envelope may wait behind a scan, not what is sent again."""
    batch_envelopes: int = Field(default=200, ge=1, le=1000)
    batch_bytes: int = Field(default=512 * 1024, ge=16 * 1024, le=8 * 1024 * 1024)
    answer_s: float = Field(default=60.0, gt=0)
    """How long an answer may take before the line counts as down."""
