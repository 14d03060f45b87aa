"""`python -m provisioning ...`: what an installer runs. The composition root: clock, randomness and HTTP enter here."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from casework.application import Role
from offline_store.desk.keyring import machine_key
from offline_store.errors import StoreError
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.placing import place
from provisioning import clerks as people
from provisioning import doctor as examination
from provisioning import enrol as enrolment
from provisioning import re_enrol as re_enrolment
from provisioning import support as support_bundle
from provisioning.demo import app as demo
from provisioning.errors import NodeRunning, ProvisioningError
from provisioning.wording import of, sentence, words
from wire.errors import WireError

HTTP_TIMEOUT_S = 30.0
STANDARD = "-"

app = typer.Typer(help="安装、检查节点，演示整个系统", no_args_is_help=True, pretty_exceptions_enable=False)
clerk_app = typer.Typer(help="办事人员", no_args_is_help=True)
app.add_typer(clerk_app, name="clerk")
app.add_typer(demo)
console = Console(soft_wrap=True)

Root = Annotated[Path, typer.Option("--root", help="节点文件夹")]


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (ProvisioningError, StoreError, WireError) as error:
        console.print(sentence(error), markup=False, highlight=False)
        raise typer.Exit(1) from error


@contextmanager
def _edge_node_stopped(paths: NodePaths) -> Iterator[None]:
    """Hold the lock that edge_node holds while it runs: the desk has one owner at a time."""
    with paths.desk_lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise NodeRunning from busy
        yield


@app.command()
def enrol(
    *,
    root: Root,
    gateway: Annotated[str, typer.Option("--gateway", help="网关网址")],
    code: Annotated[str | None, typer.Option("--code", help="一次性开通码")] = None,
    code_stdin: Annotated[bool, typer.Option("--code-stdin", help="从标准输入读开通码")] = False,
    role: Annotated[str | None, typer.Option("--role", help="village 或 township，与开通码核对")] = None,
) -> None:
    """开通节点（断电、断线后可原样重做）。"""
    text = sys.stdin.readline().strip() if code_stdin or code is None else code
    with _plain_errors(), httpx.Client(timeout=HTTP_TIMEOUT_S) as client:
        document = enrolment.enrol(
            paths=NodePaths(root),
            gateway_url=gateway,
            code_text=text,
            role=role,
            machine=machine_key(),
            client=client,
            randomness=os.urandom,
            now=lambda: datetime.now(UTC),
        )
    _say(words("command.enrolled", site=document.site_name, role=of("role", document.role), region=document.region))


@app.command("re-enrol")
def re_enrol(
    *,
    root: Root,
    code: Annotated[str | None, typer.Option("--code", help="市级新发的一次性开通码")] = None,
    code_stdin: Annotated[bool, typer.Option("--code-stdin", help="从标准输入读开通码")] = False,
    gateway: Annotated[str | None, typer.Option("--gateway", help="网关网址，默认用原来的")] = None,
) -> None:
    """机器被复制、回滚或身份停用后重新开通：换新身份，未送达的原样接着送（须先停止 edge_node；断电可原样重做）。"""
    text = sys.stdin.readline().strip() if code_stdin or code is None else code
    paths = NodePaths(root)
    with _plain_errors():
        read_node_file(paths.enrolment)
        with _edge_node_stopped(paths), httpx.Client(timeout=HTTP_TIMEOUT_S) as client:
            done = re_enrolment.re_enrol(
                paths=paths,
                code_text=text,
                gateway_url=gateway,
                machine=machine_key(),
                client=client,
                randomness=os.urandom,
                now=lambda: datetime.now(UTC),
            )
    _say(words("command.enrolled_anew", site=done.document.site_name))
    _say(words("command.chain_filed", filed=done.filed, renewed=done.renewed))
    if paths.set_aside.exists():
        _say(words("command.set_aside", folder=paths.set_aside))


@clerk_app.command("add")
def clerk_add(
    *,
    root: Root,
    clerk_id: Annotated[str, typer.Option("--id", help="登录名")],
    name: Annotated[str, typer.Option("--name", help="姓名")],
    role: Annotated[Role, typer.Option("--role", help="agent 代办员，clerk 乡镇工作人员")],
    passphrase_stdin: Annotated[bool, typer.Option("--passphrase-stdin", help="从标准输入读口令")] = False,
) -> None:
    """登记办事人员（须先停止 edge_node）。"""
    passphrase: str = (
        sys.stdin.readline().rstrip("\n")
        if passphrase_stdin
        else typer.prompt(
            words("command.passphrase"), hide_input=True, confirmation_prompt=words("command.passphrase_again")
        )
    )
    paths = NodePaths(root)
    with _plain_errors(), _edge_node_stopped(paths):
        people.add_clerk(
            paths=paths,
            machine=machine_key(),
            clerk_id=clerk_id,
            name=name,
            role=role,
            passphrase=passphrase,
            randomness=os.urandom,
        )
    _say(words("command.clerk_added", clerk_id=clerk_id))


@clerk_app.command("close")
def clerk_close(*, root: Root, clerk_id: Annotated[str, typer.Option("--id", help="登录名")]) -> None:
    """停用登录名，人调走或口令泄露时用（须先停止 edge_node）。"""
    paths = NodePaths(root)
    with _plain_errors(), _edge_node_stopped(paths):
        people.close_clerk(paths=paths, machine=machine_key(), clerk_id=clerk_id)
    _say(words("command.clerk_closed", clerk_id=clerk_id))


@app.command()
def doctor(*, root: Root) -> None:
    """检查节点：时钟、磁盘、密钥、数据库、线路、目录。"""
    report = examination.examine(NodePaths(root), now=datetime.now(UTC), environment=os.environ)
    console.print(examination.table(report))
    raise typer.Exit(examination.exit_code(report))


@app.command()
def support(
    *,
    root: Root,
    to: Annotated[Path, typer.Option("--to", help="写到哪个文件（.zip）；- 是标准输出")],
    log: Annotated[list[Path] | None, typer.Option("--log", help="日志文件；- 是标准输入")] = None,
) -> None:
    """做一个求助包：版本、设置、检查结果、线路、数量、日志代码，没有任何个人信息。"""
    made = support_bundle.make(
        NodePaths(root), now=datetime.now(UTC), environment=os.environ, log_lines=_lines_of(log or ())
    )
    if str(to) == STANDARD:
        sys.stdout.buffer.write(made)
        return
    place(to, made)
    _say(words("command.supported", to=to, size=len(made) // 1024 + 1))


def _say(told: str) -> None:
    console.print(told, highlight=False, markup=False)


def _lines_of(logs: Iterable[Path]) -> Iterator[str]:
    for path in logs:
        if str(path) == STANDARD:
            yield from sys.stdin
        else:
            with path.open(encoding="utf-8", errors="replace") as lines:
                yield from lines


if __name__ == "__main__":
    app()
