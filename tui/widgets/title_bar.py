"""The first line: which screen this is, and at which station who is working."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.columns import sides


class TitleBar(Widget):
    """Title on the left, place and clerk on the right."""

    caption: reactive[str] = reactive("")
    whose: reactive[str] = reactive("")

    def __init__(self, caption: str, whose: str) -> None:
        super().__init__()
        self.set_reactive(TitleBar.caption, caption)
        self.set_reactive(TitleBar.whose, whose)

    def render(self) -> Content:
        return Content(" " + sides(self.caption, self.whose, self.size.width - 2) + " ")
