"""Photograph the papers with a phone: its camera reads the code, its pages arrive here.

Laws: the phone is invited while this screen is in front and for a few minutes at most; what arrived is what the node
says it has; leaving the screen ends the invitation.
"""

from typing import ClassVar
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui.draft_desk import DraftDesk
from tui.errand import errand
from tui.keymap import bindings_for
from tui.qr import half_blocks
from tui.screens.counter_screen import CounterScreen
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import t
from wire.counter import PhoneView

LOOK_SECONDS = 2.0


class PhoneScreen(CounterScreen[None]):
    """One material's invitation."""

    place = "phone"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("phone")

    def __init__(self, desk: DraftDesk, material_id: str, name: str) -> None:
        super().__init__()
        self.desk = desk
        self.material_id = material_id
        self.material_name = name
        self.invited: PhoneView | None = None
        self.address = 0
        self._ending: Timer | None = None
        self.before = len(desk.scans_of(material_id))

    def caption(self) -> str:
        return self.material_name

    def body(self) -> ComposeResult:
        with Horizontal():
            with ReadingScroll():
                yield Static("", id="how", markup=False)
            yield Static("", id="qr")

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()
        self.set_interval(LOOK_SECONDS, self.look)
        self.invite()

    @errand("invite")
    async def invite(self) -> None:
        """Ask the node to open its door for a phone."""
        given = await self.attempt(lambda: self.desk.invite_phone(self.material_id))
        if given is not None:
            self.invited, self.address = given.value, 0
            self._show()
            if self._ending is not None:
                self._ending.stop()
            self._ending = self.set_timer(given.value.seconds, self._over)

    @errand("look")
    async def look(self) -> None:
        """See what has arrived; nothing is asked any more when the invitation is over."""
        if self.invited is None:
            return
        given = await self.attempt(self.desk.look_for_scans)
        if given is not None and (arrived := self._arrived()):
            self.say(t("phone.arrived", count=arrived), "good")

    def _over(self) -> None:
        self.invited = None
        self._show()
        self.say(t("phone.over"), "warning")

    def _arrived(self) -> int:
        return len(self.desk.scans_of(self.material_id)) - self.before

    def _show(self) -> None:
        code = self.query_one("#qr", Static)
        code.display = self.invited is not None
        if self.invited is None:
            self.query_one("#how", Static).update(t("phone.again"))
            return
        url = self.invited.urls[self.address]
        place = urlsplit(url).netloc
        lines = [t("phone.how"), t("phone.until", minutes=round(self.invited.seconds / 60)), t("phone.where", at=place)]
        if len(self.invited.urls) > 1:
            lines.append(t("phone.other", number=self.address + 1, count=len(self.invited.urls)))
        self.query_one("#how", Static).update("\n\n".join(lines))
        code.update(Content("\n").join([Content(line) for line in half_blocks(url, error="l")]))

    def action_other_address(self) -> None:
        """This machine is in several networks: the code for the next one."""
        if self.invited is not None:
            self.address = (self.address + 1) % len(self.invited.urls)
            self._show()

    def action_reload(self) -> None:
        """Invite anew: the code before is void."""
        self.say("")
        self.invite()

    def action_back(self) -> None:
        self.leave()

    @errand("end")
    async def leave(self) -> None:
        """Take the invitation back, and what arrived along."""
        await self.attempt(self.desk.look_for_scans)
        await self.attempt(self.desk.end_phone)
        self.dismiss(None)
