"""A scrolling area that takes no focus and no keys: the fields inside have them."""

from textual.containers import VerticalScroll


class QuietScroll(VerticalScroll, inherit_bindings=False, can_focus=False):
    """Scrolls to what has the focus."""


class ReadingScroll(VerticalScroll, can_focus=True):
    """A text that is longer than the screen: the arrow keys move it."""
