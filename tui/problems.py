"""Sentences for problems of a form, by the stable code of `casework.forms`."""

from collections.abc import Mapping
from typing import Any

from tui.wording import of

PREFIX = "form."


def problem_words(code: str, params: Mapping[str, Any] | None = None, labels: Mapping[str, str] | None = None) -> str:
    """The sentence for a problem; field ids among the parameters are replaced by labels."""
    filled = {key: (labels or {}).get(str(value), value) for key, value in (params or {}).items()}
    filled.pop("code", None)
    return of("form", code.removeprefix(PREFIX), **filled)
