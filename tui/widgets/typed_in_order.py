"""Typing keeps its order: a key that deletes or moves the cursor acts before the character that was typed after it.

Textual inserts a character as its key arrives, but runs Backspace and the like as bindings, after the key has gone up
through every parent. On a slow machine the next character was then inserted first, and the Backspace took that one.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.widgets import Input, TextArea

KEYS: Final = frozenset(
    {"backspace", "delete", "left", "right", "home", "end", "ctrl+left", "ctrl+right"}
    | {f"ctrl+{letter}" for letter in "adekuw"}
)


TAKEN: Final = frozenset({"f6", "f7", "pageup", "pagedown", "ctrl+x"})
"""Keys of our screens that Textual's editors would keep for themselves (`keymap`)."""


def keys_of(binding: BindingType) -> tuple[set[str], str]:
    """The keys and the action of a binding."""
    keys, action = (binding.key, binding.action) if isinstance(binding, Binding) else binding[:2]
    return set(keys.split(",")), action


def actions_of(bindings: list[BindingType]) -> dict[str, str]:
    """The action of each editing key."""
    return {key: action for keys, action in map(keys_of, bindings) for key in keys & KEYS}


def but_ours(bindings: list[BindingType]) -> list[BindingType]:
    """The bindings of an editor without those whose keys belong to the screen around it."""
    return [one for one in bindings if not keys_of(one)[0] & TAKEN]


LINE_ACTIONS: Final = actions_of(Input.BINDINGS)
TEXT_ACTIONS: Final = actions_of(TextArea.BINDINGS)


class OrderedInput(Input, inherit_bindings=False):
    """One line of text."""

    BINDINGS: ClassVar[list[BindingType]] = but_ours(Input.BINDINGS)

    async def _on_key(self, event: Key) -> None:
        if not await _acted(self, event, LINE_ACTIONS):
            await super()._on_key(event)


class OrderedTextArea(TextArea, inherit_bindings=False):
    """Several lines of text."""

    BINDINGS: ClassVar[list[BindingType]] = but_ours(TextArea.BINDINGS)

    async def _on_key(self, event: Key) -> None:
        if not await _acted(self, event, TEXT_ACTIONS):
            await super()._on_key(event)


async def _acted(editor: Input | TextArea, event: Key, actions: Mapping[str, str]) -> bool:
    action = actions.get(event.key)
    if action is None:
        return False
    event.stop()
    event.prevent_default()
    await editor.run_action(action)
    return True
