"""What an installer may set for this node: `node.toml` in the node's folder, every key with a safe default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class NodeSettings(BaseSettings):
    """The settings of one node; the environment prefix is `GUANGAN_NODE_`."""

    model_config = SettingsConfigDict(env_prefix="GUANGAN_NODE_", extra="ignore")

    disk_reserve_mib: Annotated[int, Field(ge=16)] = 256
    """Free space below which new scans are refused; typing, sending and erasing go on."""
    mail_poll_seconds: Annotated[float, Field(ge=0.05, le=60)] = 0.3
    """How often the mailbox is looked at."""
    retention_days: Annotated[int, Field(ge=1)] = 30
    """How long the papers of a concluded application stay on this node once the city has them safely."""
    rekey_days: Annotated[int, Field(ge=1)] = 7
    """How long after an erasing the desk gets a new key at the latest, so that the old one opens nothing any more."""

    media_root: Path = Path("/media")
    """Below it sticks are mounted, one folder each; the courier reads the same setting."""
    media_folders: bool = False
    """For trials: plain folders below it count as sticks, too."""
    relay_mib: Annotated[int, Field(ge=0)] = 512
    """How much mail of its villages a township carries at most; 0 carries none."""


def read_settings(toml_file: Path) -> NodeSettings:
    """The settings of the node whose settings file is `toml_file`; a missing file means the defaults."""

    class _FromFile(NodeSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file)

    return _FromFile()
