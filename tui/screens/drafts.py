"""Drafts: applications that were begun and not yet collected. They are on this machine only."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui.city_clock import at_city
from tui.errand import errand
from tui.keymap import bindings_for
from tui.screens.choose import YES, confirm
from tui.screens.counter_screen import CounterScreen
from tui.screens.wizard import WizardScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import t
from wire.counter import DraftBrief


class DraftsScreen(CounterScreen[None]):
    """Go on with a draft, or throw it away."""

    place = "drafts"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("drafts")

    def __init__(self) -> None:
        super().__init__()
        self._left: dict[str, str] = {}

    def body(self) -> ComposeResult:
        yield NumberedList(empty=t("drafts.nothing"))

    def on_mount(self) -> None:
        self.query_one(NumberedList).focus()

    def uncovered(self) -> None:
        self.load()

    @errand("load")
    async def load(self, offset: int = 0) -> None:
        """Fetch the list, or what follows in it."""
        given = await self.attempt(lambda: self.counter.client.drafts(offset=offset))
        if given is None:
            return
        if not offset:
            self._left.clear()
        rows, total = [self._row(draft) for draft in given.value.rows], given.value.total
        shown = self.query_one(NumberedList)
        if offset:
            shown.add(rows, total=total)
        else:
            shown.show(rows, total=total, keep=True)

    @on(NumberedList.MoreWanted)
    def _more(self, event: NumberedList.MoreWanted) -> None:
        self.load(event.offset)

    def _row(self, draft: DraftBrief) -> Row:
        at = f"{at_city(draft.updated_at):%m-%d %H:%M}"
        kind = t("drafts.supplement") if draft.kind == "supplement" else t("drafts.collect")
        name = draft.applicant_masked or t("drafts.no_name")
        detail = f"{kind} · {t('drafts.saved_at', at=at)}"
        if draft.left_by:
            self._left[draft.draft_id] = draft.left_by
            detail += f" · {t('drafts.left_by', clerk=draft.left_by)}"
        return Row(draft.draft_id, f"{name} · {draft.item_name}", detail)

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        self.go_on(event.row.key)

    @errand("open")
    async def go_on(self, draft_id: str) -> None:
        """Open a draft where it was left; a closed colleague's is taken over first, when that is wanted."""
        if draft_id in self._left:
            question = confirm(t("drafts.take_over_question", clerk=self._left[draft_id]), t("drafts.take_over"))
            if await self.app.push_screen_wait(question) != YES:
                return
            given = await self.attempt(lambda: self.counter.client.take_over(draft_id))
            self._left.pop(draft_id)
        else:
            given = await self.attempt(lambda: self.counter.client.draft(draft_id))
        if given is not None:
            await self.app.push_screen(WizardScreen(given.value))

    @errand("open")
    async def action_discard(self) -> None:
        """Throw a draft away, after asking."""
        row = self.query_one(NumberedList).current
        if row is None:
            return
        if row.key in self._left:
            self.say(t("drafts.take_over_first"), "warning")
            return
        question = confirm(t("drafts.discard_question", title=row.title), t("drafts.discard"))
        if await self.app.push_screen_wait(question) != YES:
            return
        if await self.attempt(lambda: self.counter.client.discard_draft(row.key)) is not None:
            self.load()
