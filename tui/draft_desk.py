"""A draft in work: its form, its guide, what was typed, and the way each change takes to the node.

Laws:
- What is shown is what was typed, valid or not; the node keeps it the same way.
- A check made here is the node's own check, only sooner; the node's summary has the last word.
- Scans are on the node when they are shown here; nothing of a scan stays in this program.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from casework.application import Scan
from casework.catalog import ServiceItem
from casework.forms import Field, FieldProblem, Form, check_field, required, visible
from casework.materials import AUTHORIZATION, FIELD_PREFIX, Missing, Need, missing, needed
from casework.proxy import by_proxy
from tui.autosave import Autosave, Kept
from tui.counter_client import CounterClient
from tui.scan_folder import ScanFile
from wire.counter import DraftView, HandedInView, NoticeView, PhoneView, ReturnPointView, ScanView, Slip, Summary

T = TypeVar("T")


class Ask(Protocol):
    """A way to call the node that outlives a locked session."""

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T: ...


__all__ = ["AUTHORIZATION", "DraftDesk"]


class DraftDesk:
    """One open draft."""

    def __init__(
        self,
        client: CounterClient,
        ask: Ask,
        view: DraftView,
        form: Mapping[str, Any],
        item: Mapping[str, Any],
        told: Callable[[Kept], None] = lambda _: None,
        *,
        filed_scans: Sequence[ScanView] = (),
        notices: Sequence[NoticeView] = (),
    ) -> None:
        self._client = client
        self._ask = ask
        self.view = view
        self.raw_form = dict(form)
        self.form = Form.from_plain(self.raw_form)
        self.item = dict(item)
        self.service_item = ServiceItem.from_plain(self.item)
        self.values: dict[str, Any] = dict(view.values)
        self.handed_in: dict[str, HandedInView] = {held.material_id: held for held in view.handed_in}
        self.scans: list[ScanView] = list(view.scans)
        self.filed_scans = tuple(filed_scans)
        self.notices = tuple(notices)
        self.answers: dict[str, str] = dict(view.answers)
        self.attached: set[str] = set()
        self.autosave = Autosave(self._save, told)
        self.fields: dict[str, Field] = dict(self.form.by_id)
        self.labels: dict[str, str] = {field.id: field.label for field in self.fields.values()}

    @classmethod
    async def open(
        cls, client: CounterClient, ask: Ask, view: DraftView, told: Callable[[Kept], None] = lambda _: None
    ) -> "DraftDesk":
        """Fetch the form and the guide that the draft is pinned to."""
        form = await ask(lambda: client.form(view.form_id, view.catalog_version))
        guide = await ask(lambda: client.item(view.item_id, view.catalog_version))
        filed: Sequence[ScanView] = ()
        if (application_id := view.application_id) is not None:
            filed = (await ask(lambda: client.application(application_id))).scans
        return cls(client, ask, view, form, guide.item, told, filed_scans=filed, notices=guide.notices)

    # --- what was typed ---------------------------------------------------------------------------------------

    def put(self, field_id: str, value: object) -> None:
        """Another value for a field; None empties it."""
        if self.values.get(field_id) == value and type(self.values.get(field_id)) is type(value):
            return
        if value is None:
            self.values.pop(field_id, None)
        else:
            self.values[field_id] = value
        self.autosave.put("values", field_id, value)

    def hand_in(self, held: HandedInView) -> None:
        """What was said of a material, down to the first word."""
        if self.handed_in.get(held.material_id) != held:
            self.handed_in[held.material_id] = held
            self.autosave.put("handed_in", held.material_id, held.model_dump(mode="json"))

    def answer(self, ref: str, words: str) -> None:
        """What is said in answer to a point of a return."""
        self.answers[ref] = words
        self.autosave.put("answers", ref, words)

    async def _save(self, parts: dict[str, dict[str, Any]]) -> None:
        change: dict[str, Any] = dict(parts)
        if "handed_in" in change:
            change["handed_in"] = list(change["handed_in"].values())
        await self._ask(lambda: self._client.change_draft(self.view.draft_id, change))

    # --- what the form asks -----------------------------------------------------------------------------------

    def visible(self) -> set[str]:
        return set(visible(self.form, self.values))

    def required(self) -> set[str]:
        """The fields that must be filled, for the answers so far."""
        return set(required(self.form, self.values))

    def problem(self, field_id: str) -> FieldProblem | None:
        """What is wrong with a field now, by the node's own rules."""
        return check_field(self.form, field_id, self.values.get(field_id), self.values)

    def section_of(self, field_id: str) -> str | None:
        """The section in which a field stands."""
        for section in self.form.sections:
            if any(field.id == field_id for field in section.fields):
                return section.id
        return None

    @property
    def by_proxy(self) -> bool:
        return by_proxy(self.values)

    def needs(self) -> list[Need]:
        """What the guide asks for, for what was typed so far; file fields stand with the form's fields."""
        return [need for need in self._needs() if not need.material_id.startswith(FIELD_PREFIX)]

    def need(self, material_id: str) -> Need:
        """One thing the guide asks for; a file field of the form is one, too."""
        for need in self._needs():
            if need.material_id == material_id:
                return need
        field = self.fields.get(material_id.removeprefix(FIELD_PREFIX))
        return Need(material_id, field.label if field else material_id, "optional", form="electronic")

    def _needs(self) -> list[Need]:
        return needed(self.service_item, self.values, self.form)

    def missing(self) -> list[Missing]:
        """The materials that are still missing, by the node's own rules."""
        handed_in = [held for one in self.handed_in.values() if (held := one.handed_in())]
        applying = {one.material_id for one in self.handed_in.values() if one.applies}
        fresh = {one.material_id for one in self.scans}
        present = [*self.scans, *(one for one in self.filed_scans if one.material_id not in fresh)]
        scans = [Scan(one.scan_hash, one.length, one.media_type, one.material_id, one.page) for one in present]
        return missing(self.service_item, self.values, handed_in, scans, self.form, said_to_apply=applying)

    def points_on(self, ref: str) -> list[ReturnPointView]:
        """The points of the return that name a field or a material."""
        return [point for point in self.view.return_points if point.ref == ref]

    def is_open(self, ref: str) -> bool:
        """Does a point of the return name this, and has nothing been said or newly scanned for it yet?"""
        return bool(self.points_on(ref)) and not self.answers.get(ref) and not self.scans_of(ref)

    # --- scans ------------------------------------------------------------------------------------------------

    def scans_of(self, material_id: str) -> list[ScanView]:
        held = [scan for scan in self.scans if scan.material_id == material_id]
        return sorted(held, key=lambda scan: scan.page)

    def pages_filed(self, material_id: str) -> int:
        """Pages handed in before the return; new scans of the material take their place, all of them."""
        return sum(scan.material_id == material_id for scan in self.filed_scans)

    def pages(self, material_id: str) -> int:
        """The pages that count now."""
        return len(self.scans_of(material_id)) or self.pages_filed(material_id)

    async def attach(self, file: ScanFile, material_id: str) -> ScanView:
        """Give a file to the node as the next page of a material; a page that was taken away is given first."""
        taken = {scan.page for scan in self.scans_of(material_id)}
        page = next(number for number in range(1, len(taken) + 2) if number not in taken)
        scan: ScanView = await self._ask(lambda: self._client.attach_scan(self.view.draft_id, file, material_id, page))
        self.scans = [held for held in self.scans if held.scan_hash != scan.scan_hash] + [scan]
        self.attached.add(str(file.path))
        return scan

    async def detach(self, scan: ScanView) -> None:
        """Take a page away again."""
        await self._ask(lambda: self._client.remove_scan(self.view.draft_id, scan.scan_hash))
        self.scans = [held for held in self.scans if held is not scan]

    async def invite_phone(self, material_id: str) -> PhoneView:
        """Let a phone hand in pages of a material."""
        invited: PhoneView = await self._ask(lambda: self._client.invite_phone(self.view.draft_id, material_id))
        return invited

    async def end_phone(self) -> None:
        """No phone hands in anything any more."""
        await self._ask(self._client.end_phone)

    async def look_for_scans(self) -> None:
        """See which pages the node has by now."""
        view: DraftView = await self._ask(lambda: self._client.draft(self.view.draft_id))
        self.scans = list(view.scans)

    # --- the end ----------------------------------------------------------------------------------------------

    async def summary(self) -> Summary:
        """Everything that is still missing, as the node sees it."""
        found: Summary = await self._ask(lambda: self._client.summary(self.view.draft_id))
        return found

    async def collect(self) -> Slip:
        """Carry the act out: the node writes, signs and seals, then answers with the receipt."""
        slip: Slip = await self._ask(lambda: self._client.collect(self.view.draft_id))
        return slip
