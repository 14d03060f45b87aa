"""What the courier's command line says, by key, through gettext."""

from __future__ import annotations

import gettext
import locale
import os
from functools import cache
from pathlib import Path

DOMAIN = "sync_agent"


def words(key: str, **params: object) -> str:
    """The sentence for `key` in the person's language; Chinese unless another one is asked for."""
    return _catalog().gettext(key).format(**params)


@cache
def _catalog() -> gettext.NullTranslations:
    wanted = (os.environ.get("LANGUAGE") or os.environ.get("LANG") or "zh_CN").split(".")[0]
    language = "en" if locale.normalize(wanted).startswith("en") else "zh_CN"
    return gettext.translation(DOMAIN, Path(__file__).parent / "locale", [language])
