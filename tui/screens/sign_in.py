"""Sign-in: who is at the counter. Works without a line; the node checks the passphrase itself."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.screens.home import HomeScreen
from tui.screens.recovery import shown_for
from tui.widgets.editing import Done
from tui.widgets.text_editor import TextEditor
from tui.wording import of, t
from wire.practice import WANTS_PRACTICE


class SignInScreen(CounterScreen[None]):
    """The first screen."""

    place = "sign_in"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("sign_in")

    def body(self) -> ComposeResult:
        yield Static("", id="locked", classes="sentence", markup=False)
        yield Static(t("sign_in.clerk"), classes="caption")
        yield TextEditor("clerk", "text", "")
        yield Static(t("sign_in.passphrase"), classes="caption")
        yield TextEditor("passphrase", "text", "", password=True)

    def on_mount(self) -> None:
        self.query(TextEditor).first().focus()

    def show_standing(self) -> None:
        super().show_standing()
        for line in self.query("#locked").results(Static):
            line.update(t("sign_in.node_locked") if self.counter.node_locked else "")
            line.display = self.counter.node_locked

    @on(Done)
    def _done(self, event: Done) -> None:
        clerk, passphrase = self.query(TextEditor)
        if event.entered and event.field_id == "passphrase":
            self.action_send()
        else:
            self.set_focus(passphrase if event.by > 0 else clerk)

    @errand("sign-in")
    async def action_send(self) -> None:
        clerk_field, passphrase_field = self.query(TextEditor)
        clerk_id, passphrase = clerk_field.value.strip(), passphrase_field.value
        if not clerk_id or not passphrase:
            self.say(t("sign_in.both"), "warning")
            return
        passphrase_field.value = ""
        self.say(t("sign_in.checking"))
        given = await self.attempt_without_lock(lambda: self.counter.client.sign_in(clerk_id, passphrase))
        if given is None:
            passphrase_field.focus()
            return
        self.say("")
        self.counter.clerk = given.value.clerk
        await self.app.push_screen(HomeScreen(), self._came_back)

    @errand("forgot")
    async def action_forgot(self) -> None:
        clerk_field, passphrase_field = self.query(TextEditor)
        clerk_id = clerk_field.value.strip()
        if self.counter.node_locked:
            self.say(t("sign_in.forgot_locked"), "warning")
            return
        if not clerk_id:
            self.say(t("sign_in.whose"), "warning")
            clerk_field.focus()
            return
        passphrase_field.value = ""
        self.say("")
        recovery = await shown_for(self, clerk_id)
        if recovery is not None and await self.app.push_screen_wait(recovery):
            self.say(t("recovery.done"), "good")
            passphrase_field.focus()

    def _came_back(self, _: None) -> None:
        self.counter.clerk = None
        self.show_standing()
        self.query(TextEditor).first().focus()

    def keys_shown(self) -> list[tuple[str, str]]:
        """Practice is offered only where somebody begins it when this program ends for it."""
        practise = of("key", "practise")
        return [one for one in super().keys_shown() if self.counter.offers_practice or one[1] != practise]

    def action_practise(self) -> None:
        if self.counter.offers_practice:
            self.app.exit(return_code=WANTS_PRACTICE)

    def action_back(self) -> None:
        """There is nothing behind the first screen."""
