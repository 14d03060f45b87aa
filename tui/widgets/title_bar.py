"""The first line: which screen this is, and at which station who is working; in practice first that it is practice."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.columns import sides
from tui.wording import t


class TitleBar(Widget):
    """Title on the left, place and clerk on the right; of practice nothing gives way but these."""

    caption: reactive[str] = reactive("")
    whose: reactive[str] = reactive("")

    def __init__(self, caption: str, whose: str, *, practice: bool = False) -> None:
        super().__init__(classes="practice" if practice else None)
        self._banner = f"{t('practice.banner')} │ " if practice else ""
        self.set_reactive(TitleBar.caption, caption)
        self.set_reactive(TitleBar.whose, whose)

    def render(self) -> Content:
        whose = "" if self._banner else self.whose
        return Content(" " + sides(self._banner + self.caption, whose, self.size.width - 2) + " ")
