"""Nothing in the gateway opens the folder of finished scans but the room that keeps them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

GATEWAY = Path(__file__).parents[2] / "city_gateway"
ROOM = GATEWAY / "scan_store"
KEPT = frozenset({"scans", "scans_damaged"})


def reaching_into_the_folder(source: str) -> Iterator[int]:
    """Lines that take `.scans` or `.scans_damaged` of a gateway's folder, or build its path by hand."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in KEPT and _is_folder(node.value):
            yield node.lineno
        match node:
            case ast.BinOp(op=ast.Div(), right=ast.Constant("scans" | "scans-damaged")):
                yield node.lineno


def _is_folder(value: ast.expr) -> bool:
    """`folder`, `gateway.folder`, `GatewayFolder(...)`."""
    match value:
        case ast.Name(name) | ast.Attribute(attr=name):
            return "folder" in name.lower()
        case ast.Call(func=ast.Name(name)):
            return name == "GatewayFolder"
    return False


def test_only_the_room_of_scans_opens_their_folder() -> None:
    allowed = {GATEWAY / "folder.py", GATEWAY / "backup" / "shelf.py", *ROOM.rglob("*.py")}
    found = [
        f"{path.relative_to(GATEWAY)}:{line}"
        for path in sorted(GATEWAY.rglob("*.py"))
        if path not in allowed
        for line in reaching_into_the_folder(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "(gateway.folder.scans / name).read_bytes()",
        "folder.scans_damaged.iterdir()",
        "GatewayFolder(root).scans",
        "open(root / 'scans' / name)",
        "self._gateway.folder.scans",
    ],
)
def test_whoever_reaches_around_it_is_seen(line: str) -> None:
    assert list(reaching_into_the_folder(line)) == [1]


def test_what_is_no_folder_of_the_gateway_is_let_be() -> None:
    assert list(reaching_into_the_folder("gateway.scans.sound(name)\nshelf.scans\nfolder.scan_parts\n")) == []
