"""A table of rows: each row is shown on a line and edited on its own screen, by number."""

from collections.abc import Sequence

from textual.content import Content
from textual.events import Blur, Focus, Key
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.columns import fit
from tui.widgets.editing import Done, Left, Wanted
from tui.wording import t


class TableEditor(Widget, can_focus=True):
    """Rows by number; the line below them adds another."""

    cursor: reactive[int] = reactive(0)

    def __init__(self, field_id: str, rows: Sequence[str], *, max_rows: int) -> None:
        super().__init__()
        self.field_id = field_id
        self.rows = list(rows)
        self.max_rows = max_rows

    def show(self, rows: Sequence[str]) -> None:
        """Show other rows."""
        self.rows = list(rows)
        self.cursor = min(self.cursor, len(self.rows))
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self.rows) + 1

    def render(self) -> Content:
        width = self.size.width
        lines = []
        words = [f"{at} {row}" for at, row in enumerate(self.rows, 1)]
        full = len(self.rows) >= self.max_rows
        words.append(t("table.full", rows=self.max_rows) if full else t("table.add"))
        for at, line in enumerate(words):
            style = "reverse" if self.has_focus and at == self.cursor else "$text-muted" if at == len(self.rows) else ""
            lines.append(Content.styled(fit(line, width), style))
        return Content("\n").join(lines)

    def on_key(self, event: Key) -> None:
        count = len(self.rows)
        if event.key in {"enter", "plus"}:
            self._want(count if event.key == "plus" else self.cursor)
        elif event.key in {"delete", "backspace"} and self.cursor < count:
            self.post_message(Wanted(self.field_id, "row_removed", row=self.cursor))
        elif event.key == "down":
            if self.cursor >= count:
                self.post_message(Done(self.field_id))
            self.cursor = min(self.cursor + 1, count)
        elif event.key == "up":
            if self.cursor == 0:
                self.post_message(Done(self.field_id, "up"))
            self.cursor = max(self.cursor - 1, 0)
        elif event.key in {"tab", "shift+tab"}:
            self.post_message(Done(self.field_id, event.key))
        elif event.character and event.character.isdigit() and 1 <= int(event.character) <= count:
            self._want(int(event.character) - 1)
        elif event.character == "0":
            self._want(count)
        else:
            return
        event.stop()
        event.prevent_default()

    def _want(self, row: int) -> None:
        if row < len(self.rows) or len(self.rows) < self.max_rows:
            self.cursor = row
            self.post_message(Wanted(self.field_id, "row", row=row))

    def on_focus(self, _event: Focus) -> None:
        self.refresh()

    def on_blur(self, _event: Blur) -> None:
        self.refresh()
        self.post_message(Left(self.field_id))
