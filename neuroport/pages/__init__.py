"""What is told of something, as values that a terminal, a notebook and a page of the docs show each in its way."""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; its lines may be broken anywhere."""

    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that stay as they are, such as equations, below what they are."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are columns. Numbers stand right; "-" is the absence of something."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


Part = Text | Lines | Table


@dataclass(frozen=True, slots=True)
class Page:
    """A name, what it is in one line, and all that is told of it; parts with nothing in them are left out."""

    name: str
    title: str
    parts: tuple[Part, ...] = ()

    @property
    def heading(self) -> str:
        """The name and the line."""
        return f"{self.name}: {self.title}" if self.title else self.name

    @property
    def filled(self) -> tuple[Part, ...]:
        """The parts that have something in them."""
        return tuple(part for part in self.parts if (part.rows if isinstance(part, Table) else part.text))
