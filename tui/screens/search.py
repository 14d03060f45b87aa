"""Search a service item by name, by what people call it, or by pinyin initials; results follow the typing.

Digits choose a result; with nothing to choose they are typed.
"""

from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.screens.guide import GuideScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.query_input import QueryInput
from tui.wording import of, t
from wire.counter import ItemBrief

LOAD_ROWS = 30
ALIAS_CELLS = 44
TONES = {"full": "$text-success", "relatives_only": "$text-warning", "assist_only": "$text-warning"}


class SearchScreen(CounterScreen[None]):
    """Find an item."""

    place = "search"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("search")

    def body(self) -> ComposeResult:
        yield QueryInput(t("search.placeholder"))
        yield NumberedList(empty=t("search.nothing"))

    def on_mount(self) -> None:
        self.query_one(QueryInput).focus()
        self.look("")

    @on(Input.Changed, "#query")
    def _typed(self, event: Input.Changed) -> None:
        self.look(event.value.strip())

    @on(NumberedList.MoreWanted)
    def _more(self, event: NumberedList.MoreWanted) -> None:
        self.look(self.query_one(QueryInput).value.strip(), event.offset)

    @errand("search")
    async def look(self, words: str, offset: int = 0) -> None:
        """Show what the node finds for the words."""
        found = await self.attempt(lambda: self.counter.client.items(words, offset=offset, limit=LOAD_ROWS))
        if found is None:
            return
        rows = [row_of(item) for item in found.value.rows]
        shown = self.query_one(NumberedList)
        if offset:
            shown.add(rows, total=found.value.total)
        else:
            shown.show(rows, total=found.value.total)
        self.say("")

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        self.app.push_screen(GuideScreen(event.row.key))


def row_of(item: ItemBrief) -> Row:
    """An item in the list: its name, whether it can be filed by proxy, what people call it."""
    aliases: list[str] = []
    for alias in item.aliases:
        if cell_len(t("list.comma").join([*aliases, alias])) > ALIAS_CELLS:
            break
        aliases.append(alias)
    mode = "guide" if item.service_mode == "guide" else item.proxy_mode
    mark = of("service_mode", "guide") if mode == "guide" else of("agent_policy", mode)
    return Row(
        item.item_id,
        item.name,
        f"{item.domain} · {t('list.comma').join(aliases)}",
        mark,
        TONES.get(mode, "$text-muted"),
    )
