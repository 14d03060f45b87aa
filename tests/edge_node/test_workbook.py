"""Workbooks: readable, harmless, handed on piece by piece, and never on a disk."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from edge_node.printing.sheets import Column, Share, Sheet, guarded
from edge_node.printing.workbook import PIECE_BYTES, streamed

pytestmark = pytest.mark.fast

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
COMPUTES = "=+-@＝＋－＠"


class Watched:
    """What this process opens for writing while somebody watches; Python has no way to take a watch off again."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.on = False
        sys.addaudithook(self._look)

    def _look(self, event: str, arguments: Sequence[object]) -> None:
        if not self.on:
            return
        if event.startswith("tempfile."):
            self.seen.append(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & 0o3:
            self.seen.append(f"open {arguments[0]!r}")


WATCH = Watched()


@pytest.fixture
def watch() -> Iterator[Watched]:
    WATCH.seen, WATCH.on = [], True
    yield WATCH
    WATCH.on = False


def book(*sheets: Sheet) -> bytes:
    return b"".join(streamed(sheets, author="护安镇便民服务中心", at=NOON))


def rows_of(content: bytes, title: str) -> list[tuple[object, ...]]:
    return list(load_workbook(io.BytesIO(content))[title].iter_rows(values_only=True))


def test_days_are_days_shares_are_shares_and_what_is_unknown_is_empty() -> None:
    columns = [Column("日期", 12), Column("按时率", 10), Column("件数", 8), Column("备注", 20)]
    content = book(Sheet("登记簿", columns, [[date(2026, 11, 23), Share(0.5), 3, None]], filtered=1))
    sheet = load_workbook(io.BytesIO(content))["登记簿"]
    assert [cell.value for cell in sheet[1]] == ["日期", "按时率", "件数", "备注"]
    assert [cell.value for cell in sheet[2]] == [datetime(2026, 11, 23), 0.5, 3, None]
    assert (sheet["A2"].is_date, sheet["B2"].number_format) == (True, "0.0%")
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:D2", "$1:$1")
    assert sheet.column_dimensions["D"].width == 20


def test_no_file_is_opened_for_a_workbook_not_even_in_the_temporary_folder(watch: Watched) -> None:
    many = Sheet("登记簿", [Column("申请人", 10)], ([f"张测试{number}"] for number in range(3000)))
    pieces = list(streamed([many, Sheet("统计", [Column("件数", 8)], [[3000]])], author="", at=NOON))
    assert len(rows_of(b"".join(pieces), "登记簿")) == 3001
    assert watch.seen == []


def test_the_watch_sees_what_the_library_does_by_itself(watch: Watched) -> None:
    plain = Workbook(write_only=True)
    plain.create_sheet("登记簿").append(["张测试"])
    plain.save(io.BytesIO())
    assert any(tempfile.gettempdir() in seen for seen in watch.seen)


def test_a_long_workbook_leaves_in_pieces_before_its_last_row_is_asked_for() -> None:
    asked: list[int] = []

    def rows() -> Iterator[Sequence[str]]:
        for number in range(20_000):
            asked.append(number)
            yield [f"{number * 7919 % 104729:032x}", f"{number * 31 % 9973:032x}"]

    pieces = streamed([Sheet("登记簿", [Column("a", 9), Column("b", 9)], rows())], author="", at=NOON)
    first = next(pieces)
    assert len(asked) < 20_000
    rest = list(pieces)
    assert max(map(len, [first, *rest])) < 4 * PIECE_BYTES
    assert len(rows_of(b"".join([first, *rest]), "登记簿")) == 20_001


def test_a_download_that_breaks_off_ends_quietly() -> None:
    rows = ([f"{number * 7919 % 104729:064x}"] for number in range(20_000))
    pieces = streamed([Sheet("登记簿", [Column("a", 9)], rows)], author="", at=NOON)
    next(pieces)
    pieces.close()


def test_the_second_sheet_is_asked_for_after_the_first_was_written() -> None:
    seen: list[int] = []

    def first() -> Iterator[Sequence[int]]:
        for number in range(3):
            seen.append(number)
            yield [number]

    content = book(Sheet("一", [Column("a", 5)], first()), Sheet("二", [Column("b", 5)], ([len(seen)] for _ in "x")))
    assert rows_of(content, "二") == [("b",), (3,)]


@given(st.text(max_size=40) | st.builds("{}{}".format, st.sampled_from(COMPUTES), st.text(max_size=10)))
def test_no_text_is_a_formula_and_none_begins_like_one(text: str) -> None:
    kept = guarded(text)
    assert kept.lstrip()[:1] not in {*COMPUTES}
    content = book(Sheet("登记簿", [Column("a", 9)], [[text], ["末"]]))
    cell = load_workbook(io.BytesIO(content))["登记簿"]["A2"]
    assert cell.data_type in {"s", "n"}
    assert cell.value in {kept, None}
    assert b"<f>" not in ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "#N/A", '=HYPERLINK("http://x")']
)
def test_what_a_spreadsheet_would_compute_is_kept_as_text(text: str) -> None:
    assert guarded(text).startswith("'")
