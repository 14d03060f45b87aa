"""The written authority (委托书) of the applicant: what the paper must say, and its scan once it is signed.

民法典 165: agent's name, matter, scope, period, and the principal's signature or fingerprint.
"""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tui.draft_desk import AUTHORIZATION, DraftDesk
from tui.widgets.numbered_list import NumberedList, Row
from tui.wording import of, t


class AuthorizationStep(Vertical):
    """What to write on the paper, made of what was typed."""

    def __init__(self, desk: DraftDesk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        yield Static(self._words(), classes="sentence", markup=False)
        yield NumberedList()

    def on_mount(self) -> None:
        self.show()

    def _words(self) -> str:
        def typed(field_id: str) -> str:
            return str(self.desk.values.get(field_id) or t("authorization.blank"))

        return "\n".join(
            [
                t("authorization.must_say"),
                t("authorization.principal", name=typed("applicant_name")),
                t("authorization.agent", name=typed("agent_name"), phone=typed("agent_phone")),
                t("authorization.matter", item=self.desk.item.get("name")),
                t("authorization.scope"),
                t("authorization.period"),
                t("authorization.fee"),
                t("authorization.signature"),
            ]
        )

    def show(self) -> None:
        """Show how many pages are there and how the paper was seen."""
        pages = self.desk.pages(AUTHORIZATION)
        held = self.desk.handed_in.get(AUTHORIZATION)
        mark = t("materials.pages", pages=pages) if pages else t("materials.no_page")
        seen = of("seen", held.seen) if held and held.seen else t("materials.not_said")
        done = bool(pages and held and held.seen)
        row = Row(AUTHORIZATION, t("authorization.paper"), seen, mark, "$text-success" if done else "$text-warning")
        self.query_one(NumberedList).show([row])

    def go_to_first(self) -> None:
        self.query_one(NumberedList).focus()
