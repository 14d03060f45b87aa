"""A few fields of their own: an act (deliver, withdraw, rate, suspend the proxy), or one row of a table.

The fields are given as plain data like the forms of the catalog, so they are shown and checked by the same rules.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from casework.forms import Form, check, check_field, visible
from tui.errand import errand
from tui.keymap import bindings_for
from tui.problems import problem_words
from tui.screens.choose import YES, confirm
from tui.screens.counter_screen import CounterScreen, Given
from tui.widgets.editing import Done, Edited, Left
from tui.widgets.editor_for import editor_for
from tui.widgets.field_frame import FieldFrame, beside
from tui.widgets.quiet_scroll import QuietScroll


class ActForm(CounterScreen[bool]):
    """Asks the fields and carries out one act; dismissed with True when it is done.

    An act that cannot be taken back is asked for once more, with `question`.
    `changed` hears every change, for fields whose values must be kept even when the act is not carried out.
    """

    place = "act_form"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("act_form")

    def __init__(
        self,
        caption: str,
        sentence: str,
        form: Mapping[str, Any],
        act: Callable[[dict[str, Any]], Awaitable[Any]],
        *,
        values: Mapping[str, Any] | None = None,
        changed: Callable[[dict[str, Any]], None] = lambda _: None,
        question: str = "",
        place: str = "act_form",
    ) -> None:
        super().__init__()
        self.place = place
        self._caption = caption
        self._sentence = sentence
        self.form = Form.from_plain(form)
        self.values: dict[str, Any] = dict(values or {})
        self._act = act
        self._question = question
        self._told = changed

    def caption(self) -> str:
        return self._caption

    def body(self) -> ComposeResult:
        with QuietScroll():
            if self._sentence:
                yield Static(self._sentence, classes="sentence", markup=False)
            for section in self.form.sections:
                for field in section.fields:
                    yield FieldFrame(field, editor_for(field, self.values.get(field.id)))

    def on_mount(self) -> None:
        self._show_visible()
        self.query(FieldFrame).first().editor.focus()

    def _show_visible(self) -> None:
        shown = visible(self.form, self.values)
        for frame in self.query(FieldFrame):
            frame.display = frame.field.id in shown

    @on(Edited)
    def _edited(self, event: Edited) -> None:
        self.values[event.field_id] = event.value
        self._show_visible()
        self._told(dict(self.values))
        frame = self.query_one(f"#field-{event.field_id}", FieldFrame)
        if frame.problem:
            self._check(frame)

    @on(Left)
    def _left(self, event: Left) -> None:
        for frame in self.query(f"#field-{event.field_id}").results(FieldFrame):
            self._check(frame)

    def _check(self, frame: FieldFrame) -> None:
        problem = check_field(self.form, frame.field.id, self.values.get(frame.field.id), self.values)
        frame.show_problem(problem_words(problem.code, problem.params) if problem else "")

    @on(Done)
    def _done(self, event: Done) -> None:
        frame = beside(list(self.query(FieldFrame)), event.field_id, event.by)
        if frame is not None:
            self.set_focus(frame.editor)
        else:
            self.post_message(Left(event.field_id))

    @errand("act")
    async def action_send(self) -> None:
        problems = check(self.form, self.values)
        for frame in self.query(FieldFrame):
            self._check(frame)
        if problems:
            self.query_one(f"#field-{problems[0].field_id}", FieldFrame).editor.focus()
            return
        if self._question and await self.app.push_screen_wait(confirm(self._question, self._caption)) != YES:
            return
        done = await self.attempt(lambda: self._act(dict(self.values)))
        if isinstance(done, Given):
            self.dismiss(True)
