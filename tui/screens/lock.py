"""The locked screen: covers everything, keeps everything. The same clerk's passphrase opens it.

When the session itself is gone (the node was restarted) the same passphrase signs in again; what lies below goes on.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tui.errand import errand
from tui.errors import CounterError, Refused, SessionOver
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen, Given, sentence_of
from tui.screens.recovery import shown_for
from tui.widgets.editing import Done
from tui.widgets.text_editor import TextEditor
from tui.wording import t
from wire.practice import PASSPHRASE

NOT_THE_CLERK = "sign_in.refused"  # a code


class LockScreen(CounterScreen[None]):
    """Asks for the passphrase of the clerk who is working here."""

    place = "lock"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("lock")

    def body(self) -> ComposeResult:
        clerk = self.counter.clerk
        name = clerk.name if clerk else ""
        why = t("lock.why_over", clerk=name) if self.counter.session_lost else t("lock.why", clerk=name)
        yield Static(why, classes="sentence", markup=False)
        if self.counter.practice:
            yield Static(t("practice.passphrase", passphrase=PASSPHRASE), classes="warning", markup=False)
        yield Static(t("sign_in.passphrase"), classes="caption")
        yield TextEditor("passphrase", "text", "", password=True)

    def on_mount(self) -> None:
        self.query_one(TextEditor).focus()

    @on(Done)
    def _done(self, event: Done) -> None:
        if event.entered:
            self.action_send()

    @errand("unlock")
    async def action_send(self) -> None:
        editor = self.query_one(TextEditor)
        typed, editor.value = editor.value, ""
        if not typed:
            return
        self.say(t("sign_in.checking"))
        if isinstance(await self.attempt_here(typed), Given):
            self.dismiss(None)
            self.counter.opened()

    @errand("forgot")
    async def action_forgot(self) -> None:
        clerk, editor = self.counter.clerk, self.query_one(TextEditor)
        editor.value = ""
        self.say("")
        if self.counter.practice:
            self.say(t("practice.passphrase", passphrase=PASSPHRASE), "warning")
            return
        recovery = await shown_for(self, clerk.id) if clerk is not None else None
        if recovery is not None and await self.app.push_screen_wait(recovery):
            self.say(t("recovery.done"), "good")
            editor.focus()

    async def attempt_here(self, passphrase: str) -> Given[None] | None:
        """Unlock, or sign in again when the session is gone; never waits for itself."""
        client, clerk = self.counter.client, self.counter.clerk

        async def open_again() -> None:
            if clerk is None:
                raise SessionOver
            if self.counter.session_lost:
                await client.sign_in(clerk.id, passphrase)
                return
            try:
                await client.unlock(passphrase)
            except SessionOver:
                self.counter.session_lost = True
                await client.sign_in(clerk.id, passphrase)

        try:
            await open_again()
            return Given(None)
        except CounterError as failure:
            # The node's sentence speaks of a clerk's id, too, which is not asked for here.
            wrong = isinstance(failure, Refused) and failure.reason == NOT_THE_CLERK
            self.say(t("lock.wrong") if wrong else sentence_of(failure), "error")
            return None
