"""IPv4 and TCP as far as a line has to know them: whose packet it is, and how a connection is reset (RFC 791, 9293)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

TCP: Final = 6
RST_ACK: Final = 0x14
_IP = struct.Struct("!BBHHHBBH4s4s")
_TCP = struct.Struct("!HHIIBBHHH")
_METHODS: Final = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"PATCH ", b"OPTIONS ", b"DELETE ")


@dataclass(frozen=True, slots=True)
class Segment:
    """The head of one TCP packet."""

    source: bytes
    target: bytes
    source_port: int
    target_port: int
    seq: int
    ack: int
    flags: int
    length: int

    @property
    def connection(self) -> frozenset[tuple[bytes, int]]:
        """The connection it belongs to, the same from both ends."""
        return frozenset({(self.source, self.source_port), (self.target, self.target_port)})

    @property
    def opens(self) -> bool:
        """Whether it begins a connection."""
        return self.flags & 0x12 == 0x02


def segment_of(packet: bytes) -> Segment | None:
    """The TCP head of an IPv4 packet, or None when it is something else."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != TCP:
        return None
    begins = (packet[0] & 0x0F) * 4
    source_port, target_port, seq, ack, offset, flags, *_ = _TCP.unpack_from(packet, begins)
    length = len(packet) - begins - (offset >> 4) * 4
    return Segment(packet[12:16], packet[16:20], source_port, target_port, seq, ack, flags, length)


def begins_request(packet: bytes, segment: Segment) -> bool:
    """Whether the content of this packet is the beginning of an HTTP/1.1 request (RFC 9112 section 3)."""
    return segment.length > 0 and packet[-segment.length :].startswith(_METHODS)


def reset_of(heard: Segment) -> bytes:
    """The packet that resets the connection of `heard` at its sender: it has exactly the number it expects next."""
    end = heard.seq + heard.length & 0xFFFFFFFF
    tcp = _TCP.pack(heard.target_port, heard.source_port, heard.ack, end, 5 << 4, RST_ACK, 0, 0, 0)
    pseudo = heard.target + heard.source + struct.pack("!BBH", 0, TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", _checksum(pseudo + tcp)) + tcp[18:]
    ip = _IP.pack(0x45, 0, 20 + len(tcp), 0, 0, 64, TCP, 0, heard.target, heard.source)
    return ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:] + tcp


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
