"""A workbook (.xlsx) made row by row and handed on as it is made: nothing of it lies on a disk or whole in memory.

Laws
- openpyxl writes each sheet into a file of the temporary folder before it packs it. What is written here may name
  people, so its sheets go straight into the archive, and the archive straight to whoever reads; a test watches that no
  file is opened for it.
- This module is loaded when the first workbook is made: the library weighs 8 MiB, and most nodes never make one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook.child import INVALID_TITLE_REGEX
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter

from edge_node.printing.sheets import Share, Sheet, Value, guarded

PIECE_BYTES: Final = 32 * 1024
SHARE: Final = "0.0%"
A4_PAPER: Final = 9


def streamed(sheets: Sequence[Sheet], *, author: str, at: datetime) -> Iterator[bytes]:
    """The bytes of a workbook, piece by piece."""
    book = Workbook(write_only=True)
    book.properties.creator = author
    book.properties.created = book.properties.modified = at.astimezone(UTC).replace(tzinfo=None)
    drain = _Drain()
    archive = ZipFile(drain, "w", ZIP_DEFLATED)
    for number, sheet in enumerate(sheets, 1):
        page = _page(book, sheet)
        with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
            page._writer = WorksheetWriter(page, out=part)  # noqa: SLF001 - the public way is a file on the disk
            page._writer.write_top()  # noqa: SLF001
            try:
                page.append([_heading(page, column.heading) for column in sheet.columns])
                for row in sheet.rows:
                    page.append([_cell(page, value) for value in row])
                    if drain.size >= PIECE_BYTES:
                        yield drain.taken()
            finally:  # also where the download breaks off: nothing of the sheet is left open
                page.close()
    _Packer(book, archive).save()
    yield drain.taken()


class _Drain:
    """Where the archive writes; it can only be written on, so the archive never goes back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        self.size += len(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is open here."""

    def taken(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces, self.size = [], 0
        return whole


class _Packer(ExcelWriter):  # type: ignore[misc]
    """Packs what belongs to a workbook beside its sheets, which have gone out already."""

    def write_worksheet(self, page: WriteOnlyWorksheet) -> None:
        page._rels = page._writer._rels  # noqa: SLF001
        self.manifest.append(page)


def _page(book: Workbook, sheet: Sheet) -> WriteOnlyWorksheet:
    page = book.create_sheet(INVALID_TITLE_REGEX.sub(" ", sheet.title)[:31])
    for number, column in enumerate(sheet.columns, 1):
        page.column_dimensions[get_column_letter(number)].width = column.width
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = A4_PAPER
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    if sheet.filtered:
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{sheet.filtered + 1}"
    return page


def _heading(page: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(page, guarded(text))
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="E3EDF4")
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    return cell


def _cell(page: WriteOnlyWorksheet, value: Value | Share) -> Value | WriteOnlyCell:
    if isinstance(value, Share):
        cell = WriteOnlyCell(page, value.value)
        cell.number_format = SHARE
        return cell
    if isinstance(value, str):
        return guarded(value) or None
    return value
