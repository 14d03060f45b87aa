"""Pick scans from the folder in which scanner and phone leave them: newest first, several at once.

Nothing is moved or copied; the files marked are handed to the node one by one by the screen that asked.
"""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from tui.keymap import bindings_for
from tui.scan_folder import ScanFile, newest_first, size_words
from tui.screens.counter_screen import CounterScreen
from tui.widgets.numbered_list import NumberedList, Row
from tui.widgets.typed_in_order import OrderedInput
from tui.wording import t


class ScanPicker(CounterScreen[list[ScanFile]]):
    """Dismissed with the files in the order in which they were marked."""

    place = "scan_picker"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("scan_picker")

    def __init__(self, material: str, attached: set[str]) -> None:
        super().__init__()
        self.material = material
        self.attached = attached
        self.files: dict[str, ScanFile] = {}
        self.marked: list[str] = []

    def body(self) -> ComposeResult:
        yield Static("", id="folder", markup=False)
        yield OrderedInput(compact=True, id="folder-path")
        yield NumberedList(empty=t("scan_picker.nothing"))

    def on_mount(self) -> None:
        self.query_one("#folder-path", Input).display = False
        self.query_one(NumberedList).focus()
        self.action_reload()

    def action_reload(self) -> None:
        """Read the folder again."""
        folder = self.counter.scan_folder
        self.files = {str(file.path): file for file in newest_first(folder)}
        self.marked = [path for path in self.marked if path in self.files]
        self.query_one("#folder", Static).update(t("scan_picker.for", material=self.material, folder=str(folder)))
        self._show()

    def _show(self) -> None:
        rows = []
        for path, file in self.files.items():
            mark = t("scan_picker.attached") if path in self.attached else ""
            if path in self.marked:
                mark = t("scan_picker.page", page=self.marked.index(path) + 1)
            words = f"{file.changed_at:%m-%d %H:%M:%S}  {size_words(file.length):>8}  {file.path.name}"
            rows.append(Row(path, words, "", mark, "bold $text-success" if path in self.marked else "$text-muted"))
        self.query_one(NumberedList).show(rows, keep=True)
        self.say(t("scan_picker.marked", count=len(self.marked)) if self.marked else "")

    @on(NumberedList.Chosen)
    def _chosen(self, event: NumberedList.Chosen) -> None:
        path = event.row.key
        self.marked.remove(path) if path in self.marked else self.marked.append(path)
        self._show()

    def action_attach(self) -> None:
        """Attach what is marked; with nothing marked, the row under the cursor."""
        row = self.query_one(NumberedList).current
        chosen = self.marked or ([row.key] if row else [])
        self.dismiss([self.files[path] for path in chosen])

    def action_folder(self) -> None:
        """Look in another folder from now on."""
        path = self.query_one("#folder-path", Input)
        path.value, path.display = str(self.counter.scan_folder), True
        path.focus()

    @on(Input.Submitted, "#folder-path")
    def _folder_named(self, event: Input.Submitted) -> None:
        folder = Path(event.value.strip()).expanduser()
        if not folder.is_dir():
            self.say(t("scan_picker.no_folder"), "warning")
            return
        event.input.display = False
        self.query_one(NumberedList).focus()
        self.counter.scan_folder = folder
        self.action_reload()

    def action_back(self) -> None:
        path = self.query_one("#folder-path", Input)
        if not path.display:
            self.dismiss([])
            return
        path.display = False
        self.query_one(NumberedList).focus()
        self.say("")
