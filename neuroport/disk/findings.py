"""What is wrong with a file, gathered while it is read and told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from neuroport.errors import InvalidInput, Place, Problem

T = TypeVar("T")
MOST_TOLD = 20
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)
"""What h5py raises where a file is not what it was when it was written."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is meant to be, "trace", what to do about a damaged one, and what to say of one that is no HDF5."""

    name: str
    advice: str
    unreadable: str = "it is damaged, cut off, or another kind of file"


class Findings:
    """What is wrong with a file of `size` bytes."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.kind, self.size = path, kind, path.stat().st_size
        self._texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Note something."""
        self._texts[text] = None

    def attempt(self, what: str, read: Callable[[], T], otherwise: T) -> T:
        """What is read; `otherwise`, and that is noted, where it cannot be."""
        try:
            return read()
        except DAMAGE as error:
            self.add(f"{what} cannot be read ({reason(error)})")
            return otherwise

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Note that something cannot be read, if that is so, and go on."""
        try:
            yield
        except DAMAGE as error:
            self.add(f"{what} cannot be read ({reason(error)})")

    def stop(self) -> None:
        """Raise InvalidInput if anything was noted."""
        told = list(self._texts)
        if len(told) > MOST_TOLD:
            told[MOST_TOLD:] = [f"{len(told) - MOST_TOLD} more things are wrong in it"]
        if told:
            place, start, end = Place(str(self.path)), f"this {self.kind.name} is damaged", self.kind.advice
            raise InvalidInput(Problem(place, f"{start}: {text}; {end}") for text in told)

    def fail(self, text: str) -> NoReturn:
        """Note something, and raise InvalidInput with all that was noted."""
        self.add(text)
        self.stop()
        raise AssertionError


def reason(error: BaseException) -> str:
    """The part of a message of h5py that says why."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split("(", 1)[-1].rstrip(")").split()) or type(error).__name__
