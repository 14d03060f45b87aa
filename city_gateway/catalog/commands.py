"""`python -m city_gateway catalog ...`: the publisher's command line, and the composition root of publishing.

Passphrases are asked for on the terminal or read from standard input (one line, used for every key); never from an
argument, where other users of the machine could read them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from city_gateway.catalog import publication
from city_gateway.catalog.errors import CatalogError, PassphraseTooShort
from city_gateway.catalog.key_files import HOLDERS, PASSPHRASE_MIN_CHARACTERS, THRESHOLD, PassphraseOf
from city_gateway.catalog.repository import Published, Repository
from city_gateway.catalog.wording import error_lines
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys
from city_gateway.plain_errors import plain_errors
from city_gateway.wording import words

app = typer.Typer(help=words("help.catalog"), no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(soft_wrap=True)

Folder = Annotated[Path, typer.Option("--folder", help=words("help.folder"))]
Keys = Annotated[Path, typer.Option("--keys", help=words("help.catalog.keys"))]
FromStdin = Annotated[bool, typer.Option("--passphrase-stdin", help=words("help.catalog.passphrase_stdin"))]


@contextmanager
def plain_catalog_errors() -> Iterator[None]:
    """`plain_errors`, and what stops a catalog with every problem of its source."""
    with plain_errors():
        try:
            yield
        except CatalogError as error:
            for line in error_lines(error):
                console.print(line, markup=False, highlight=False)
            raise typer.Exit(1) from error


def passphrases(*, from_stdin: bool, confirm: bool = False) -> PassphraseOf:
    """Asked for on the terminal, or one line of standard input for every key."""
    if from_stdin:
        line = sys.stdin.readline().rstrip("\n")
        return lambda _name: line

    def ask(name: str) -> str:
        asked, again = (
            words("catalog.passphrase_of", name=name),
            words("catalog.passphrase_again") if confirm else False,
        )
        answer: str = typer.prompt(asked, hide_input=True, confirmation_prompt=again)
        while confirm and len(answer) < PASSPHRASE_MIN_CHARACTERS:  # now, not after the twelfth key
            for line in error_lines(PassphraseTooShort(key=name, minimum=PASSPHRASE_MIN_CHARACTERS)):
                console.print(line, markup=False, highlight=False)
            answer = typer.prompt(asked, hide_input=True, confirmation_prompt=again)
        return answer

    return ask


@app.command(help=words("help.catalog_init"))
def init(*, folder: Folder, keys: Keys, passphrase_stdin: FromStdin = False) -> None:
    """Make the repository and all its signing keys."""
    with plain_catalog_errors():
        publication.begin(folder, keys, passphrases(from_stdin=passphrase_stdin, confirm=True), datetime.now(UTC))
    console.print(
        words("catalog.begun", holders=HOLDERS, threshold=THRESHOLD, keys=keys),
        highlight=False,
    )


@app.command(help=words("help.catalog_publish"))
def publish(
    *,
    folder: Folder,
    keys: Keys,
    source: Annotated[Path, typer.Option("--source", help=words("help.catalog_publish.source"))] = Path("seed_catalog"),
    version: Annotated[int | None, typer.Option(help=words("help.catalog_publish.version"))] = None,
    percent: Annotated[int, typer.Option(min=0, max=100, help=words("help.catalog_publish.percent"))] = 100,
    region: Annotated[list[str] | None, typer.Option(help=words("help.catalog_publish.region"))] = None,
    paused: Annotated[bool, typer.Option("--paused", help=words("help.catalog_publish.paused"))] = False,
    new_dictionary: Annotated[
        bool, typer.Option("--new-dictionary", help=words("help.catalog_publish.new_dictionary"))
    ] = False,
    revocation_number: Annotated[int | None, typer.Option(help=words("help.catalog_publish.revocation_number"))] = None,
    revoke: Annotated[list[str] | None, typer.Option(help=words("help.catalog_publish.revoke"))] = None,
    passphrase_stdin: FromStdin = False,
) -> None:
    """Check, sign and publish a new version."""
    with plain_catalog_errors():
        wanted = publication.Wanted(
            source=source,
            recipients=sealing_publics(folder),
            version=version,
            new_dictionary=new_dictionary,
            revocation_number=revocation_number,
            revoked_nodes=tuple(revoke or ()),
            rollout=publication.Rollout(percent=percent, regions=tuple(region or ()), paused=paused),
        )
        published = publication.publish(
            folder, keys, passphrases(from_stdin=passphrase_stdin), wanted, datetime.now(UTC)
        )
    console.print(words("catalog.published", version=published.content_version), highlight=False)
    number, nodes = publication.revocations(folder, published)
    if revoke:
        console.print(words("catalog.revoked", number=number, nodes=" ".join(nodes)), highlight=False, soft_wrap=True)


@app.command(help=words("help.catalog_refresh"))
def refresh(folder: Folder) -> None:
    """Sign snapshot and timestamp anew."""
    with plain_catalog_errors():
        published = publication.refresh(folder, datetime.now(UTC))
    expires = f"{published.timestamp.signed.expires:%Y-%m-%d}"
    console.print(words("catalog.refreshed", expires=expires), highlight=False)


@app.command("renew-root", help=words("help.catalog_renew_root"))
def renew_root(*, folder: Folder, keys: Keys, passphrase_stdin: FromStdin = False) -> None:
    """Sign the next version of root."""
    with plain_catalog_errors():
        number = publication.renew_root(folder, keys, passphrases(from_stdin=passphrase_stdin), datetime.now(UTC))
    console.print(words("catalog.root_renewed", number=number), highlight=False)


@app.command(help=words("help.catalog_status"))
def status(folder: Folder) -> None:
    """Show the published catalog."""
    with plain_catalog_errors():
        published = Repository(folder).published()
    console.print(_status_table(published, datetime.now(UTC)))


def _status_table(published: Published, now: datetime) -> Table:
    table = Table(title=words("catalog.table.title", version=published.content_version))
    for heading in ("signature", "version", "expires", "files"):
        table.add_column(words(f"catalog.table.{heading}"))
    rows = [
        ("root", published.root.signed, ""),
        ("targets", published.targets.signed, str(len(published.targets.signed.targets))),
        ("snapshot", published.snapshot.signed, ""),
        ("timestamp", published.timestamp.signed, ""),
    ]
    rows += [(role, county.signed, str(len(county.signed.targets))) for role, county in published.counties.items()]
    for name, signed, files in rows:
        day = f"{signed.expires:%Y-%m-%d}"
        expiry = words("catalog.table.expired", day=day) if signed.is_expired(now) else day
        table.add_row(name, str(signed.version), expiry, files)
    return table


def sealing_publics(folder: Path) -> list[bytes]:
    """What nodes seal to: the newest key of this gateway."""
    return [load_keys(GatewayFolder(folder).keys).newest_sealing.public]
