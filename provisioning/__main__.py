"""`python -m provisioning ...`: what an installer runs. The composition root: clock, randomness and HTTP enter here."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from casework.application import Role
from offline_store.desk import keyring
from offline_store.desk.keyring import MACHINE_KEY_FILE, ByClerk, machine_key
from offline_store.errors import DamagedFile, NodeFileMissing
from offline_store.node_file import read_node_file
from offline_store.paths import NodePaths
from offline_store.placing import place
from offline_store.vault.scans import Vault
from provisioning import clerks as people
from provisioning import doctor as examination
from provisioning import enrol as enrolment
from provisioning import machine_key as machine_keys
from provisioning import re_enrol as re_enrolment
from provisioning import rescue, rescue_report, rescued_drafts, rescued_mail, unlock_at_start
from provisioning import support as support_bundle
from provisioning.demo import app as demo
from provisioning.door import Door
from provisioning.errors import (
    CredentialRefused,
    NodeRunning,
    NoRoad,
    OtherDisk,
    RecoveryKeyNeeded,
    UnlockedByClerk,
)
from provisioning.gateway_door import GatewayDoor
from provisioning.plain_errors import plain_errors
from provisioning.practising import app as practising
from provisioning.stick_door import StickDoor
from provisioning.wording import of, words
from wire.recovery_key import read_recovery_key

HTTP_TIMEOUT_S = 30.0
STANDARD = "-"

app = typer.Typer(help=words("help.provisioning"), no_args_is_help=True, pretty_exceptions_enable=False)
clerk_app = typer.Typer(help=words("help.clerk"), no_args_is_help=True)
machine_key_app = typer.Typer(help=words("help.machine_key"), no_args_is_help=True)
unlock_app = typer.Typer(help=words("help.unlock_at_start"), no_args_is_help=True)
app.add_typer(clerk_app, name="clerk")
app.add_typer(machine_key_app, name="machine-key")
app.add_typer(unlock_app, name="unlock-at-start")
app.add_typer(demo)
app.add_typer(practising)
console = Console(soft_wrap=True)

Root = Annotated[Path, typer.Option("--root", help=words("help.root"))]
Recovery = Annotated[Path | None, typer.Option("--recovery-key", help=words("help.recovery_key"))]
UnlockAs = Annotated[str | None, typer.Option("--unlock-as", help=words("help.unlock_as"))]
PassphraseByPipe = Annotated[bool, typer.Option("--passphrase-stdin", help=words("help.recovery_key.stdin"))]


@contextmanager
def _door(stick: Path | None, gateway_url: str | None) -> Iterator[Door]:
    """The road to the city that the installer chose."""
    if stick is not None:
        yield StickDoor(stick)
    elif gateway_url is None:
        raise NoRoad
    else:
        with httpx.Client(timeout=HTTP_TIMEOUT_S) as client:
            yield GatewayDoor(client, gateway_url)


@contextmanager
def _edge_node_stopped(paths: NodePaths) -> Iterator[None]:
    """Hold the lock that edge_node holds while it runs: the desk has one owner at a time."""
    with paths.desk_lock.open("a") as lock:
        if os.geteuid() == 0:  # the lock is edge_node's, whoever makes the file
            home = paths.desk_lock.parent.stat()
            os.fchown(lock.fileno(), home.st_uid, home.st_gid)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise NodeRunning from busy
        yield


@app.command(help=words("help.enrol"))
def enrol(
    *,
    root: Root,
    gateway: Annotated[str | None, typer.Option("--gateway", help=words("help.enrol.gateway"))] = None,
    stick: Annotated[Path | None, typer.Option("--stick", help=words("help.enrol.stick"))] = None,
    code: Annotated[str | None, typer.Option("--code", help=words("help.enrol.code"))] = None,
    code_stdin: Annotated[bool, typer.Option("--code-stdin", help=words("help.enrol.code_stdin"))] = False,
    role: Annotated[str | None, typer.Option("--role", help=words("help.enrol.role"))] = None,
) -> None:
    """Enrol the node."""
    text = sys.stdin.readline().strip() if code_stdin or code is None else code
    with plain_errors(), _door(stick, gateway) as door:
        document = enrolment.enrol(
            paths=NodePaths(root),
            door=door,
            code_text=text,
            role=role,
            machine=machine_key(),
            randomness=os.urandom,
            now=lambda: datetime.now(UTC),
        )
    _say(words("command.enrolled", site=document.site_name, role=of("role", document.role), region=document.region))


@app.command("re-enrol", help=words("help.re_enrol"))
def re_enrol(
    *,
    root: Root,
    code: Annotated[str | None, typer.Option("--code", help=words("help.re_enrol.code"))] = None,
    code_stdin: Annotated[bool, typer.Option("--code-stdin", help=words("help.enrol.code_stdin"))] = False,
    gateway: Annotated[str | None, typer.Option("--gateway", help=words("help.re_enrol.gateway"))] = None,
    stick: Annotated[Path | None, typer.Option("--stick", help=words("help.enrol.stick"))] = None,
    unlock_as: UnlockAs = None,
) -> None:
    """Enrol the node anew, under a new identity."""
    text = sys.stdin.readline().strip() if code_stdin or code is None else code
    paths = NodePaths(root)
    with plain_errors():
        before = read_node_file(paths.enrolment)
        with _edge_node_stopped(paths), _door(stick, gateway or before.gateway_url) as door:
            done = re_enrolment.re_enrol(
                paths=paths,
                code_text=text,
                door=door,
                machine=_opener(paths, unlock_as),
                randomness=os.urandom,
                now=lambda: datetime.now(UTC),
            )
    _say(words("command.enrolled_anew", site=done.document.site_name))
    _say(words("command.chain_filed", filed=done.filed, renewed=done.renewed))
    if paths.set_aside.exists():
        _say(words("command.set_aside", folder=paths.set_aside))


@clerk_app.command("add", help=words("help.clerk_add"))
def clerk_add(
    *,
    root: Root,
    clerk_id: Annotated[str, typer.Option("--id", help=words("help.clerk.id"))],
    name: Annotated[str, typer.Option("--name", help=words("help.clerk_add.name"))],
    role: Annotated[Role, typer.Option("--role", help=words("help.clerk_add.role"))],
    passphrase_stdin: Annotated[
        bool, typer.Option("--passphrase-stdin", help=words("help.clerk_add.passphrase_stdin"))
    ] = False,
    unlock_as: UnlockAs = None,
) -> None:
    """Register a person who works at the node."""
    passphrase: str = (
        sys.stdin.readline().rstrip("\n")
        if passphrase_stdin
        else typer.prompt(
            words("command.passphrase"), hide_input=True, confirmation_prompt=words("command.passphrase_again")
        )
    )
    paths = NodePaths(root)
    with plain_errors(), _edge_node_stopped(paths):
        people.add_clerk(
            paths=paths,
            machine=_opener(paths, unlock_as),
            clerk_id=clerk_id,
            name=name,
            role=role,
            passphrase=passphrase,
            randomness=os.urandom,
        )
    _say(words("command.clerk_added", clerk_id=clerk_id))


@clerk_app.command("close", help=words("help.clerk_close"))
def clerk_close(
    *,
    root: Root,
    clerk_id: Annotated[str, typer.Option("--id", help=words("help.clerk.id"))],
    unlock_as: UnlockAs = None,
) -> None:
    """Close a sign-in name."""
    paths = NodePaths(root)
    with plain_errors(), _edge_node_stopped(paths):
        people.close_clerk(paths=paths, machine=_opener(paths, unlock_as), clerk_id=clerk_id)
    _say(words("command.clerk_closed", clerk_id=clerk_id))


@unlock_app.command("on", help=words("help.unlock_at_start_on"))
def unlock_at_start_on(
    *, root: Root, clerk_id: Annotated[str, typer.Option("--id", help=words("help.unlock_at_start.id"))]
) -> None:
    """Let a clerk unlock the node after each start."""
    paths = NodePaths(root)
    with plain_errors(), _edge_node_stopped(paths):
        who = ByClerk(clerk_id, _passphrase(words("command.unlock_passphrase")))
        opener = machine_key() if keyring.opens_alone(paths.keyring) else who
        unlock_at_start.switch_on(paths=paths, opener=opener, who=who, now=datetime.now(UTC), randomness=os.urandom)
    _say(words("command.unlock_at_start_on", clerk_id=clerk_id))


@unlock_app.command("off", help=words("help.unlock_at_start_off"))
def unlock_at_start_off(
    *, root: Root, clerk_id: Annotated[str, typer.Option("--id", help=words("help.unlock_at_start.id"))]
) -> None:
    """Let the node open by itself again."""
    paths = NodePaths(root)
    with plain_errors(), _edge_node_stopped(paths):
        who = ByClerk(clerk_id, _passphrase(words("command.unlock_passphrase")))
        unlock_at_start.switch_off(paths=paths, machine=machine_key(), who=who, randomness=os.urandom)
    _say(words("command.unlock_at_start_off"))


@machine_key_app.command("renew", help=words("help.machine_key_renew"))
def machine_key_renew(
    *,
    root: Root,
    credential: Annotated[Path | None, typer.Option("--credential", help=words("help.machine_key.credential"))] = None,
    recovery: Recovery = None,
    passphrase_stdin: PassphraseByPipe = False,
) -> None:
    """Give the node another machine key."""
    paths = NodePaths(root)
    with plain_errors():
        node = read_node_file(paths.enrolment)
        kept = _credential(credential)
        with _edge_node_stopped(paths):
            opened = _recovered(recovery, node.node_id, by_pipe=passphrase_stdin)
            if not (opened or keyring.opens_alone(paths.keyring)):
                raise UnlockedByClerk
            keys = opened or keyring.candidates(paths.keyring, machine_key())
            machine_keys.renew(paths, kept, keys, os.urandom)
    _say(words("command.machine_key_renewed"))


@app.command("rescue", help=words("help.rescue"))
def rescue_disk(
    *,
    disk: Annotated[Path, typer.Option("--disk", help=words("help.rescue.disk"))],
    to: Annotated[Path, typer.Option("--to", help=words("help.rescue.to"))],
    recovery: Recovery = None,
    passphrase_stdin: PassphraseByPipe = False,
    drafts: Annotated[Path | None, typer.Option("--drafts", help=words("help.rescue.drafts"))] = None,
) -> None:
    """Bring home what lies on the disk of a dead machine."""
    with plain_errors():
        node = read_node_file(NodePaths(disk).enrolment)
        desk_keys = _recovered(recovery, node.node_id, by_pipe=passphrase_stdin)
        if drafts is not None and not desk_keys:
            raise RecoveryKeyNeeded
        with rescue.copied(disk, to) as (copy, unreadable):
            found, desk = rescue.look(copy, unreadable, desk_keys)
            try:
                lost = None
                if drafts is not None and desk is not None:
                    lost = rescued_drafts.lay_open(desk, Vault(copy.vault), found.drafts, drafts)
            finally:
                if desk is not None:
                    desk.close()
            waits = not found.stopped and (found.envelopes or found.scans)
            bundles = rescued_mail.write(copy, to) if waits else 0
    for line in rescue_report.told(found, bundles=bundles, to=to, drafts=drafts, scans_lost=lost):
        _say(line)


@app.command(help=words("help.doctor"))
def doctor(*, root: Root) -> None:
    """Check the node."""
    report = examination.examine(NodePaths(root), now=datetime.now(UTC), environment=os.environ)
    console.print(examination.table(report))
    raise typer.Exit(examination.exit_code(report))


@app.command(help=words("help.support"))
def support(
    *,
    root: Root,
    to: Annotated[Path, typer.Option("--to", help=words("help.support.to"))],
    log: Annotated[list[Path] | None, typer.Option("--log", help=words("help.support.log"))] = None,
) -> None:
    """Make a support bundle without any personal data."""
    with (
        plain_errors(),
        suppress(NodeFileMissing, DamagedFile),
    ):  # a broken node is what it is for, practice is not
        read_node_file(NodePaths(root).enrolment)
    made = support_bundle.make(
        NodePaths(root), now=datetime.now(UTC), environment=os.environ, log_lines=_lines_of(log or ())
    )
    if str(to) == STANDARD:
        sys.stdout.buffer.write(made)
        return
    place(to, made)
    _say(words("command.supported", to=to, size=len(made) // 1024 + 1))


def _credential(path: Path | None) -> machine_keys.Credential:
    if path is not None:
        return machine_keys.SystemdCredential(path)
    named = os.environ.get(MACHINE_KEY_FILE)
    if named is None:
        raise CredentialRefused
    return machine_keys.FileCredential(Path(named))


def _opener(paths: NodePaths, unlock_as: str | None) -> keyring.Opener:
    """What opens the desk for a command: the machine key, or a clerk where clerks unlock the node."""
    if keyring.opens_alone(paths.keyring):
        return machine_key()
    if unlock_as is None:
        raise UnlockedByClerk
    return ByClerk(unlock_as, _passphrase(words("command.unlock_passphrase")))


def _passphrase(asked: str) -> str:
    """Typed unseen by a person, or one line of standard input."""
    return str(typer.prompt(asked, hide_input=True)) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _recovered(file: Path | None, node_id: str, *, by_pipe: bool) -> list[bytes]:
    """The keys that the city gave for this disk; none when it was not asked."""
    if file is None:
        return []
    asked = words("command.recovery_passphrase")
    said = sys.stdin.readline().rstrip("\n") if by_pipe else str(typer.prompt(asked, hide_input=True))
    key = read_recovery_key(file.read_bytes(), said)
    if key.node_id != node_id:
        raise OtherDisk
    return list(key.desk_keys)


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
