"""The tus peer: the public server and client packages, each on one side of the line; runs in an environment of its own.

tus_peer.py serve HOST PORT FOLDER
tus_peer.py send URL SPOOL CONNECTIONS DONE
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from pathlib import Path

CHUNK = 256 * 1024
AGAIN_S = 1.0
ANSWER_S = 20.0  # the client itself waits for ever for an answer that a cut has swallowed; rsync is given as much


def serve(host: str, port: int, folder: Path) -> None:
    """Take uploads in."""
    import uvicorn
    from fastapi import FastAPI
    from tuspyserver import create_tus_router

    folder.mkdir(parents=True, exist_ok=True)
    app = FastAPI(telemetry={"auto_configure": False})
    app.include_router(create_tus_router(prefix="files", files_dir=str(folder)))
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning")


def send(url: str, spool: Path, connections: int, done: Path) -> None:
    """Send every file, the smallest first, over so many connections; a broken upload goes on where it was."""
    import requests
    from tusclient.client import TusClient

    patient = requests.Session.request
    requests.Session.request = lambda *given, **named: patient(*given, **{"timeout": ANSWER_S, **named})  # type: ignore[method-assign]
    waiting: queue.Queue[Path] = queue.Queue()
    for path in sorted(spool.iterdir(), key=lambda one: one.stat().st_size):
        waiting.put(path)

    def work() -> None:
        client = TusClient(url)
        while True:
            try:
                path = waiting.get_nowait()
            except queue.Empty:
                return
            where, named = None, {"filename": path.name, "filetype": "application/octet-stream"}
            while True:
                try:
                    uploader = client.uploader(str(path), chunk_size=CHUNK, url=where, metadata=named)
                    where = uploader.url or where
                    uploader.upload()
                    break
                except Exception:  # noqa: BLE001 - whatever broke, the line may be back in a second
                    where = getattr(locals().get("uploader"), "url", None) or where
                    time.sleep(AGAIN_S)

    workers = [threading.Thread(target=work) for _ in range(connections)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    done.touch()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
    else:
        send(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
