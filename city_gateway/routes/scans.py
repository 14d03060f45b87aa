"""/v1/scans: tus 1.0 (creation, creation with upload, HEAD, PATCH with checksum, DELETE) named by hash, and ranged
GET for townships.

Laws: the node is proven before a byte is read; an offset is answered only after fsync; a cut request leaves what
arrived; one writer at a time, and who asks where the upload stands (POST, HEAD) ends a writer that hangs in a dead
connection.
"""

from __future__ import annotations

import base64
import binascii
import re

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from city_gateway.access import Signed, active_node, gateway_of, signed_node
from city_gateway.acts import lost_scans, uploads
from city_gateway.acts.reading_scans import readable_scan
from city_gateway.acts.uploads import Upload
from city_gateway.admission import Admission
from city_gateway.arrivals import ArrivalDesk
from city_gateway.errors import ScanBadRequest, ScanOffsetConflict, ScanRangeWrong, TusVersionWrong
from city_gateway.finishing import FinishingDesk
from city_gateway.routes.scan_writing import Writer, Writers, write_body

TUS_VERSION = "1.0.0"
OFFSET_TYPE = "application/offset+octet-stream"
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")

router = APIRouter(dependencies=[Depends(signed_node), Depends(active_node)])


@router.post("/v1/scans")
async def create(request: Request, signed: Signed) -> Response:
    """Announce a scan, and send its first bytes at once if there are any; says how far an earlier upload came."""
    _speaks_tus(request)
    name, length = _named(request), _number(request, "upload-length")
    await _writers(request).interrupt(signed.node_id, name)
    upload = await run_in_threadpool(uploads.begin, gateway_of(request), signed.node_id, name, length)
    reached = upload.offset
    _tell_if_whole(request, upload)
    if request.headers.get("content-type") == OFFSET_TYPE and not upload.whole and upload.offset == 0:
        with _writers(request).alone(signed.node_id, name) as writer:
            reached = await _take(request, upload, writer)
    return _tus(201, {"upload-offset": str(reached), "location": f"/v1/scans/{name}"})


@router.head("/v1/scans/{scan_hash}")
async def offset(request: Request, signed: Signed, scan_hash: str) -> Response:
    """How far the upload came."""
    _speaks_tus(request)
    await _writers(request).interrupt(signed.node_id, scan_hash)
    upload = await run_in_threadpool(uploads.find, gateway_of(request), signed.node_id, scan_hash)
    _tell_if_whole(request, upload)
    return _tus(200, {"upload-offset": str(upload.offset), "upload-length": str(upload.length)})


@router.patch("/v1/scans/{scan_hash}")
async def append(request: Request, signed: Signed, scan_hash: str) -> Response:
    """Add bytes at the offset."""
    _speaks_tus(request)
    if request.headers.get("content-type") != OFFSET_TYPE:
        raise ScanBadRequest(field="content-type")
    at, gateway = _number(request, "upload-offset"), gateway_of(request)
    with _writers(request).alone(signed.node_id, scan_hash) as writer:
        upload = await run_in_threadpool(uploads.find, gateway, signed.node_id, scan_hash)
        _tell_if_whole(request, upload)
        if upload.whole or upload.offset != at:
            raise ScanOffsetConflict(offset=upload.offset)
        reached = await _take(request, upload, writer)
    return _tus(204, {"upload-offset": str(reached)})


@router.delete("/v1/scans/{scan_hash}")
async def give_up(request: Request, signed: Signed, scan_hash: str) -> Response:
    """Give an unfinished upload up."""
    _speaks_tus(request)
    await _writers(request).interrupt(signed.node_id, scan_hash)
    await run_in_threadpool(uploads.drop, gateway_of(request), signed.node_id, scan_hash)
    return _tus(204)


@router.get("/v1/scans/{scan_hash}")
def fetch(request: Request, signed: Signed, scan_hash: str) -> Response:
    """A stored scan or a range of it, sealed as it is; the last byte goes out when the whole is what its name says."""
    gateway = gateway_of(request)
    length = readable_scan(gateway, signed.node_id, scan_hash)
    asked = request.headers.get("range")
    headers = {"accept-ranges": "bytes", "cache-control": "no-store"}
    if asked is None:
        whole = lost_scans.sound_pieces(gateway, scan_hash)
        headers["content-length"] = str(length)
        return StreamingResponse(whole, 200, headers, media_type="application/octet-stream")
    match = _RANGE.fullmatch(asked.strip())
    if match is None:
        raise ScanRangeWrong(length=length)
    first = int(match[1])
    end = min(int(match[2]) + 1 if match[2] else length, length)
    part = (
        lost_scans.sound_pieces(gateway, scan_hash, first, end)
        if end == length
        else gateway.scans.pieces(scan_hash, first, end)
    )
    if end <= first:
        raise ScanRangeWrong(length=length)
    headers |= {"content-range": f"bytes {first}-{end - 1}/{length}", "content-length": str(end - first)}
    return StreamingResponse(part, 206, headers, media_type="application/octet-stream")


async def _take(request: Request, upload: Upload, writer: Writer) -> int:
    """The body of this request onto the upload; of a scan that became whole the arrival is told."""
    desk: FinishingDesk = request.app.state.finishing
    admission: Admission = request.app.state.uploads
    async with admission.inside(upload.node_id) as here, here.at_work():
        written = await write_body(request, upload, _checksum(request), writer, desk)
    _tell_if_whole(request, written)
    return written.offset


def _tell_if_whole(request: Request, upload: Upload) -> None:
    """Also when it was whole before: a kill may have come between the finished scan and the telling."""
    if upload.whole:
        arrivals: ArrivalDesk = request.app.state.arrivals
        arrivals.arrived(upload.scan_hash)


def _writers(request: Request) -> Writers:
    writers: Writers = request.app.state.writers
    return writers


def _tus(status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(
        status_code=status, headers={"tus-resumable": TUS_VERSION, "cache-control": "no-store"} | (headers or {})
    )


def _speaks_tus(request: Request) -> None:
    if request.headers.get("tus-resumable") != TUS_VERSION:
        raise TusVersionWrong


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise ScanBadRequest(field=header)
    return int(text)


def _named(request: Request) -> str:
    """The scan's hash, the one entry of Upload-Metadata that is read."""
    for entry in request.headers.get("upload-metadata", "").split(","):
        key, _, value = entry.strip().partition(" ")
        if key == "hash":
            return _unb64(value, "upload-metadata").decode("ascii", "replace")
    raise ScanBadRequest(field="upload-metadata")


def _checksum(request: Request) -> bytes | None:
    said = request.headers.get("upload-checksum")
    if said is None:
        return None
    kind, _, value = said.partition(" ")
    if kind != "sha256":
        raise ScanBadRequest(field="upload-checksum")
    return _unb64(value, "upload-checksum")


def _unb64(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ScanBadRequest(field=field) from None
