"""The phone's door: a TLS listener on the office's network, open only while a phone is invited.

Laws
- It opens when a clerk asks, on private addresses only, with a certificate that is made for this opening and whose key
  never touches the disk; it closes when nobody is invited any more.
- TLS keeps out who listens on the network. Who stands between phone and machine and shows another certificate is not
  kept out: nobody vouches for a machine in a village (docs/threat-model.md).
"""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import os
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from starlette.types import ASGIApp

from edge_node.counter.errors import NoNetworkForPhone, PhonePortTaken
from edge_node.counter.invitations import Invitations
from edge_node.listening import Door, door_of, page_socket

LOOK_SECONDS = 2.0
SIOCGIFADDR = 0x8915
CERTIFICATE_DAYS = 2


class PhoneDoor:
    """Opened and closed on the loop that serves the counter."""

    def __init__(
        self, app: ASGIApp, invitations: Invitations, addresses: Callable[[], Sequence[str]], port: int
    ) -> None:
        self._app, self._invitations, self._addresses, self._port = app, invitations, addresses, port
        self._bound: list[socket.socket] = []
        self._door: Door | None = None
        self._serving: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def open(self) -> list[str]:
        """Listen, if nobody does yet; the addresses of the door, without a slash at the end."""
        async with self._turn:
            if self._door is None or self._door.should_exit:
                await self._closed()
                hosts = list(self._addresses())
                if not hosts:
                    raise NoNetworkForPhone
                self._bound = _listen(hosts, self._port)
                self._door = door_of(self._app, tls=_fresh_certificate(hosts))
                self._serving = asyncio.create_task(self._serve(self._door, self._bound))
            return [_url(one) for one in self._bound]

    async def close(self) -> None:
        """Answer what was asked, and close."""
        async with self._turn:  # one at a time: who waited for the last door must not forget the next one
            await self._closed()

    async def _closed(self) -> None:
        if self._door is not None and self._serving is not None:
            self._door.should_exit = True
            await asyncio.gather(self._serving, return_exceptions=True)
        self._door = self._serving = None

    async def _serve(self, door: Door, bound: list[socket.socket]) -> None:
        watching = asyncio.create_task(self._close_behind_the_last(door))
        try:
            await door.serve(sockets=bound)
        finally:
            watching.cancel()
            for one in bound:
                one.close()

    async def _close_behind_the_last(self, door: Door) -> None:
        while self._invitations.anyone_invited():  # noqa: ASYNC110 - it ends by the clock, too, which sets no event
            await asyncio.sleep(LOOK_SECONDS)
        door.should_exit = True


def private_addresses() -> list[str]:
    """The IPv4 addresses of this machine in private networks, those that were only made up for want of one last."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without an address
                told = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.append(ipaddress.IPv4Address(told[20:24]))
    offered = [one for one in found if one.is_private and not one.is_loopback]
    return [str(one) for one in sorted(offered, key=lambda one: one.is_link_local)]


def _listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for host in hosts:
            bound.append(page_socket(host, port))
            bound[-1].listen()  # who scans the code at once waits until the door answers
    except OSError:
        for one in bound:
            one.close()
        raise PhonePortTaken(port=port) from None
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"https://{host}:{port}"


def _fresh_certificate(hosts: Sequence[str]) -> ssl.SSLContext:
    from cryptography import x509  # only an invited phone needs it; it would weigh on every node
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=CERTIFICATE_DAYS))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(h)) for h in hosts]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    in_memory = os.memfd_create("certificate", os.MFD_CLOEXEC)  # the library takes files only
    try:
        os.write(in_memory, certificate.public_bytes(serialization.Encoding.PEM) + private)
        context.load_cert_chain(f"/proc/self/fd/{in_memory}")
    finally:
        os.close(in_memory)
    return context
