"""What a thief looks for: markers in every spelling, in every file, open file and command line of the programs."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from provisioning.demo_world import Program

ENCODINGS = ("utf-8", "gbk", "utf-16-le", "utf-16-be")


def spellings(marker: str | bytes) -> frozenset[bytes]:
    """Every way in which a marker may lie in a file."""
    if isinstance(marker, bytes):
        return frozenset({marker, marker.hex().encode(), *_base64(marker)})
    plain = [marker.encode(encoding) for encoding in ENCODINGS]
    inside_base64 = [piece for data in plain for piece in _base64(data)]
    escaped = json.dumps(marker)[1:-1].encode()
    return frozenset({*plain, *inside_base64, escaped, quote(marker).encode(), marker.encode().hex().encode()})


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters that are the same wherever in a base64 text the data begins."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        first = -(-shift * 8 // 6)
        last = (shift + len(data)) * 8 // 6
        yield encoded[first:last]
        yield encoded[first:last].replace(b"+", b"-").replace(b"/", b"_")


class Thief:
    """Looks for the same markers again and again."""

    def __init__(self, markers: Mapping[str, str | bytes]) -> None:
        self._spellings = {name: spellings(marker) for name, marker in markers.items()}

    def finds(self, *folders: Path, programs: Iterable[Program] = ()) -> dict[str, list[str]]:
        """Where each marker occurs; markers that occur nowhere are left out."""
        found: dict[str, list[str]] = {}
        for place, data in (*_files(folders), *_open_files(programs)):
            for name, written in self._spellings.items():
                if any(spelling in data for spelling in written):
                    found.setdefault(name, []).append(place)
        return found


def _files(folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        assert folder.is_dir(), folder
        for path in sorted(folder.rglob("*")):
            yield f"name {path}", str(path).encode()
            if path.is_file() and not path.is_symlink():
                yield str(path), path.read_bytes()


def _open_files(programs: Iterable[Program]) -> Iterator[tuple[str, bytes]]:
    """What running programs hold open, also when it was unlinked, and what they were started with."""
    for program in programs:
        assert program.process is not None, program.name
        here = Path(f"/proc/{program.process.pid}")
        yield f"{program.name} arguments", (here / "cmdline").read_bytes()
        yield f"{program.name} environment", (here / "environ").read_bytes()
        for opened in sorted((here / "fd").iterdir()):
            try:
                if stat.S_ISREG(opened.stat().st_mode):
                    yield f"{program.name} {opened.readlink()}", opened.read_bytes()
            except FileNotFoundError:
                continue
