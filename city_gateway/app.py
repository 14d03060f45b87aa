"""The composition root: one application from a gateway, its background tasks, and the doors.

Laws: clock, chance and settings enter here and nowhere below; what a crash left half done is found again before the
first request; background work is bounded and never ends the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from casework.identifiers import mask_name
from casework.working_days import CITY_TIME
from city_gateway import faults
from city_gateway.access import KnownNodes, NonceWindow
from city_gateway.acts import arrival, automatic, parking, pieces, uploads
from city_gateway.acts.gateway import DictionaryShelf, Gateway, LedgerRegister, Register
from city_gateway.acts.platform_port import BackOfficePort, PlatformPort, deliver_promised
from city_gateway.admission import UPLOADS, Admission, GuessLimit
from city_gateway.arrivals import ArrivalDesk
from city_gateway.catalog.carrying import release_for
from city_gateway.catalog.errors import CatalogError
from city_gateway.catalog.mark import catalog_mark
from city_gateway.catalog.repository import Repository, first_root
from city_gateway.catalog.revocations import Revocations
from city_gateway.errors import ScanStoreAway
from city_gateway.finishing import FinishingDesk
from city_gateway.folder import GatewayFolder
from city_gateway.keys import load_keys
from city_gateway.ledger import feeds
from city_gateway.ledger.database import open_ledger
from city_gateway.news import NewsDesk, pause
from city_gateway.routes import catalog, console, courier, enrolment, exchange, figures, health, office, scans
from city_gateway.routes.scan_writing import Writers
from city_gateway.scan_store.opening import open_store
from city_gateway.wording import LANGUAGE, say, sentences

LOG = logging.getLogger("city_gateway")
ROOM = Path(__file__).parent
MAX_BODY_BYTES = 80 * 1024 * 1024
PLATFORM_ROUND_S = 5.0
MISSED_ROUND_S = 60.0
AUTOMATIC_ROUND_S = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line decides."""

    database: str
    folder: Path
    public_url: str
    automatic_rulings: timedelta | None = None
    scans: str | None = None


def now_utc() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def open_gateway(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = now_utc,
    randomness: Callable[[int], bytes] = os.urandom,
    register: Register | None = None,
) -> Gateway:
    """Open keys, ledger and folder."""
    folder = GatewayFolder(settings.folder)
    keys = load_keys(folder.keys)
    folder.create()
    return Gateway(
        ledger=open_ledger(settings.database, now=clock(), randomness=randomness),
        keys=keys,
        folder=folder,
        scans=open_store(settings.scans, folder, keys.gateway_id),
        public_url=settings.public_url,
        clock=clock,
        randomness=randomness,
        dictionaries=DictionaryShelf(lambda: published_dictionaries(settings.folder)),
        first_root=lambda: first_root(settings.folder),
        register=register or LedgerRegister(),
        revoked=Revocations(settings.folder),
        carried_catalog=lambda county, held: release_for(settings.folder, county, held),
    )


def build_app(
    gateway: Gateway,
    *,
    automatic_rulings: timedelta | None = None,
    port: PlatformPort | None = None,
) -> FastAPI:
    """The application around a gateway; it closes the ledger at its end."""
    desk = NewsDesk(lambda node_ids: _feed_ends(gateway, node_ids), lambda: catalog_mark(gateway.folder.catalog))
    gateway = replace(gateway, news=desk.tell)
    arrivals = ArrivalDesk(lambda names: _share(gateway, names))

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(uploads.finish_complete, gateway)
        with contextlib.suppress(ScanStoreAway):  # the rounds below try it again
            await run_in_threadpool(arrival.share_missed, gateway)
        stop = asyncio.Event()
        rounds = [
            _rounds(stop, PLATFORM_ROUND_S, lambda: deliver_promised(gateway, port or BackOfficePort())),
            _rounds(stop, MISSED_ROUND_S, lambda: parking.unpark_missed(gateway)),
            _rounds(stop, MISSED_ROUND_S, lambda: arrival.share_missed(gateway)),
            _rounds(stop, MISSED_ROUND_S, lambda: pieces.forget_whole(gateway)),
            _rounds(stop, MISSED_ROUND_S, gateway.scans.look_for_lost),
            desk.watch(stop),
            arrivals.work(stop),
        ]
        if automatic_rulings is not None:
            waited = automatic_rulings
            rounds.append(_rounds(stop, AUTOMATIC_ROUND_S, lambda: automatic.rule_waiting(gateway, waited=waited)))
        tasks = [asyncio.create_task(one) for one in rounds]
        try:
            yield
        finally:
            stop.set()  # not cancelled: a transaction that a thread is in ends first
            await asyncio.gather(*tasks, return_exceptions=True)
            gateway.ledger.close()

    app = FastAPI(
        title="city gateway",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"auto_configure": False},
        max_body_size=MAX_BODY_BYTES,
    )
    app.state.gateway = gateway
    app.state.nonces = NonceWindow()
    app.state.known_nodes = KnownNodes(gateway)
    app.state.exchanges = Admission(gateway.randomness)
    app.state.uploads = Admission(gateway.randomness, UPLOADS)
    app.state.guesses = GuessLimit()
    app.state.news = desk
    app.state.writers = Writers()
    app.state.arrivals = arrivals
    app.state.finishing = FinishingDesk(lambda group: uploads.finish_all(gateway, group))
    app.state.templates = _templates()
    faults.install(app)
    for door in (health, enrolment, exchange, courier, scans, catalog, office, console, figures):
        app.include_router(door.router)
    app.mount("/office/static", StaticFiles(directory=ROOM / "static"))
    return app


def published_dictionaries(folder: Path) -> Mapping[int, bytes]:
    """Every compression dictionary of the published catalog, by number."""
    repository = Repository(folder)
    try:
        published = repository.published()
        index = repository.target(published, "catalog.json")
        if index is None:
            return {}
        named = json.loads(index)["dictionary"]
        return {entry["id"]: repository.target(published, entry["path"]) or b"" for entry in [named, *named["older"]]}
    except CatalogError:
        return {}


def _feed_ends(gateway: Gateway, node_ids: Iterable[str]) -> dict[str, int]:
    """Nothing, when the ledger does not answer: held requests then wait for their time to be over."""
    try:
        with gateway.ledger.reading() as tx:
            return feeds.ends(tx, node_ids)
    except Exception as error:  # noqa: BLE001 - the watch goes on
        LOG.warning("background", extra={"error": type(error).__name__})
        return {}


def _share(gateway: Gateway, scan_hashes: Sequence[str]) -> bool:
    try:
        arrival.share_scans(gateway, scan_hashes)
    except Exception as error:  # noqa: BLE001 - they stay with the desk, which tries again
        LOG.warning("background", extra={"error": type(error).__name__})
        return False
    return True


async def _rounds(stop: asyncio.Event, pause_s: float, work: Callable[[], int]) -> None:
    while not stop.is_set():
        try:
            await run_in_threadpool(work)
        except Exception as error:  # noqa: BLE001 - whatever one round came to, the next one is tried
            LOG.warning("background", extra={"error": type(error).__name__})
        await pause(stop, pause_s)


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(say=say, mask_name=mask_name, moment=_moment, unknown=_unknown, alarm=_alarm)
    return environment


def _moment(at: datetime | None) -> str:
    return at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M") if at else say("answer.unknown")


def _alarm(code: str) -> str:
    """What a node calls wrong; one of a newer program is shown by its code."""
    return say(f"alarm.{code}") if f"alarm.{code}" in sentences(LANGUAGE) else code


def _unknown(value: object) -> object:
    return say("answer.unknown") if value in {None, ""} else value
