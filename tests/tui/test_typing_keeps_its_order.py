"""However slow the machine and however fast the hands: what stands in a field is what the keys say, in their order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Input

from tui.keymap import KEYMAP
from tui.widgets.long_text_editor import LongTextEditor
from tui.widgets.query_input import QueryInput
from tui.widgets.text_editor import TextEditor
from tui.widgets.typed_in_order import OrderedInput, OrderedTextArea, keys_of

pytestmark = pytest.mark.screen

Editor = Input | LongTextEditor
EDITORS = {
    "a line": lambda: TextEditor("f", "text", ""),
    "a text": lambda: LongTextEditor("f", ""),
    "a query": lambda: QueryInput("", digits_choose=False),
}
CHARACTERS = "0123456789x张"
MOVES = ("backspace", "delete", "left", "right", "home", "end")


class Desk(App[None]):
    """One editor on a screen."""

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self.editor = editor

    def compose(self) -> ComposeResult:
        yield self.editor


async def after(editor: Editor, keys: Sequence[str]) -> str:
    """What stands in the editor after these keys came all at once, as from a fast hand on a slow machine."""
    async with Desk(editor).run_test() as pilot:
        editor.focus()
        await pilot.pause()
        for key in keys:
            pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        for _ in range(3):
            await pilot.pause()
        return editor.text if isinstance(editor, LongTextEditor) else editor.value


def expected(keys: Sequence[str]) -> str:
    """What a line of text is after these keys."""
    text, at = "", 0
    for key in keys:
        match key:
            case "backspace":
                text, at = text[: max(at - 1, 0)] + text[at:], max(at - 1, 0)
            case "delete":
                text = text[:at] + text[at + 1 :]
            case "left" | "right":
                at = min(max(at + (1 if key == "right" else -1), 0), len(text))
            case "home" | "end":
                at = 0 if key == "home" else len(text)
            case _:
                text, at = text[:at] + key + text[at:], at + 1
    return text


@pytest.mark.parametrize("kind", EDITORS)
async def test_a_correction_typed_fast_takes_the_wrong_characters_and_not_the_right_ones(kind: str) -> None:
    keys = [*"511602180001010015", *["backspace"] * 2, *"14"]
    assert await after(EDITORS[kind](), keys) == "511602180001010014"


@pytest.mark.parametrize("kind", EDITORS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(st.sampled_from([*CHARACTERS, *MOVES]), max_size=30))
async def test_any_keys_in_any_order_leave_what_they_say(kind: str, keys: list[str]) -> None:
    assert await after(EDITORS[kind](), keys) == expected(keys)


async def test_an_input_of_the_library_mixes_them_up() -> None:
    keys = [*"511602180001010015", *["backspace"] * 2, *"14"]
    assert await after(Input(), keys) != "511602180001010014"


def test_no_editor_keeps_a_key_of_a_screen_for_itself() -> None:
    where_nothing_is_typed = {"", "delete", "enter"}
    ours = {
        key for bounds in KEYMAP.values() for bound in bounds for key in bound.keys.split(",")
    } - where_nothing_is_typed
    for editor in (OrderedInput, OrderedTextArea):
        kept = set().union(*(keys_of(one)[0] for one in editor.BINDINGS))
        assert ours & kept == set(), editor
