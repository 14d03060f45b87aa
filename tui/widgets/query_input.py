"""The line in which a list is searched: letters are typed, arrows belong to the list below.

Digits choose a row at once, except where codes are typed: there they are typed, and Enter is for the screen to read.
"""

from contextlib import suppress

from textual.actions import SkipAction
from textual.events import Key

from tui.widgets.numbered_list import NumberedList
from tui.widgets.typed_in_order import OrderedInput


class QueryInput(OrderedInput):
    """A query over the `NumberedList` of the same screen."""

    def __init__(self, placeholder: str, *, digits_choose: bool = True) -> None:
        super().__init__(placeholder=placeholder, compact=True, id="query", select_on_focus=False)
        self.digits_choose = digits_choose

    async def _on_key(self, event: Key) -> None:
        if not self._for_the_list(event):
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    def _for_the_list(self, event: Key) -> bool:
        found = self.screen.query(NumberedList)
        if not found:
            return False
        rows = found.first()
        if event.character and event.character.isdigit():
            return self.digits_choose and rows.choose_number(int(event.character))
        match event.key:
            case "down" | "up":
                rows.action_move(1 if event.key == "down" else -1)
            case "pagedown" | "pageup":
                with suppress(SkipAction):
                    rows.action_turn(1 if event.key == "pagedown" else -1)
            case "enter" if rows.rows and not self.value.isdigit():
                rows.action_choose()
            case _:
                return False
        return True
