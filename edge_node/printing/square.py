"""The square code on a collection slip: the receipt number and nothing else."""

from __future__ import annotations

import io

from markupsafe import Markup

BORDER_MODULES = 2


def square(receipt_no: str) -> Markup:
    """A QR code as an inline drawing, without style, script or declaration."""
    import segno  # at the first slip: not every start pays for it

    out = io.BytesIO()
    segno.make(receipt_no, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        nl=False,
        border=BORDER_MODULES,
        omitsize=True,
        svgclass=None,
        lineclass=None,
    )
    return Markup(out.getvalue().decode("utf-8"))  # noqa: S704 - drawn here from modules, holds no text
