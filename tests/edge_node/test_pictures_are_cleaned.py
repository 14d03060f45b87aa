"""What leaves the scanner: small, upright, without a trace of the phone, or refused with its own reason."""

import io
import struct
import zlib

import pytest
from PIL import Image

from edge_node.counter.errors import ScanBroken, ScanEmpty, ScanHasTooManyPixels, ScanOfUnknownType, ScanTooLarge
from edge_node.counter.picture import IMAGE_MAX_BYTES, LONG_EDGE, OTHER_MAX_PIXELS, PDF_MAX_BYTES, clean, media_type_of

pytestmark = pytest.mark.fast

ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def picture(size=(640, 480), colour=(200, 30, 40), kind="JPEG", mode="RGB", **options) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_picture_format_becomes_webp(kind):
    scan = clean(picture(kind=kind))
    assert scan.media_type == "image/webp"
    assert opened(scan.data).size == (640, 480)


def test_a_long_edge_is_shrunk_and_the_shape_kept():
    width, height = opened(clean(picture((4000, 3000))).data).size
    assert max(width, height) == LONG_EDGE
    assert abs(width / height - 4 / 3) < 0.01


def test_nothing_the_phone_wrote_survives():
    exif = Image.Exif()
    exif[MAKE] = "A PHONE"
    exif[GPS] = {1: "N", 2: (30.0, 27.0, 0.0)}
    data = picture(exif=exif, icc_profile=b"a colour profile", comment=b"a remark")
    assert b"A PHONE" in data
    scan = clean(data)
    assert not opened(scan.data).getexif()
    for trace in (b"A PHONE", b"a colour profile", b"a remark", b"EXIF", b"ICCP"):
        assert trace not in scan.data


def test_a_picture_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    assert opened(clean(picture((600, 400), exif=exif)).data).size == (400, 600)


def test_a_red_seal_stays_red():
    red, green, blue = opened(clean(picture()).data).convert("RGB").getpixel((300, 200))
    assert red > 150
    assert max(green, blue) < 90


def test_what_was_transparent_becomes_white_paper():
    data = picture(mode="RGBA", colour=(0, 0, 0, 0), kind="PNG")
    assert min(opened(clean(data).data).convert("RGB").getpixel((10, 10))) > 250


def test_a_pdf_is_kept_byte_for_byte():
    scan = clean(PDF)
    assert (scan.data, scan.media_type) == (PDF, "application/pdf")


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(50), b"<svg onload=1>", b"PK\x03\x04" + bytes(50), b"\x00" * 40])
def test_the_content_decides_and_other_kinds_are_refused(data):
    assert media_type_of(data) is None
    with pytest.raises(ScanOfUnknownType):
        clean(data)


def test_an_empty_scan_is_refused():
    with pytest.raises(ScanEmpty):
        clean(b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.97])
def test_a_torn_picture_is_refused(kind, part):
    whole = Image.effect_noise((400, 300), 90).convert("RGB")
    out = io.BytesIO()
    whole.save(out, kind)
    with pytest.raises((ScanBroken, ScanOfUnknownType)):
        clean(out.getvalue()[: int(len(out.getvalue()) * part)])


def test_a_torn_pdf_is_refused():
    with pytest.raises(ScanBroken):
        clean(PDF[:20])


def test_a_picture_over_the_cap_is_refused_by_size():
    with pytest.raises(ScanTooLarge) as refusal:
        clean(picture() + bytes(IMAGE_MAX_BYTES))
    assert refusal.value.params["max_bytes"] == IMAGE_MAX_BYTES


def test_a_pdf_over_the_cap_is_refused_by_size():
    with pytest.raises(ScanTooLarge) as refusal:
        clean(PDF + bytes(PDF_MAX_BYTES))
    assert refusal.value.params["max_bytes"] == PDF_MAX_BYTES


def png_that_says(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(5001, 5000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_pixel_bomb_is_refused_before_a_pixel_is_decoded(size):
    assert size[0] * size[1] > OTHER_MAX_PIXELS
    with pytest.raises(ScanHasTooManyPixels):
        clean(png_that_says(*size))


def test_a_huge_jpeg_header_is_refused():
    data = bytearray(picture((64, 64)))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(ScanHasTooManyPixels):
        clean(bytes(data))
