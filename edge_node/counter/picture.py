"""Make a scan small enough for a village line, and clean.

Laws
- The content decides what a file is; its name and its declared type decide nothing.
- A picture is decoded once, already shrunk where the format allows it, turned upright, flattened on white, and written
  anew: no EXIF, no GPS, no thumbnail, no colour profile of the phone survives.
- Colour stays: seals are red. PDFs are kept byte for byte.
- Pixel counts are read from the header and capped before a pixel is decoded.
"""

from __future__ import annotations

import ctypes
import io
import struct
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from edge_node.counter.counter import MIB
from edge_node.counter.errors import ScanBroken, ScanEmpty, ScanHasTooManyPixels, ScanOfUnknownType, ScanTooLarge

IMAGE_MAX_BYTES = 20 * MIB
PDF_MAX_BYTES = 10 * MIB
SCAN_MAX_BYTES = max(IMAGE_MAX_BYTES, PDF_MAX_BYTES)
JPEG_MAX_PIXELS = 50_000_000
OTHER_MAX_PIXELS = 25_000_000
LONG_EDGE = 2000
QUALITY = 50
WEBP_EFFORT = 2
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")

Image.MAX_IMAGE_PIXELS = JPEG_MAX_PIXELS

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error, IndexError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class CleanScan:
    """A scan as it will be sealed."""

    data: bytes
    media_type: str


def media_type_of(head: bytes) -> str | None:
    """What the first bytes of a file say it is."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    return None


def clean(data: bytes | bytearray) -> CleanScan:
    """Shrink and clean one scan, or refuse it with the reason."""
    try:
        return _cleaned(data)
    finally:
        _give_memory_back()


def _give_memory_back() -> None:
    """The pixels of a picture are a tenth of a small machine's memory; the C library keeps them unless asked."""
    if _trim is not None:
        _trim(0)


def _cleaned(data: bytes | bytearray) -> CleanScan:
    if not data:
        raise ScanEmpty
    kind = media_type_of(bytes(data[:16]))
    if kind is None:
        raise ScanOfUnknownType(accepted=list(MEDIA_TYPES))
    limit = PDF_MAX_BYTES if kind == "application/pdf" else IMAGE_MAX_BYTES
    if len(data) > limit:
        raise ScanTooLarge(max_bytes=limit, max_mib=limit // MIB)
    if kind == "application/pdf":
        if b"%%EOF" not in data[-2048:]:
            raise ScanBroken
        return CleanScan(bytes(data), kind)
    return CleanScan(_shrunk(data, kind), "image/webp")


def _shrunk(data: bytes | bytearray, kind: str) -> bytes:
    wanted = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}[kind]
    try:
        with Image.open(io.BytesIO(data), formats=[wanted]) as picture:
            cap = JPEG_MAX_PIXELS if kind == "image/jpeg" else OTHER_MAX_PIXELS
            if picture.width * picture.height > cap:
                raise ScanHasTooManyPixels(max_megapixels=cap // 1_000_000)
            picture.draft("RGB", (LONG_EDGE, LONG_EDGE))
            picture.thumbnail((LONG_EDGE, LONG_EDGE), Image.Resampling.LANCZOS)
            upright = ImageOps.exif_transpose(picture)
            out = io.BytesIO()
            _on_white(upright).save(out, "WEBP", quality=QUALITY, method=WEBP_EFFORT)
            return out.getvalue()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ScanHasTooManyPixels(max_megapixels=JPEG_MAX_PIXELS // 1_000_000) from None
    except (UnidentifiedImageError, *_BROKEN):
        raise ScanBroken from None


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" in picture.getbands() or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        page = Image.new("RGB", rgba.size, "white")
        page.paste(rgba, mask=rgba.getchannel("A"))
        return page
    plain = picture.convert("RGB")
    plain.info.clear()
    return plain
