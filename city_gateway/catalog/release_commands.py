"""`catalog check | compare | stage | pause | resume | roll-back`: what comes before a release, and what after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from city_gateway.catalog import staging
from city_gateway.catalog.commands import (
    Folder,
    FromStdin,
    Keys,
    app,
    console,
    passphrases,
    plain_catalog_errors,
    sealing_publics,
)
from city_gateway.catalog.comparing import Change, lines_of
from city_gateway.catalog.publication import Rollout
from city_gateway.catalog.wording import stage_line
from city_gateway.wording import words

__all__ = ["app"]

Source = Annotated[Path, typer.Option("--source", help=words("help.catalog_publish.source"))]
Percent = Annotated[int | None, typer.Option(min=0, max=100, help=words("help.catalog_publish.percent"))]
Regions = Annotated[list[str] | None, typer.Option("--region", help=words("help.catalog_publish.region"))]


@app.command(help=words("help.catalog_check"))
def check(*, source: Source = Path("seed_catalog")) -> None:
    """Look for mistakes in a source folder."""
    with plain_catalog_errors():
        found = staging.checked(source)
    _say(words("catalog.checked", items=len(found.listed("items")), forms=len(found.listed("forms"))))


@app.command(help=words("help.catalog_compare"))
def compare(
    *,
    folder: Folder,
    source: Annotated[Path | None, typer.Option("--source", help=words("help.catalog_compare.source"))] = None,
    to: Annotated[int | None, typer.Option("--to", help=words("help.catalog_compare.to"))] = None,
) -> None:
    """Tell what publishing a source, or rolling back, would change."""
    with plain_catalog_errors():
        if to is not None:
            _tell(staging.compared_with_version(folder, to))
        else:
            _tell(staging.compared_with_source(folder, source or Path("seed_catalog"), datetime.now(UTC)))


@app.command(help=words("help.catalog_stage"))
def stage(
    *,
    folder: Folder,
    keys: Keys,
    percent: Percent = None,
    region: Regions = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help=words("help.catalog_stage.everywhere"))] = False,
    passphrase_stdin: FromStdin = False,
) -> None:
    """Let more nodes take the release that is out."""

    def change(now: Rollout) -> Rollout:
        regions = () if everywhere else tuple(region) if region else now.regions
        return replace(now, percent=now.percent if percent is None else percent, regions=regions)

    _restage(folder, keys, change, from_stdin=passphrase_stdin)


@app.command(help=words("help.catalog_pause"))
def pause(*, folder: Folder, keys: Keys, passphrase_stdin: FromStdin = False) -> None:
    """Let no further node take the release."""
    _restage(folder, keys, lambda now: replace(now, paused=True), from_stdin=passphrase_stdin)


@app.command(help=words("help.catalog_resume"))
def resume(*, folder: Folder, keys: Keys, passphrase_stdin: FromStdin = False) -> None:
    """Let nodes take it again."""
    _restage(folder, keys, lambda now: replace(now, paused=False), from_stdin=passphrase_stdin)


@app.command("roll-back", help=words("help.catalog_roll_back"))
def roll_back(
    *,
    folder: Folder,
    keys: Keys,
    to: Annotated[int, typer.Option("--to", help=words("help.catalog_roll_back.to"))],
    percent: Annotated[int, typer.Option(min=0, max=100, help=words("help.catalog_publish.percent"))] = 100,
    region: Regions = None,
    passphrase_stdin: FromStdin = False,
) -> None:
    """Publish an older content under a newer version."""
    with plain_catalog_errors():
        _tell(staging.compared_with_version(folder, to))
        published = staging.roll_back(
            folder,
            keys,
            passphrases(from_stdin=passphrase_stdin),
            to=to,
            recipients=sealing_publics(folder),
            rollout=Rollout(percent=percent, regions=tuple(region or ())),
            now=datetime.now(UTC),
        )
    _say(words("catalog.rolled_back", to=to, version=published.content_version))


def _restage(folder: Path, keys: Path, change: Callable[[Rollout], Rollout], *, from_stdin: bool) -> None:
    with plain_catalog_errors():
        now = staging.restage(folder, keys, passphrases(from_stdin=from_stdin), change, datetime.now(UTC))
    _say(stage_line(now, words))


def _tell(changes: Sequence[Change]) -> None:
    for line in lines_of(changes):
        _say(line)
    _say(words("compare.total", count=len(changes)) if changes else words("compare.nothing"))


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
