"""What the visitor sees while the day runs: a line for each turn, bars for what is counted, bytes for what drains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from provisioning.wording import words


class DemoScreen:
    """Plain output on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, sentence: str) -> None:
        """A turn of the day."""
        self.console.print(f"[bold]▸[/bold] {sentence}", highlight=False)
        self.console.file.flush()

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Callable[[], None]]:
        """A bar that counts items; gives the function that counts one."""
        self._begin(words("demo.counted", what=what, total=total))
        with self._bar(MofNCompleteColumn(), TimeElapsedColumn()) as progress:
            task = progress.add_task(what, total=total)
            yield lambda: progress.advance(task)

    @contextmanager
    def draining(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar in bytes with speed and what is left; gives the function that says where it stands."""
        self._begin(what)
        with self._bar(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done: progress.update(task, completed=done)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A step whose length nobody knows."""
        self._begin(what)
        with self._bar(TimeElapsedColumn()) as progress:
            task = progress.add_task(what, total=None)
            yield
            progress.update(task, total=1, completed=1)

    def _begin(self, what: str) -> None:
        """A bar is drawn in a file only when it is done; there, a line says at once what goes on."""
        if not self.console.is_terminal:
            self.console.print(f"  {what}……", highlight=False)
            self.console.file.flush()

    def _bar(self, *columns: ProgressColumn) -> Progress:
        return Progress(TextColumn("  {task.description:<12}"), BarColumn(30), *columns, console=self.console)
