"""The words that answer one point of a return: what was done about it."""

from collections.abc import Awaitable, Callable
from typing import Any

from tui.screens.act_form import ActForm
from tui.wording import t

ANSWER_MAX = 300  # characters


def answer_form(
    words: str,
    answer: str,
    act: Callable[[dict[str, Any]], Awaitable[None]],
    changed: Callable[[dict[str, Any]], None],
) -> ActForm:
    """A form with the one field `answer`; `changed` hears every letter."""
    field = {
        "id": "answer",
        "label": t("return.answer"),
        "type": "textarea",
        "required": True,
        "validation": {"max_length": ANSWER_MAX},
        "help": t("return.answer_help"),
    }
    form = {"form_id": "answer", "item_id": "", "sections": [{"id": "answer", "title": "", "fields": [field]}]}
    values = {"answer": answer} if answer else {}
    return ActForm(t("return.answer_caption"), words, form, act, values=values, changed=changed)
