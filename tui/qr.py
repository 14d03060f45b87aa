"""A QR code in half-block characters: one character is one module wide and two modules high.

It is drawn as light blocks on the dark of the terminal would invert it, so the caller shows it black on white.
"""

QUIET_ZONE = 3  # modules; the standard asks for 4 on paper, screens lend the white border of the frame


def half_blocks(text: str, *, error: str = "m") -> list[str]:
    """The lines of the code for a text, for black ink on a white ground; `error`: how much of it may be lost."""
    import segno  # only the receipt needs it; it would cost start-up time

    matrix = segno.make_qr(text, error=error).matrix
    side = len(matrix) + 2 * QUIET_ZONE
    rows = [[False] * side for _ in range(QUIET_ZONE)]
    rows += [[False] * QUIET_ZONE + [bool(cell) for cell in row] + [False] * QUIET_ZONE for row in matrix]
    rows += [[False] * side for _ in range(QUIET_ZONE)]
    if len(rows) % 2:
        rows.append([False] * side)
    return [
        "".join(" ▀▄█"[upper + 2 * lower] for upper, lower in zip(rows[at], rows[at + 1], strict=True))
        for at in range(0, len(rows), 2)
    ]
