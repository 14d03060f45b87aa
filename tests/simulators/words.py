"""The committed words of the screen, compiled without touching the disk."""

from __future__ import annotations

import gettext
import io

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tui import wording


def words_of(language: str) -> gettext.NullTranslations:
    """The committed words of a language, compiled without touching the disk."""
    with (wording.LOCALE_FOLDER / language / "LC_MESSAGES" / "tui.po").open("rb") as stream:
        catalog = read_po(stream, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
