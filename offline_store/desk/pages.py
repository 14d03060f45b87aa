"""A page of a longer list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row", covariant=True)  # noqa: PLC0105 - a page only hands rows out


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows asked for, and how many there are in all."""

    rows: tuple[Row, ...]
    total: int
    offset: int
