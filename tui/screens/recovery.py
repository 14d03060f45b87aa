"""A forgotten passphrase: the digits to read out over the telephone, the digits read back, and a new passphrase.

Laws: the challenge stands large and in groups, above everything; a mistyped group is told as soon as its field is left,
before anything is sent; the passphrases are emptied after every refusal, the answer stays to be mended; who is told to
type a passphrase again stands where it is not shown.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from tui.errand import errand
from tui.errors import CounterError, Refused
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen, sentence_of
from tui.widgets.editing import Done
from tui.widgets.text_editor import TextEditor
from tui.wording import t
from wire.counter import RecoveryView
from wire.errors import DigitsMissing, DigitsMistyped, OtherDigits
from wire.spoken_digits import SpokenKind, read_digits

GROUP_CELLS = 16
FIELDS = ("answer", "passphrase", "again")
TOO_SHORT = "recovery.too_short"


class RecoveryScreen(CounterScreen[bool]):
    """Dismissed with True when the new passphrase is set."""

    place = "recovery"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("recovery")

    def __init__(self, shown: RecoveryView) -> None:
        super().__init__()
        self.shown = shown

    def body(self) -> ComposeResult:
        standing = self.counter.standing
        site = standing.site_name if standing else ""
        yield Static(t("recovery.call", site=site, clerk=self.shown.clerk), classes="sentence", markup=False)
        yield Static(self._groups(), id="challenge", markup=False)
        yield Static(t("recovery.limits", minutes=self.shown.minutes_left), id="limits", markup=False)
        words = (t("recovery.answer"), t("recovery.passphrase"), t("recovery.again"))
        for field_id, label in zip(FIELDS, words, strict=True):
            with Horizontal(classes="asked"):
                yield Static(label, classes="label", markup=False)
                yield TextEditor(field_id, "text", "", password=field_id != "answer")
        yield Static(t("recovery.never"), id="never", markup=False)

    def _groups(self) -> str:
        """The groups side by side, their digits apart."""
        apart = (" ".join(group).ljust(GROUP_CELLS) for group in self.shown.challenge.split())
        return "".join(apart).rstrip()

    def on_mount(self) -> None:
        self._editor("answer").focus()

    def _editor(self, field_id: str) -> TextEditor:
        return next(editor for editor in self.query(TextEditor) if editor.field_id == field_id)

    @on(Done)
    def _done(self, event: Done) -> None:
        at = FIELDS.index(event.field_id)
        if event.entered and at == len(FIELDS) - 1:
            self.action_send()
            return
        if event.field_id == "answer":
            self.say(self._mistake(), "error")
            if event.entered and self._mistake():
                return
        self.set_focus(self._editor(FIELDS[(at + event.by) % len(FIELDS)]))

    def _mistake(self) -> str:
        """What is mistyped in the answer; nothing is, while nothing is typed."""
        typed = self._editor("answer").value
        if not typed.strip():
            return ""
        try:
            read_digits(typed, SpokenKind.ANSWER)
        except DigitsMistyped as mistyped:
            return t("recovery.mistyped", groups=t("recovery.and").join(str(group) for group in mistyped.groups))
        except DigitsMissing as missing:
            return t("recovery.length", needed=missing.needed, found=missing.found)
        except OtherDigits:
            return t("recovery.other_digits")
        return ""

    @errand("recovery")
    async def action_send(self) -> None:
        answer, passphrase, again = (self._editor(field_id) for field_id in FIELDS)
        if not (answer.value.strip() and passphrase.value):
            self.say(t("recovery.all"), "warning")
            return
        if self._mistake():
            self.say(self._mistake(), "error")
            answer.focus()
            return
        chosen, repeated = passphrase.value, again.value
        passphrase.value = again.value = ""
        if chosen != repeated:
            self.say(t("recovery.differ"), "warning")
            passphrase.focus()
            return
        self.say(t("sign_in.checking"))
        call = self.counter.client.answer_recovery
        try:
            await call(self.shown.clerk, answer.value, chosen)
        except CounterError as failure:
            self.say(sentence_of(failure), "error")
            about_passphrase = isinstance(failure, Refused) and failure.reason == TOO_SHORT
            (passphrase if about_passphrase else answer).focus()
        else:
            self.dismiss(True)


async def shown_for(screen: CounterScreen[None], clerk_id: str) -> RecoveryScreen | None:
    """The screen with this clerk's challenge; why there is none is said on `screen`."""
    asked = await screen.attempt_without_lock(lambda: screen.counter.client.ask_recovery(clerk_id))
    return None if asked is None else RecoveryScreen(asked.value)
