"""The bar that never lies: line, backlog, last receipt, clock, catalog.

Laws: when the node does not answer, nothing of its last answer is shown; unknown is shown as unknown; sent is not
the same as confirmed, so the backlog counts until the city's signed receipt is here.
"""

from datetime import datetime

from textual.content import Content
from textual.widget import Widget

from tui.city_clock import at_city
from tui.columns import shorten
from tui.keymap import LINE
from tui.wording import of, t
from wire.counter import StatusBar

KIB = 1024


class StandingBar(Widget):
    """One line of standing."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: StatusBar | None = None
        self.away_since: datetime | None = None
        self.explained = False
        self.locked = False

    def show(
        self,
        standing: StatusBar | None,
        away_since: datetime | None,
        *,
        explained: bool = False,
        locked: bool = False,
    ) -> None:
        """Show how things stand, or that nobody answers; `explained` says that a key explains it, `locked` that the
        node waits for a passphrase."""
        self.explained, self.locked = explained, locked
        self.standing, self.away_since = standing, away_since
        self.set_class(away_since is not None, "away")
        self.set_class(standing is not None and standing.practice, "practice")
        self.refresh()

    def render(self) -> Content:
        width = self.size.width - 2
        if self.away_since is not None:
            return Content(" " + shorten(t("status.away", since=f"{at_city(self.away_since):%H:%M:%S}"), width))
        if self.standing is None:
            words = t("status.node_locked") if self.locked else t("status.asking")
            return Content(" " + shorten(words, width))
        key = f"{LINE.shown} " if self.explained and not self.standing.practice else ""
        words = shorten(" │ ".join(parts_of(self.standing)), width - len(key))
        return Content.assemble(" ", (key, "bold $text-accent"), words)


def parts_of(standing: StatusBar) -> list[str]:
    """The parts of the bar, most important first; the bar is cut from the right."""
    if standing.practice:
        return [t("practice.bar"), of("clock", standing.clock_confidence), _catalog(standing)]
    parts = [f"{of('line', standing.line)} {_since(standing)}".strip(), _backlog(standing), _receipt(standing)]
    parts += [of("clock", standing.clock_confidence), _catalog(standing)]
    alarms = [of("alarm", alarm) for alarm in standing.alarms]
    return alarms[:1] + parts if alarms else parts


def _since(standing: StatusBar) -> str:
    if standing.line == "up" or standing.line_since is None:
        return ""
    since = at_city(standing.line_since)
    today = since.date() == at_city(standing.now).date()
    return f"{since:%H:%M}" if today else f"{since:%m-%d}"


def _backlog(standing: StatusBar) -> str:
    if not standing.backlog_ops and not standing.backlog_scans:
        return t("status.nothing_waiting")
    size = standing.backlog_bytes / KIB
    words = f"{size / KIB:.1f}M" if size >= KIB else f"{max(1, round(size))}K" if size else "0K"
    return t("status.waiting", ops=standing.backlog_ops, scans=standing.backlog_scans, size=words)


def _receipt(standing: StatusBar) -> str:
    if standing.last_receipt_at is None:
        return t("status.no_receipt")
    at = at_city(standing.last_receipt_at)
    today = at.date() == at_city(standing.now).date()
    return t("status.receipt", at=f"{at:%H:%M}" if today else f"{at:%m-%d}")


def _catalog(standing: StatusBar) -> str:
    if standing.catalog_version is None:
        return t("status.no_catalog")
    if standing.catalog_age_days is None:
        return t("status.catalog_age_unknown", version=standing.catalog_version)
    if standing.catalog_expired:
        return t("status.catalog_expired", version=standing.catalog_version, days=standing.catalog_age_days)
    return t("status.catalog", version=standing.catalog_version, days=standing.catalog_age_days)
