"""The line in which a list is searched: letters are typed, digits and arrows belong to the list below."""

from contextlib import suppress

from textual.actions import SkipAction
from textual.events import Key
from textual.widgets import Input

from tui.widgets.numbered_list import NumberedList


class QueryInput(Input):
    """A query over the `NumberedList` of the same screen."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, id="query", select_on_focus=False)

    async def _on_key(self, event: Key) -> None:
        if not self._for_the_list(event):
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    def _for_the_list(self, event: Key) -> bool:
        rows = self.screen.query_one(NumberedList)
        if event.character and event.character.isdigit():
            return rows.choose_number(int(event.character))
        match event.key:
            case "down" | "up":
                rows.action_move(1 if event.key == "down" else -1)
            case "pagedown" | "pageup":
                with suppress(SkipAction):
                    rows.action_turn(1 if event.key == "pagedown" else -1)
            case "enter" if rows.rows:
                rows.action_choose()
            case _:
                return False
        return True
