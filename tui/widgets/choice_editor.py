"""All choices in sight, chosen by number: one of them, or several.

Laws: nothing is chosen until the person chooses; the chosen ones are marked by a sign, not by colour alone. The key
that empties it brings back what it took, until something else is chosen.
"""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual.content import Content
from textual.events import Blur, Focus, Key
from textual.geometry import Size
from textual.widget import Widget

from tui.widgets.editing import LEAVING_KEYS, Cleared, Done, Edited, Left

LABELS = "123456789abcdefghijklmnop"
GAP = "  "


class ChoiceEditor(Widget, can_focus=True):
    """Numbered choices; `many` lets several be chosen."""

    def __init__(self, field_id: str, options: Sequence[tuple[Any, str]], value: object, *, many: bool = False) -> None:
        super().__init__()
        self.field_id = field_id
        self.options = tuple(options)
        self.many = many
        self.value: Any = (list(value) if isinstance(value, list | tuple) else []) if many else value
        self._taken: Any = None

    def _holds(self, option: object) -> bool:
        if self.many:
            return option in self.value
        return self.value is not None and type(option) is type(self.value) and option == self.value

    def _pieces(self) -> list[tuple[str, bool]]:
        return [
            (f"{LABELS[at]}{'●' if self._holds(option) else ' '}{words}", self._holds(option))
            for at, (option, words) in enumerate(self.options)
        ]

    def _lines(self, width: int) -> list[list[tuple[str, bool]]]:
        lines: list[list[tuple[str, bool]]] = [[]]
        used = 0
        for piece in self._pieces():
            need = cell_len(piece[0]) + len(GAP)
            if lines[-1] and used + need - len(GAP) > width:
                lines.append([])
                used = 0
            lines[-1].append(piece)
            used += need
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._lines(width))

    def render(self) -> Content:
        lines = []
        for line in self._lines(self.size.width):
            pieces = [
                Content.styled(words, "bold $text-success" if chosen else "") + Content(GAP) for words, chosen in line
            ]
            lines.append(Content("").join(pieces))
        return Content("\n").join(lines)

    def on_key(self, event: Key) -> None:
        if event.key in LEAVING_KEYS:
            self.post_message(Done(self.field_id, event.key))
        elif event.key in {"delete", "backspace"}:
            self._empty()
        elif event.key in {"left", "right"} and not self.many and self.options:
            self._step(-1 if event.key == "left" else 1)
        elif event.character and (at := LABELS.find(event.character)) in range(len(self.options)):
            self._pick(self.options[at][0])
        else:
            return
        event.stop()
        event.prevent_default()

    def _empty(self) -> None:
        if self.value not in (None, []):
            taken = self.value
            self._set([] if self.many else None)
            self._taken = taken
            self.post_message(Cleared(back=False))
        elif self._taken is not None:
            self._set(self._taken)
            self.post_message(Cleared(back=True))

    def _step(self, by: int) -> None:
        held = [at for at, (option, _) in enumerate(self.options) if self._holds(option)]
        to = held[0] + by if held else 0
        self._set(self.options[max(0, min(to, len(self.options) - 1))][0])

    def _pick(self, option: object) -> None:
        if not self.many:
            self._set(option)
            return
        chosen = set(self.value) ^ {option}
        self._set([value for value, _ in self.options if value in chosen])

    def _set(self, value: object) -> None:
        if value != self.value or type(value) is not type(self.value):
            self.value = value
            self._taken = None
            self.refresh(layout=True)
            self.post_message(Edited(self.field_id, value if value != [] else None))

    def on_focus(self, _event: Focus) -> None:
        self.refresh()

    def on_blur(self, _event: Blur) -> None:
        self.refresh()
        self.post_message(Left(self.field_id))
