"""The 收件单 on the screen, with its QR code: what the villager takes along.

Laws: it says that papers were taken in for delivery, never that the application was accepted; an unknown time limit
is told as such.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.city_clock import at_city
from tui.errand import errand
from tui.guide_words import limit_words
from tui.keymap import bindings_for
from tui.printer import PrinterRefused, print_text
from tui.qr import half_blocks
from tui.screens.counter_screen import CounterScreen
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import of, t
from wire.counter import Slip, SlipMaterial

NOT_HERE = ("to_be_verified", "deferred")


class SlipScreen(CounterScreen[None]):
    """A receipt; after collecting, leaving it leads home."""

    place = "slip"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("slip")

    def __init__(self, slip: Slip, *, answering: bool = False, fresh: bool = True) -> None:
        super().__init__()
        self.slip = slip
        self.answering = answering
        self.fresh = fresh

    def caption(self) -> str:
        return t("summary.answer") if self.answering else super().caption()

    def body(self) -> ComposeResult:
        with Horizontal():
            with ReadingScroll():
                yield Static(self._words(), markup=False)
            yield Static(Content("\n").join([Content(line) for line in half_blocks(self.slip.qr_text)]), id="qr")

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()
        if self.fresh:
            self.say(self._what_was_done(), "good")

    def _what_was_done(self) -> str:
        if self.counter.practice:
            return t("practice.saved")
        return t("slip.answered") if self.answering else t("slip.saved")

    def _words(self) -> Content:
        slip = self.slip
        lines = [
            Content.styled(slip.receipt_no, "bold"),
            Content(slip.item_name),
            Content(t("slip.applicant", name=slip.applicant_masked)),
            Content(t("slip.collected", at=f"{at_city(slip.collected_at):%Y-%m-%d %H:%M}")),
            Content(t("slip.by", site=slip.site_name, clerk=slip.clerk_name)),
            Content(self._limit()),
            Content.styled(t("slip.materials", count=len(slip.materials) - len(self._to_come())), "bold"),
        ]
        for number, material in enumerate(slip.materials, 1):
            how = of("seen", material.seen)
            pages = t("materials.pages", pages=material.pages) if material.pages else t("materials.no_page")
            here = t("slip.to_come") if material in self._to_come() else pages
            lines.append(Content(f"{number}. {material.name} · {how} · {here}"))
        if self.counter.practice:
            lines.insert(0, Content.styled(t("practice.void"), "bold reverse $text-warning"))
        if self.answering:
            lines.insert(0, Content.styled(t("slip.supplemented"), "bold $text-success"))
        if not self.counter.practice:  # nobody could be asked about it
            lines.append(Content(slip.query_hint or t("slip.query")))
        lines.append(Content.styled(t("slip.not_accepted"), "$text-warning"))
        return Content("\n").join(lines)

    def _to_come(self) -> list[SlipMaterial]:
        """Materials on the list of which nothing was taken in: no page, and not seen by anybody."""
        return [one for one in self.slip.materials if not one.pages and one.seen in NOT_HERE]

    def _limit(self) -> str:
        promised = self.slip.promised
        if promised is None or promised.value is None:
            return t("slip.limit_unknown")
        return t("guide.promised", limit=limit_words(promised.model_dump()))

    @errand("print")
    async def action_print(self) -> None:
        """Put it on paper, for the villager to take along."""
        if self.counter.practice:
            self.say(t("practice.not_printed"), "warning")
            return
        if not self.counter.print_command:
            self.say(t("slip.no_printer"), "warning")
            return
        self.say(t("slip.printing"))
        try:
            await print_text(self.counter.print_command, self._on_paper())
        except PrinterRefused:
            self.say(t("slip.not_printed"), "error")
            return
        self.say(t("slip.printed"), "good")

    def _on_paper(self) -> str:
        """The same words and the same code, one below the other."""
        code = "\n".join(half_blocks(self.slip.qr_text))
        return f"{t('slip.paper_title')}\n\n{self._words().plain}\n\n{code}\n"

    def action_back(self) -> None:
        self.dismiss(None)

    def action_go_home(self) -> None:
        if self.fresh:
            super().action_go_home()
        else:
            self.dismiss(None)
