"""A field as a person sees it: its label, its editor, and under it the help or what is wrong with it.

Laws: the problem stands beside its field and stays until the field is right; help shows while the field is in use;
a required field is marked by a sign, not by colour alone.
"""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantBlur, DescendantFocus
from textual.widget import Widget
from textual.widgets import Static

from casework.forms import Field
from tui.wording import t


class FieldFrame(Vertical):
    """One field of a form."""

    def __init__(self, field: Field, editor: Widget) -> None:
        super().__init__(id=f"field-{field.id}")
        self.field = field
        self.editor = editor
        self.problem = ""
        self.in_use = False

    def compose(self) -> ComposeResult:
        with Horizontal(classes="line"):
            yield Static(self._label(needed=self.field.required), classes="label", markup=False)
            self.editor.add_class("editor")
            yield self.editor
        yield Static("", classes="under", markup=False)

    def on_mount(self) -> None:
        self._show_under()

    def _label(self, *, needed: bool) -> str:
        return f"{t('field.required_mark') if needed else ' '}{self.field.label}"

    def show_needed(self, *, needed: bool) -> None:
        """Mark the field as required, or not, as the other answers have it."""
        for label in self.query(".label").results(Static):
            label.update(self._label(needed=needed))

    def show_problem(self, sentence: str) -> None:
        """Show what is wrong with the field; an empty sentence says that it is right."""
        self.problem = sentence
        self._show_under()

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self.in_use = True
        self._show_under()

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        self.in_use = False
        self._show_under()

    def _show_under(self) -> None:
        """The last blur arrives when the line underneath may be gone already."""
        help_words = self.field.help or "" if self.in_use else ""
        if self.in_use and self.field.type == "consent":
            help_words = t("consent.where", help=help_words)
        words = f"✗ {self.problem}" if self.problem else help_words
        for under in self.query(".under").results(Static):
            under.update(words)
            under.display = bool(words)
            under.set_class(bool(self.problem), "problem")
        self.set_class(bool(self.problem), "wrong")
        self.set_class(self.in_use, "in-use")


def beside(frames: Sequence[FieldFrame], field_id: str, by: int) -> FieldFrame | None:
    """The shown field after, or before, another in the order of the form.

    The screen's own order follows the places on the screen, where a field that has just appeared has none yet.
    """
    shown = [frame for frame in frames if frame.display or frame.field.id == field_id]
    at = next((at for at, frame in enumerate(shown) if frame.field.id == field_id), None)
    if at is None or not 0 <= at + by < len(shown):
        return None
    return shown[at + by]
