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
from city_gateway.catalog.wording import GATEWAY_KEYS_MISSING, error_lines
from city_gateway.errors import KeysMissing
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys

app = typer.Typer(help="发布办事目录(TUF 签名)", no_args_is_help=True, pretty_exceptions_enable=False)
console = Console(soft_wrap=True)

Folder = Annotated[Path, typer.Option("--folder", help="网关文件夹")]
Keys = Annotated[Path, typer.Option("--keys", help="离线签名密钥所在文件夹")]
FromStdin = Annotated[bool, typer.Option("--passphrase-stdin", help="从标准输入读口令(一行,用于所有密钥)")]


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except CatalogError as error:
        for line in error_lines(error):
            console.print(line, markup=False, highlight=False)
        raise typer.Exit(1) from error
    except KeysMissing as error:
        console.print(GATEWAY_KEYS_MISSING, markup=False, highlight=False)
        raise typer.Exit(1) from error


def _passphrases(*, from_stdin: bool, confirm: bool = False) -> PassphraseOf:
    if from_stdin:
        line = sys.stdin.readline().rstrip("\n")
        return lambda _name: line

    def ask(name: str) -> str:
        again = "再输入一次" if confirm else False
        answer: str = typer.prompt(f"{name} 的口令", hide_input=True, confirmation_prompt=again)
        while confirm and len(answer) < PASSPHRASE_MIN_CHARACTERS:  # now, not after the twelfth key
            for line in error_lines(PassphraseTooShort(key=name, minimum=PASSPHRASE_MIN_CHARACTERS)):
                console.print(line, markup=False, highlight=False)
            answer = typer.prompt(f"{name} 的口令", hide_input=True, confirmation_prompt=again)
        return answer

    return ask


@app.command()
def init(*, folder: Folder, keys: Keys, passphrase_stdin: FromStdin = False) -> None:
    """新建目录仓库和全部签名密钥。"""
    with _plain_errors():
        publication.begin(folder, keys, _passphrases(from_stdin=passphrase_stdin, confirm=True), datetime.now(UTC))
    console.print(
        f"目录仓库已建立。root 和 targets 各有 {HOLDERS} 把密钥,任意 {THRESHOLD} 把有效;"
        f"请把 {keys} 里的文件分给各保管人离线保存。",
        highlight=False,
    )


@app.command()
def publish(
    *,
    folder: Folder,
    keys: Keys,
    source: Annotated[Path, typer.Option("--source", help="目录源文件夹")] = Path("seed_catalog"),
    version: Annotated[int | None, typer.Option(help="目录版本号,默认在上一版上加一")] = None,
    percent: Annotated[int, typer.Option(min=0, max=100, help="先推给百分之多少的节点")] = 100,
    region: Annotated[list[str] | None, typer.Option(help="只推给这些区划(可多次)")] = None,
    paused: Annotated[bool, typer.Option("--paused", help="签名但先不启用")] = False,
    new_dictionary: Annotated[bool, typer.Option("--new-dictionary", help="按现在的登记表重做压缩字典")] = False,
    revocation_number: Annotated[int | None, typer.Option(help="吊销名单号")] = None,
    revoke: Annotated[list[str] | None, typer.Option(help="吊销的节点编号(可多次)")] = None,
    passphrase_stdin: FromStdin = False,
) -> None:
    """检查源文件,签名,发布新版目录。"""
    with _plain_errors():
        wanted = publication.Wanted(
            source=source,
            recipients=_sealing_publics(folder),
            version=version,
            new_dictionary=new_dictionary,
            revocation_number=revocation_number,
            revoked_nodes=tuple(revoke or ()),
            rollout=publication.Rollout(percent=percent, regions=tuple(region or ()), paused=paused),
        )
        published = publication.publish(
            folder, keys, _passphrases(from_stdin=passphrase_stdin), wanted, datetime.now(UTC)
        )
    console.print(f"已发布目录第 {published.content_version} 版。", highlight=False)


@app.command()
def refresh(folder: Folder) -> None:
    """续签 snapshot 和 timestamp(在线密钥,不需要口令;可放进定时任务)。"""
    with _plain_errors():
        published = publication.refresh(folder, datetime.now(UTC))
    console.print(f"已续签,有效期至 {published.timestamp.signed.expires:%Y-%m-%d}。", highlight=False)


@app.command("renew-root")
def renew_root(*, folder: Folder, keys: Keys, passphrase_stdin: FromStdin = False) -> None:
    """签发下一版 root(需要两位保管人)。"""
    with _plain_errors():
        number = publication.renew_root(folder, keys, _passphrases(from_stdin=passphrase_stdin), datetime.now(UTC))
    console.print(f"root 第 {number} 版已签发;请接着运行 catalog refresh。", highlight=False)


@app.command()
def status(folder: Folder) -> None:
    """显示已发布的目录、签名有效期和文件数。"""
    with _plain_errors():
        published = Repository(folder).published()
    console.print(_status_table(published, datetime.now(UTC)))


def _status_table(published: Published, now: datetime) -> Table:
    table = Table(title=f"办事目录第 {published.content_version} 版")
    for heading in ("签名", "版本", "有效期至", "文件"):
        table.add_column(heading)
    rows = [
        ("root", published.root.signed, ""),
        ("targets", published.targets.signed, str(len(published.targets.signed.targets))),
        ("snapshot", published.snapshot.signed, ""),
        ("timestamp", published.timestamp.signed, ""),
    ]
    rows += [(role, county.signed, str(len(county.signed.targets))) for role, county in published.counties.items()]
    for name, signed, files in rows:
        expiry = f"{signed.expires:%Y-%m-%d}" + (" 已过期" if signed.is_expired(now) else "")
        table.add_row(name, str(signed.version), expiry, files)
    return table


def _sealing_publics(folder: Path) -> list[bytes]:
    """What nodes seal to: the newest key of this gateway."""
    return [load_keys(GatewayFolder(folder).keys).newest_sealing.public]
