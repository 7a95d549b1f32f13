"""A room whose module is a mapping of what is in it, too: neuroport.chips["generic8"].

The rooms of chips, networks and other things that have names lie below what makes these things of their files, so what
such a module has as a mapping is known above it: in neuroport.catalogue, which is imported when somebody asks.
"""

from __future__ import annotations

import sys
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from importlib import import_module
from types import ModuleType
from typing import Any


class Shelf(ModuleType):
    """A module that is a mapping, too: name -> what functions of neuroport take. It compares as a module."""

    @property
    def _catalogue(self) -> Any:
        return import_module("neuroport.catalogue").ALL[self.__name__.rpartition(".")[2]]

    def __getitem__(self, name: str) -> Any:
        return self._catalogue[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalogue)

    def __len__(self) -> int:
        return len(self._catalogue)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, name: object) -> bool:
        return name in self._catalogue

    def __repr__(self) -> str:
        return repr(self._catalogue)

    def _repr_html_(self) -> str:
        return str(self._catalogue._repr_html_())

    def keys(self) -> KeysView[str]:
        """The names."""
        return KeysView(self._catalogue)

    def values(self) -> ValuesView[Any]:
        """The things."""
        return ValuesView(self._catalogue)

    def items(self) -> ItemsView[str, Any]:
        """Names with things."""
        return ItemsView(self._catalogue)

    def get(self, name: str, default: Any = None) -> Any:
        """The thing of that name, or the default."""
        return self._catalogue.get(name, default)


Mapping.register(Shelf)


def shelve(module: str) -> None:
    """Let the module of that name, which is being imported, be a Shelf."""
    sys.modules[module].__class__ = Shelf
