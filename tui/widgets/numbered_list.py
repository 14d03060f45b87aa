"""A list whose rows are chosen by number: 1 to 9 for the rows in sight, or arrows and Enter.

Laws: a page never holds more than nine rows; a row is never cut in height, only in width and with a mark; rows
beyond those loaded are asked for by `MoreWanted`, so the length of a list on the node does not matter here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, Resize
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.columns import fit, sides
from tui.wording import t

MAX_ROWS = 9


@dataclass(frozen=True, slots=True)
class Row:
    """One choice: a title, an optional second line, and a word at the right edge with its colour."""

    key: str
    title: str
    detail: str = ""
    mark: str = ""
    tone: str = ""


class NumberedList(Widget, can_focus=True):
    """Rows by number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "turn(-1)", show=False),
        Binding("pagedown", "turn(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(-1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Chosen(Message):
        """A row was chosen."""

        def __init__(self, rows: "NumberedList", row: Row) -> None:
            super().__init__()
            self.rows = rows
            self.row = row

        @property
        def control(self) -> "NumberedList":
            return self.rows

    class MoreWanted(Message):
        """The cursor went past the rows that are loaded."""

        def __init__(self, rows: "NumberedList", offset: int) -> None:
            super().__init__()
            self.rows = rows
            self.offset = offset

        @property
        def control(self) -> "NumberedList":
            return self.rows

    def __init__(self, rows: Sequence[Row] = (), *, empty: str = "", widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.rows: list[Row] = list(rows)
        self.total = len(self.rows)
        self.empty = empty

    def show(self, rows: Sequence[Row], *, total: int | None = None, keep: bool = False) -> None:
        """Replace the rows; `keep` keeps the cursor on the row with the same key."""
        held = self.current.key if keep and self.current else None
        self.rows = list(rows)
        self.total = len(self.rows) if total is None else total
        keys = [row.key for row in self.rows]
        self.cursor = keys.index(held) if held in keys else 0
        self.refresh()

    def add(self, rows: Sequence[Row], *, total: int) -> None:
        """Put further rows under those already loaded and go to the first of them."""
        first = len(self.rows)
        self.rows.extend(rows)
        self.total = total
        if first < len(self.rows):
            self.cursor = first
        self.refresh()

    @property
    def current(self) -> Row | None:
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    @property
    def page_rows(self) -> int:
        height = self.size.height or MAX_ROWS * 2
        tall = 2 if any(row.detail for row in self.rows) else 1
        room = height if len(self.rows) * tall <= height and self.total <= len(self.rows) else height - 1
        return max(1, min(MAX_ROWS, room // tall))

    @property
    def page_start(self) -> int:
        return self.cursor - self.cursor % self.page_rows

    def render(self) -> Content:
        width = self.size.width
        if not self.rows:
            return Content.styled(self.empty, "$text-muted")
        start, lines = self.page_start, []
        focused = self.has_focus
        for number, row in enumerate(self.rows[start : start + self.page_rows], 1):
            at = start + number - 1 == self.cursor
            title = sides(row.title, row.mark, width - 5) if row.mark else fit(row.title, width - 5)
            line = Content.assemble(
                (f" {number} ", "bold reverse" if at and focused else "bold $text-accent"),
                (
                    " " + title + " ",
                    "bold $block-cursor-foreground on $block-cursor-background" if at and focused else "",
                ),
            )
            if row.mark and row.tone and not (at and focused):
                cut = len(line) - len(row.mark) - 1
                line = line.stylize(row.tone, cut, len(line))
            lines.append(line)
            if row.detail:
                lines.append(Content.styled("    " + fit(row.detail, width - 5), "$text-muted"))
        if self.total > self.page_rows or self.total > len(self.rows):
            lines.append(Content.styled(self._place_words(start), "$text-muted"))
        return Content("\n").join(lines)

    def _place_words(self, start: int) -> str:
        last = min(start + self.page_rows, len(self.rows))
        return t("list.place", first=start + 1, last=last, total=self.total)

    def on_resize(self, _event: Resize) -> None:
        self.refresh()

    def on_key(self, event: Key) -> None:
        if event.character and event.character.isdigit() and self.choose_number(int(event.character)):
            event.stop()

    def choose_number(self, number: int) -> bool:
        """Choose the row in sight with that number; False when there is none."""
        at = self.page_start + number - 1
        if not 1 <= number <= self.page_rows or at >= len(self.rows):
            return False
        self.cursor = at
        self.action_choose()
        return True

    def action_choose(self) -> None:
        if row := self.current:
            self.post_message(self.Chosen(self, row))

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_turn(self, by: int) -> None:
        to = self.page_start + by * self.page_rows
        if not 0 <= to < max(self.total, len(self.rows)):
            raise SkipAction  # no such page here: the key belongs to the screen
        self._go(to)

    def action_edge(self, to: int) -> None:
        self._go(0 if to == 0 else len(self.rows) - 1)

    def _go(self, to: int) -> None:
        if to >= len(self.rows) < self.total:
            self.post_message(self.MoreWanted(self, len(self.rows)))
        self.cursor = max(0, min(to, len(self.rows) - 1))
