"""The steps of a draft on one line: where one is, what is done, what is not right yet."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from tui.columns import shorten

GAP = "  "
WIDEST, NARROWEST = 24, 4  # cells of one title


class StepLine(Widget):
    """Titles with their marks; the current one stands out. Too long a line shortens the others first."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: tuple[tuple[str, str], ...] = ()
        self.current = 0

    def show(self, steps: Sequence[tuple[str, str]], current: int) -> None:
        """Show (title, mark) pairs."""
        self.steps, self.current = tuple(steps), current
        self.refresh()

    def render(self) -> Content:
        words = [f"{at}{mark}{title}" for at, (title, mark) in enumerate(self.steps, 1)]
        used = sum(cell_len(one) for one in words)
        gap = GAP if used + len(GAP) * len(words) <= self.size.width else " "
        limit = WIDEST
        while limit > NARROWEST and sum(cell_len(one) + len(gap) for one in words) > self.size.width:
            limit -= 2
            words = [one if at == self.current else shorten(one, limit) for at, one in enumerate(words)]
        pieces = []
        for at, one in enumerate(words):
            mark = self.steps[at][1]
            style = "bold reverse" if at == self.current else "$text-success" if mark == "✓" else ""
            style = "$text-warning" if mark == "!" and at != self.current else style
            pieces.append(Content.styled(one, style) + Content(gap))
        return Content("").join(pieces)
