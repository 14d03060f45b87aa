"""The guide of one item, and the proxy rule before anything is typed.

What the rule forbids cannot be begun here: the screen says who has to come instead.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from tui.errand import errand
from tui.guide_words import chapters
from tui.keymap import bindings_for, shown_for
from tui.screens.counter_screen import CounterScreen
from tui.screens.notice import told
from tui.screens.wizard import WizardScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.quiet_scroll import ReadingScroll
from tui.wording import of, t
from wire.counter import ItemGuide


class GuideScreen(CounterScreen[None]):
    """Read, then begin."""

    place = "guide"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("guide")

    def __init__(self, item_id: str) -> None:
        super().__init__()
        self.item_id = item_id
        self.guide: ItemGuide | None = None
        self.begun = False

    def body(self) -> ComposeResult:
        yield Static(t("say.loading"), id="verdict", markup=False)
        with ReadingScroll():
            yield Static("", id="guide", markup=False)

    def on_mount(self) -> None:
        self.query_one(ReadingScroll).focus()
        self.load()

    @errand("load")
    async def load(self) -> None:
        """Fetch and show the guide."""
        given = await self.attempt(lambda: self.counter.client.item(self.item_id))
        if given is None:
            return
        self.guide = guide = given.value
        verdict = self.query_one("#verdict", Static)
        verdict.set_class(guide.may_collect, "good")
        verdict.set_class(not guide.may_collect, "warning")
        mode = str((guide.item.get("agent_policy") or {}).get("mode"))
        verdict.update(
            t("guide.may_begin", rule=of("agent_policy", mode))
            if guide.may_collect
            else of("proxy_refusal", (guide.refusal or "other").removeprefix("proxy."))
        )
        self.query_one("#guide", Static).update(_page(guide))
        keys = shown_for(self.place)
        self.query_one(KeyBar).show(keys if guide.may_collect else [key for key in keys if key[0] != "Enter"])

    def action_begin(self) -> None:
        if self.guide is None:
            return
        if not self.guide.may_collect:
            self.say(of("proxy_refusal", (self.guide.refusal or "other").removeprefix("proxy.")), "warning")
            return
        self.begin()

    @errand("begin")
    async def begin(self) -> None:
        """Open a draft on the node and go to its wizard."""
        self.say(t("wizard.opening"))
        given = await self.attempt(lambda: self.counter.client.begin_draft(self.item_id))
        if given is not None:
            self.say("")
            self.begun = True
            await self.app.push_screen(WizardScreen(given.value))

    def uncovered(self) -> None:
        """Back from a form that was left half filled: Enter begins another one, so say where this one is."""
        if self.begun:
            self.say(t("guide.kept"), "good")


def _page(guide: ItemGuide) -> Content:
    lines: list[Content] = [Content.styled(str(guide.item.get("name")), "bold")]
    if guide.notices:
        lines.append(told(guide.notices))
    for chapter in chapters(guide.item):
        lines.append(Content.styled(chapter.heading, "bold $text-accent"))
        lines += [Content("  " + line) for line in chapter.lines]
    return Content("\n").join(lines)
