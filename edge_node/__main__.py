"""`python -m edge_node --root DIR [--page HOST:PORT]` serves one node until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_node.app import compose, counter_app, machine_clock
from edge_node.listening import AlreadyRunning, counter_socket, page_socket, serve, sole_process
from edge_node.routes.page_index import page_app
from edge_node.settings import read_settings
from offline_store.desk.keyring import machine_key
from offline_store.errors import StoreError
from offline_store.paths import NodePaths

LOCK = "edge_node.lock"


def main(
    root: Annotated[Path, typer.Option(help="The node's folder.")],
    page: Annotated[str, typer.Option(help="HOST:PORT of the township page; empty for none.")] = "",
) -> None:
    """Serve the counter on its Unix socket, and the page on the LAN if asked for."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    paths = NodePaths(root)
    try:
        with sole_process(paths.counter_socket.parent / LOCK):
            _serve(paths, page)
    except (StoreError, AlreadyRunning) as refused:
        typer.echo(f"edge_node: {getattr(refused, 'code', 'already_running')}: {refused}", err=True)
        raise typer.Exit(1) from None


def _serve(paths: NodePaths, page: str) -> None:
    node = compose(paths, read_settings(paths.settings), machine_key(), machine_clock())
    doors = [(counter_app(node.counter), counter_socket(paths.counter_socket))]
    if page:
        host, _, port = page.rpartition(":")
        doors.append((page_app(node.counter), page_socket(host, int(port))))
    node.mail.start()
    try:
        asyncio.run(serve(doors))
    finally:
        node.mail.stop()
        node.counter.desk.close()


if __name__ == "__main__":
    typer.run(main)
