"""GET /v1/catalog/metadata/... and /v1/catalog/targets/...: the published TUF repository, as files.

Public and unsigned by us: what makes them true is inside them. A file that publishing packed goes out packed.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from city_gateway.access import gateway_of
from city_gateway.errors import NotFound

PARTS = {"metadata", "targets"}
MEDIA_TYPE = "application/octet-stream"
ALWAYS_ASK = {"cache-control": "no-cache"}

router = APIRouter()


@router.get("/v1/catalog/{part}/{path:path}")
def get_file(request: Request, part: str, path: str) -> Response:
    """One file of the repository."""
    folder = gateway_of(request).folder.catalog / part
    asked = _inside(folder, path) if part in PARTS else None
    if asked is None:
        raise NotFound
    packed = asked.with_name(asked.name + ".gz")
    headers = ALWAYS_ASK | {"vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
        return FileResponse(packed, media_type=MEDIA_TYPE, headers=headers | {"content-encoding": "gzip"})
    return FileResponse(asked, media_type=MEDIA_TYPE, headers=headers)


def _inside(folder: Path, path: str) -> Path | None:
    """The file, if it lies in the folder and nowhere else."""
    try:
        found = (folder / path).resolve(strict=True)
    except (OSError, ValueError):
        return None
    return found if found.is_file() and found.is_relative_to(folder.resolve()) else None
