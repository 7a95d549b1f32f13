"""Things by name: what comes with neuroport, made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from neuroport.errors import UnknownKey
from neuroport.numerics.units import suggestion
from neuroport.pages import Page, Table
from neuroport.pages.html import html

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Catalogue(Mapping[str, T], Generic[T]):
    """Names -> things of one kind, such as chips; a name that there is not raises UnknownKey, with what there is.

    `each`, `several`: what one and many are called. `lines`: makes name -> what it is, in one line; `make`: the thing
    of a name, as functions of neuroport take it; `tell`: what is told of it.
    """

    each: str
    several: str
    lines: Callable[[], Mapping[str, str]]
    make: Callable[[str], T]
    tell: Callable[[str], Page]

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """What each of them is, in one line, by name."""
        return self.lines()

    def __getitem__(self, name: str) -> T:
        self.require(name)
        return self.make(name)

    def page(self, name: str) -> Page:
        """What is told of the one of that name. Raises UnknownKey."""
        self.require(name)
        return self.tell(name)

    def require(self, name: str) -> None:
        """UnknownKey where there is none of that name."""
        if name not in self:
            near = suggestion(str(name), list(self.titles))
            text = f"there is no {self.each} '{name}'; {near}{self.several} are {', '.join(self.titles)}"
            raise UnknownKey.one(None, text)

    def __iter__(self) -> Iterator[str]:
        return iter(self.titles)

    def __len__(self) -> int:
        return len(self.titles)

    def __contains__(self, name: object) -> bool:
        return name in self.titles

    def __repr__(self) -> str:
        return f"<{len(self)} {self.several}: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        table = Table((self.each, "what it is"), tuple(self.titles.items()))
        return html(Page(self.several, f"{len(self)} that come with neuroport", (table,)))
