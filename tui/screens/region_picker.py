"""Choose a region level by level, or by typing a part of its name.

Laws: it begins at the township of this station, because most applicants live there; where the catalog knows no
villages of a township, the 12-digit code is typed, never guessed. A digit may be the first of a code, so that no digit
chooses by itself: one digit and Enter is the row of that number, twelve and Enter are the code.
"""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Key
from textual.widgets import Input, Static

from casework.identifiers import LEVELS, is_region_code, region_at, region_level
from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.counter_screen import CounterScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.query_input import QueryInput
from tui.wording import t
from wire.counter import RegionRow

CODE_DIGITS = 12
CITY_LEVEL = LEVELS["city"]
VILLAGE_LEVEL = LEVELS["village"]


class RegionPicker(CounterScreen[str]):
    """Dismissed with the code of a region of the wanted level."""

    place = "region_picker"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("region_picker")

    def __init__(self, wanted: str | None, typed: str = "") -> None:
        super().__init__()
        self.wanted = LEVELS.get(wanted or "", 0)
        self.typed = typed
        self.parent_code = ""
        self.known: dict[str, RegionRow] = {}
        self.asked: dict[str, list[RegionRow]] = {}

    def body(self) -> ComposeResult:
        yield Static("", id="path", markup=False)
        yield QueryInput(t("region_picker.placeholder"), digits_choose=False)
        yield NumberedList(empty=t("region_picker.type_code"))

    def on_mount(self) -> None:
        home = self.counter.standing.region if self.counter.standing else ""
        home = home.ljust(CODE_DIGITS, "0") if home else "511600000000"
        start = min(self.wanted - 1, region_level(home)) if self.wanted else CITY_LEVEL
        self.parent_code = region_at(home, max(CITY_LEVEL, start))
        query = self.query_one(QueryInput)
        query.value, entered, _ = self.typed.partition("\n")
        query.cursor_position = len(query.value)
        query.focus()
        self.show()
        if entered:
            self.call_after_refresh(query.action_submit)

    async def on_key(self, event: Key) -> None:
        """Keys that come before the line has the focus belong to it all the same."""
        query = self.query_one(QueryInput)
        if query.has_focus:
            return
        if event.key == "enter":
            await query.action_submit()
        elif event.is_printable and event.character:
            query.insert_text_at_cursor(event.character)

    async def below(self, parent: str) -> list[RegionRow]:
        """The regions under a region, asked once."""
        if parent not in self.asked:
            given = await self.attempt(lambda: self.counter.regions(parent))
            if given is None:
                return []
            self.asked[parent] = given.value
            self.known.update({region.code: region for region in given.value})
        return self.asked[parent]

    @errand("regions")
    async def show(self) -> None:
        """Show the level, or what the typed words find in the whole city."""
        words = self.query_one(QueryInput).value.strip()
        typed_code = words.isdigit() and len(words) > 1
        rows = await self.below(self.parent_code)
        if typed_code:
            rows = await self._with_code(words)
        elif words and not words.isdigit():
            rows = await self._search(words)
        name = await self.counter.region_words(self.parent_code) if self.parent_code[4:6] != "00" else ""
        self.query_one("#path", Static).update(t("region_picker.in", name=name or t("region_picker.city")))
        searched = bool(words) and not words.isdigit()
        shown = self.query_one(NumberedList)
        shown.empty = t("region_picker.not_found") if searched else t("region_picker.type_code")
        shown.show([self._row(region, with_path=searched or typed_code) for region in rows])

    async def _with_code(self, code: str) -> list[RegionRow]:
        """The region of a whole code, so that the name is seen before Enter."""
        if len(code) != CODE_DIGITS or not is_region_code(code):
            return []
        for level in range(CITY_LEVEL, region_level(code)):
            await self.below(region_at(code, level))
        return [self.known[code]] if code in self.known else []

    async def _search(self, words: str) -> list[RegionRow]:
        city = region_at(self.parent_code, CITY_LEVEL)
        for county in await self.below(city):
            for township in await self.below(county.code):
                if (self.wanted or VILLAGE_LEVEL) > township.level:
                    await self.below(township.code)
        hits = [region for region in self.known.values() if words in region.name]
        inside = [
            region
            for region in self.known.values()
            if region not in hits
            and any(region.code.startswith(hit.code.rstrip("0")) for hit in hits if hit.level == VILLAGE_LEVEL - 1)
        ]
        wanted = self.wanted or VILLAGE_LEVEL
        return sorted((one for one in hits + inside if one.level <= wanted), key=lambda one: (-one.level, one.code))

    def _row(self, region: RegionRow, *, with_path: bool) -> Row:
        path = ""
        if with_path:
            chain = [region_at(region.code, level) for level in range(CITY_LEVEL + 1, region.level)]
            path = "".join(self.known[code].name for code in chain if code in self.known)
        return Row(region.code, path + region.name, "", region.code)

    @on(Input.Changed, "#query")
    def _typed(self, event: Input.Changed) -> None:
        digit = event.value.strip()
        self.say(t("region_picker.one_digit", number=digit) if len(digit) == 1 and digit.isdigit() else "")
        self.show()

    @on(Input.Submitted, "#query")
    def _code_typed(self, event: Input.Submitted) -> None:
        code = event.value.strip()
        if len(code) == 1 and code.isdigit():
            if not self.query_one(NumberedList).choose_number(int(code)):
                self.say(t("region_picker.no_such_row", number=code), "warning")
        elif is_region_code(code) and len(code) == CODE_DIGITS and region_level(code) == (self.wanted or VILLAGE_LEVEL):
            self.dismiss(code)
        else:
            self.say(t("region_picker.wrong_code"), "warning")

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        region = self.known[event.row.key]
        if region.level >= self.wanted or (not self.wanted and region.level == VILLAGE_LEVEL):
            self.dismiss(region.code)
            return
        self.parent_code = region.code
        self._clear()

    def action_up(self) -> None:
        """One level up, as far as the city."""
        level = max(CITY_LEVEL, region_level(self.parent_code) - 1)
        self.parent_code = region_at(self.parent_code, level)
        self._clear()

    def _clear(self) -> None:
        query = self.query_one(QueryInput)
        if query.value:
            query.value = ""
        else:
            self.show()
