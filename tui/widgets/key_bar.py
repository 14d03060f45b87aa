"""The last line: the keys that work here and what they do. It breaks into a second line rather than drop a key."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

GAP = "  "


class KeyBar(Widget):
    """Pairs of key and meaning."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.keys = tuple(keys)

    def show(self, keys: Sequence[tuple[str, str]]) -> None:
        """Show other keys, for instance when an act becomes possible."""
        if tuple(keys) != self.keys:
            self.keys = tuple(keys)
            self.refresh(layout=True)

    def _lines(self, width: int) -> list[list[tuple[str, str]]]:
        lines: list[list[tuple[str, str]]] = [[]]
        used = 0
        for key, words in self.keys:
            need = cell_len(f"{key} {words}{GAP}")
            if lines[-1] and used + need - len(GAP) > width:
                lines.append([])
                used = 0
            lines[-1].append((key, words))
            used += need
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._lines(width))

    def render(self) -> Content:
        out = []
        for line in self._lines(self.size.width):
            parts: list[Content] = []
            for key, words in line:
                parts.append(Content.assemble((key, "bold $text-accent"), " ", words, GAP))
            out.append(Content("").join(parts))
        return Content("\n").join(out)
