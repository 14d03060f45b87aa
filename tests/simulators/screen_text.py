"""What a person reads on the screen, as lines of text."""

from __future__ import annotations

from typing import Any

from textual.app import App


def lines_of(app: App[Any]) -> list[str]:
    """The rendered screen, line by line, in cells as the terminal would show them."""
    width, height = app.size
    return ["".join(segment.text for segment in strip) for strip in _strips(app, width, height)]


def _strips(app: App[Any], width: int, height: int) -> list[list[Any]]:
    compositor = app.screen._compositor
    return [list(strip) for strip in compositor.render_strips()][:height]


def text_of(app: App[Any]) -> str:
    return "\n".join(line.rstrip() for line in lines_of(app))
