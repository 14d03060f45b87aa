"""`python -m city_gateway backup ...` and `restore`: the composition root of backups.

Passphrases come from standard input, never from an argument. What is printed names no person.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from casework.working_days import CITY_TIME
from city_gateway.acts.standing import Backing, backing, timeline_line
from city_gateway.app import now_utc, published_dictionaries
from city_gateway.backup import key_export, making, places, restoring, trial
from city_gateway.backup.errors import BackupNoRoom
from city_gateway.backup.manifest import Verified, is_verified, read_manifest
from city_gateway.backup.shelf import Shelf
from city_gateway.backup.workshop import Workshop
from city_gateway.errors import GatewayError
from city_gateway.folder import GatewayFolder
from city_gateway.keys import GatewayKeys, load_keys
from city_gateway.ledger import backups
from city_gateway.ledger.backups import Restored
from city_gateway.ledger.database import open_ledger
from city_gateway.ledger_options import Database, Scans, Trial
from city_gateway.plain_errors import plain_errors
from city_gateway.scan_store.opening import open_store
from city_gateway.wording import words

app = typer.Typer(help=words("help.backup"), no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(soft_wrap=True)

Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]
To = Annotated[Path, typer.Option("--to", help=words("help.backup.to"))]
EXAMPLES = 3
NAME_CHARACTERS = 25
PLACE_IS_WRONG = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def plain_disk_errors() -> Iterator[None]:
    """`plain_errors`, and a sentence about a place that is wrong or full."""
    with plain_errors():
        try:
            yield
        except OSError as failure:
            if failure.errno in PLACE_IS_WRONG:
                typer.echo(words("command.place_wrong", place=failure.filename, why=failure.strerror), err=True)
                raise typer.Exit(1) from failure
            if failure.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise BackupNoRoom from failure


def on_one_disk(folder: Path, to: Path) -> bool:
    """Whether both would go with the same disk: also what happens when the disk for the backups is not mounted."""
    return folder.stat().st_dev == to.stat().st_dev


@app.command("make", help=words("help.backup_make"))
def make(
    *,
    database: Database,
    folder: Folder,
    to: To,
    no_verify: Annotated[bool, typer.Option("--no-verify", help=words("help.backup_make.no_verify"))] = False,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help=words("help.backup_make.keep"))] = None,
    scratch: Trial = None,
    scans: Scans = None,
) -> None:
    """Make a backup, try it out, publish the stable marks."""
    with plain_disk_errors():
        with _workshop(database, folder, to, scratch, scans) as workshop:
            generation = making.make(workshop, _step)
            manifest = read_manifest(generation, workshop.keys)
            if on_one_disk(folder, to):
                typer.echo(words("backup.same_disk", to=to), err=True)
            typer.echo(words("backup.made", name=generation.name, scans=manifest.scans, mib=manifest.scan_bytes >> 20))
            for name in manifest.scans_damaged:
                typer.echo(words("backup.scan_damaged", name=name), err=True)
            if no_verify:
                typer.echo(words("backup.not_verified"), err=True)
                return
            _verify_and_publish(workshop, generation)
            removed = making.keep_only(workshop.shelf, workshop.keys, keep) if keep is not None else []
        for name in removed:
            typer.echo(words("backup.removed", name=name))
        _warn_of_keys(workshop.keys, to)


@app.command("verify", help=words("help.backup_verify"))
def verify(
    *,
    database: Database,
    folder: Folder,
    backup: Annotated[Path | None, typer.Argument(help=words("help.backup_verify.backup"))] = None,
    to: Annotated[Path | None, typer.Option("--to", help=words("help.backup_verify.to"))] = None,
    scratch: Trial = None,
    scans: Scans = None,
) -> None:
    """Try a backup out and publish the stable marks."""
    with plain_disk_errors():
        place = to or (backup.parent.parent if backup is not None else None)
        if place is None:
            raise typer.BadParameter("--to")
        with _workshop(database, folder, place, scratch, scans) as workshop:
            _verify_and_publish(workshop, backup or workshop.shelf.newest())


@app.command("list", help=words("help.backup_list"))
def list_backups(*, folder: Folder, to: To) -> None:
    """List the backups."""
    with plain_disk_errors():
        keys = load_keys(GatewayFolder(folder).keys)
        table = Table(box=SIMPLE, padding=0)  # whole names and times at 80 columns
        table.add_column(words("backup.table.name"), no_wrap=True, min_width=NAME_CHARACTERS)
        for heading, width in (("made", 10), ("verified", 6), ("applications", 4), ("scans", 6), ("database", 6)):
            table.add_column(words(f"backup.table.{heading}"), min_width=width, overflow="fold")
        for generation in Shelf(to).all():
            try:
                one = read_manifest(generation, keys)
            except GatewayError as error:
                table.add_row(generation.name, words(f"error.{error.code}", **error.params), "", "", "", "")
                continue
            verified = words("answer.yes") if is_verified(generation, keys) else words("answer.no")
            made = f"{one.made_at.astimezone(CITY_TIME):%Y-%m-%d %H:%M}"
            table.add_row(generation.name, made, verified, str(one.rows["applications"]), str(one.scans), one.database)
        console.print(table)


@app.command("status", help=words("help.backup_status"))
def status(*, database: Database, folder: Annotated[Path | None, typer.Option("--folder")] = None) -> None:  # noqa: ARG001
    """Say how old the newest verified backup is."""
    with plain_disk_errors():
        ledger = open_ledger(database, now=now_utc(), randomness=os.urandom)
        with ledger.reading() as tx:
            now = backing(backups.newest(tx, now_utc()), backups.last_restore(tx), now_utc(), words)
        ledger.close()
    typer.echo(now.sentence)
    if now.restored is not None:
        typer.echo(timeline_line(now.restored, words))
    if now.state is not Backing.FRESH:
        raise typer.Exit(2)


def restore(
    *,
    database: Database,
    folder: Folder,
    source: Annotated[Path | None, typer.Option("--from", help=words("help.restore.from"))] = None,
    keys: Annotated[Path | None, typer.Option("--keys", help=words("help.restore.keys"))] = None,
    replace: Annotated[bool, typer.Option("--replace", help=words("help.restore.replace"))] = False,
    yes_older: Annotated[bool, typer.Option("--yes-older", help=words("help.restore.yes_older"))] = False,
    in_place: Annotated[bool, typer.Option("--in-place", help=words("help.restore.in_place"))] = False,
    scans: Scans = None,
) -> None:
    """Restore the gateway from a backup."""
    if in_place == (source is not None):
        raise typer.BadParameter(words("restore.which"))
    with plain_disk_errors():
        if in_place:
            restored = _begin_anew(database)
        elif source is not None:
            own = _keys(folder, keys)
            wish = restoring.Wish(source, database, folder, replace, yes_older)
            into = open_store(scans, GatewayFolder(folder), own.gateway_id)
            restored = restoring.restore(wish, own, scans=into, now=now_utc(), randomness=os.urandom, step=_step)
    typer.echo(timeline_line(restored, words))
    typer.echo(words("restore.what_now"))


def export_keys(
    *,
    folder: Folder,
    to: Annotated[Path, typer.Option("--to", help=words("help.keys_export.to"))],
) -> None:
    """Export the gateway's keys into one file under a passphrase."""
    with plain_disk_errors():
        key_export.export_keys(folder, to, _passphrase(), os.urandom)
    typer.echo(words("command.keys_exported", file=to))


def _begin_anew(database: str) -> Restored:
    places.of(database).must_be_free(replace=True)
    ledger = open_ledger(database, now=now_utc(), randomness=os.urandom)
    with ledger.transaction() as tx:
        restored = Restored(os.urandom(16).hex(), now_utc(), backups.epoch(tx), None, None)
        backups.begin_timeline(tx, restored, None)
    ledger.close()
    return restored


@contextmanager
def _workshop(database: str, folder: Path, to: Path, scratch: str | None, scans: str | None) -> Iterator[Workshop]:
    keys = load_keys(GatewayFolder(folder).keys)
    ledger = open_ledger(database, now=now_utc(), randomness=os.urandom)
    workshop = Workshop(
        ledger=ledger,
        trial_url=scratch or database,
        folder=folder,
        scans=open_store(scans, GatewayFolder(folder), keys.gateway_id),
        keys=keys,
        shelf=Shelf(to),
        clock=now_utc,
        randomness=os.urandom,
        dictionaries=published_dictionaries,
    )
    try:
        with workshop.shelf.alone():
            yield workshop
    finally:
        ledger.close()


def _verify_and_publish(workshop: Workshop, generation: Path) -> None:
    _step("trial")
    verified = trial.try_out(workshop, generation)
    typer.echo(words("backup.verified", name=generation.name))
    rose = trial.publish(workshop, generation)
    typer.echo(words("backup.published", nodes=rose))
    _tell_held_back(verified)


def _tell_held_back(verified: Verified) -> None:
    for node_id, why in verified.held_back.items():
        some = [*why.applications[:EXAMPLES], *(["…"] if len(why.applications) > EXAMPLES else [])]
        typer.echo(words("backup.held_back", node=node_id, stable=why.stable, hwm=why.hwm, applications=some), err=True)


def _warn_of_keys(keys: GatewayKeys, to: Path) -> None:
    if not key_export.exports_of(keys, to):
        typer.echo(words("backup.no_key_export"), err=True)


def _keys(folder: Path, export: Path | None) -> GatewayKeys:
    if export is None:
        return load_keys(GatewayFolder(folder).keys)
    return key_export.import_keys(folder, export, _passphrase())


def _passphrase() -> str:
    return sys.stdin.readline().rstrip("\n")


def _step(name: str) -> None:
    typer.echo(f"{datetime.now(CITY_TIME):%H:%M:%S} {words(f'backup.step.{name}')}", err=True)
