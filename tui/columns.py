"""Text in columns of a terminal, where a Chinese character is two cells wide.

Laws: `fit` returns exactly the asked number of cells, whatever the characters; nothing is cut without a mark.
"""

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded with spaces, or cut with an ellipsis.

    >>> fit("医保", 6)
    '医保  '
    >>> fit("城乡居民", 6)
    '城乡… '
    """
    if width <= 0:
        return ""
    text = text.replace("\n", " ")
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + ELLIPSIS, width)


def shorten(text: str, width: int) -> str:
    """The text in at most `width` cells, cut with an ellipsis where needed."""
    return text if cell_len(text) <= width else fit(text, width).rstrip()


def sides(left: str, right: str, width: int) -> str:
    """One line with a left and a right part; the left part gives way."""
    room = width - cell_len(right) - 1
    return f"{fit(left, room)} {right}" if room > 0 else fit(right, width)
