"""One material of a draft: does it apply, how was it seen, how many copies, and its scanned pages.

Laws: how a paper was seen is what the agent says it was, nothing is filled in for them; a scan is shown only after
the node has sealed it.
"""

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from casework.forms import Form, check_field
from tui.draft_desk import AUTHORIZATION, DraftDesk
from tui.errand import errand
from tui.errors import CounterError
from tui.guide_words import copies_words
from tui.keymap import bindings_for
from tui.problems import problem_words
from tui.scan_folder import ScanFile, size_words
from tui.screens.choose import YES, confirm
from tui.screens.counter_screen import CounterScreen, sentence_of
from tui.screens.phone import PhoneScreen
from tui.screens.scan_picker import ScanPicker
from tui.widgets.editing import Done, Edited, Left
from tui.widgets.editor_for import editor_for
from tui.widgets.field_frame import FieldFrame, beside
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.quiet_scroll import QuietScroll
from tui.wording import of, t
from wire.counter import HandedInView

SEEN = ("original_seen", "copy", "electronic_licence", "to_be_verified")
ON_PAPER = ("original_seen", "copy")
DEFERRED = "deferred"
COPIES_MAX = 99
NOTE_MAX = 200  # characters, as the node takes them


class MaterialScreen(CounterScreen[None]):
    """Everything about one material."""

    place = "material"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("material")

    def __init__(self, desk: DraftDesk, material_id: str, *, scans: bool = False) -> None:
        super().__init__()
        self.scans_first = scans
        self.reminded = False
        self.desk = desk
        self.material_id = material_id
        self.need = desk.need(material_id)
        self.form = self._form()
        held = desk.handed_in.get(material_id)
        self.values: dict[str, Any] = held.model_dump() if held else {}
        self.values["copies"] = self.values.get("copies") or None
        if self.values.get("applies") is False:
            self.values["seen"] = None  # nobody looked at a paper that is not needed

    def caption(self) -> str:
        return self.need.name

    def body(self) -> ComposeResult:
        yield Static(self._what_is_wanted(), classes="sentence", markup=False)
        with QuietScroll():
            for field in self.form.by_id.values():
                yield FieldFrame(field, editor_for(field, self.values.get(field.id)))
            yield Static(t("material.pages"), classes="caption")
            yield NumberedList(empty=t("material.no_pages"))

    def _what_is_wanted(self) -> str:
        lines = [t("return.line", problem=p.problem, remedy=p.remedy) for p in self.desk.points_on(self.material_id)]
        if filed := self.desk.pages_filed(self.material_id):
            lines.append(t("material.replaces", pages=filed))
        if self.material_id == AUTHORIZATION:
            return "\n".join([t("material.authorization"), *lines])
        need = of("necessity", self.need.kind)
        if self.need.condition:
            need = t("guide.on_condition", condition=self.need.condition)
        wanted = copies_words(self.need.form, self.need.originals, self.need.copies)
        return "\n".join([t("material.wanted", need=need, form=wanted), *lines])

    def _form(self) -> Form:
        seen = [*ON_PAPER] if self.material_id == AUTHORIZATION else [*SEEN, *([DEFERRED] * self.need.deferrable)]
        plain: list[dict[str, Any]] = [
            {
                "id": "seen",
                "label": t("material.seen"),
                "type": "select",
                "required": True,
                "options": [[code, of("seen", code)] for code in seen],
                "help": t("material.seen_help"),
            },
            {
                "id": "copies",
                "label": t("material.copies"),
                "type": "number",
                "validation": {"min": 0, "max": COPIES_MAX, "scale": 0},
            },
            {"id": "note", "label": t("material.note"), "type": "text", "validation": {"max_length": NOTE_MAX}},
        ]
        if self.need.kind == "conditional":
            applies = {"id": "applies", "label": t("material.applies"), "type": "boolean", "required": True}
            plain.insert(0, applies)
        return Form.from_plain({"form_id": "material", "item_id": "", "sections": [{"id": "", "fields": plain}]})

    def on_mount(self) -> None:
        self._show_pages()
        self._show_applicable()
        self.query(FieldFrame).first().editor.focus()
        if self.scans_first:
            self.action_add_scan()

    @on(Left)
    def _left(self, event: Left) -> None:
        for frame in self.query(f"#field-{event.field_id}").results(FieldFrame):
            problem = check_field(self.form, frame.field.id, self.values.get(frame.field.id), self.values)
            wrong = problem is not None and problem.code != "form.required"
            frame.show_problem(problem_words(problem.code, problem.params) if problem and wrong else "")

    @on(Edited)
    def _edited(self, event: Edited) -> None:
        self.values[event.field_id] = event.value
        self._show_applicable()
        self._keep()

    def _keep(self) -> None:
        """Tell the draft what has been said so far."""
        copies = str(self.values.get("copies") or "")
        self.desk.hand_in(
            HandedInView(
                material_id=self.material_id,
                seen=self.values.get("seen"),
                applies=self.values.get("applies"),
                copies=int(copies) if copies.isdecimal() and int(copies) <= COPIES_MAX else 0,
                note=str(self.values.get("note") or "")[:NOTE_MAX],
            )
        )

    def _show_applicable(self) -> None:
        unused = self.values.get("applies") is False
        for frame in self.query(FieldFrame):
            frame.display = frame.field.id == "applies" or not unused

    def _show_pages(self) -> None:
        rows = [
            Row(
                scan.scan_hash,
                t("material.page", page=scan.page, kind=scan.media_type.split("/")[-1], size=size_words(scan.length)),
            )
            for scan in self.desk.scans_of(self.material_id)
        ]
        pages = self.query_one(NumberedList)
        pages.show(rows, keep=True)
        pages.styles.height = max(1, len(rows))

    @on(Done)
    def _done(self, event: Done) -> None:
        frame = beside(list(self.query(FieldFrame)), event.field_id, event.by)
        if frame is not None:
            self.set_focus(frame.editor)
        elif event.by > 0:
            self.query_one(NumberedList).focus()

    def action_add_scan(self) -> None:
        self.app.push_screen(ScanPicker(self.need.name, self.desk.attached), self._picked)

    def action_phone(self) -> None:
        self.app.push_screen(PhoneScreen(self.desk, self.material_id, self.need.name), lambda _: self._show_pages())

    def _picked(self, files: list[ScanFile] | None) -> None:
        if files:
            self.attach(files)

    @errand("attach")
    async def attach(self, files: list[ScanFile]) -> None:
        """Give the files to the node one after the other; the first failure is said and the rest is not tried."""
        for number, file in enumerate(files, 1):
            self.say(t("material.attaching", number=number, count=len(files), size=size_words(file.length)))
            try:
                await self.desk.attach(file, self.material_id)
            except (CounterError, OSError) as failure:
                words = sentence_of(failure) if isinstance(failure, CounterError) else t("material.unreadable")
                said = {"name": file.path.name, "why": words}
                rest = len(files) - number
                plain = t("material.not_attached", **said)
                self.say(t("material.not_attached_nor_rest", rest=rest, **said) if rest else plain, "error")
                self._show_pages()
                return
            self._show_pages()
        self.say(t("material.attached", count=len(files)), "good")

    @errand("attach")
    async def action_remove_scan(self) -> None:
        row = self.query_one(NumberedList).current
        scan = next((one for one in self.desk.scans if row and one.scan_hash == row.key), None)
        if scan is None:
            self.say(t("material.no_pages"), "warning")
            return
        question = confirm(t("material.remove_question", page=scan.page, name=self.need.name), t("material.remove"))
        if await self.app.push_screen_wait(question) != YES:
            return
        if await self.attempt(lambda: self.desk.detach(scan)) is not None:
            self._show_pages()
            self.say(t("material.removed", page=scan.page))

    def action_back(self) -> None:
        applies = self.values.get("applies")
        begun = applies is True or bool(self.desk.scans_of(self.material_id))
        if begun and applies is not False and self.values.get("seen") is None and not self.reminded:
            self.reminded = True
            self.say(t("material.say_how_seen"), "warning")
            for frame in self.query("#field-seen").results(FieldFrame):
                self.set_focus(frame.editor)
            return
        self.dismiss(None)
