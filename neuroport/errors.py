"""What can go wrong, as values and exceptions.

NeuroportError             anything a caller may want to catch; `exit_code` is what the command line ends with
├── InvalidInput           wrong files or wrong use: carries every problem found (exit code 2)
├── Unsupported            this executor, chip or machine cannot do it, with the reason (exit code 2)
├── RunFailed              the run itself ended badly (exit code 1)
└── InternalError          a fault of neuroport itself (exit code 1)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file, for messages. Lines and columns count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what was found, what is allowed, what to do."""

    place: Place | None
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class NeuroportError(Exception):
    """Base of all errors that neuroport raises on purpose."""

    exit_code = 2


class InvalidInput(NeuroportError):
    """A network, model, chip or trace file, or an argument, cannot be used as it is."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def one(cls, place: Place | None, text: str) -> InvalidInput:
        """An error with a single problem."""
        return cls([Problem(place, text)])


class Unsupported(NeuroportError):
    """Something legal that this executor, chip or machine cannot do."""


class InternalError(NeuroportError):
    """A fault of neuroport itself, which no network file leads to."""

    exit_code = 1

    def __init__(self, text: str) -> None:
        super().__init__(f"{text}. This is a fault of neuroport, not of the network")


class RunFailed(NeuroportError):
    """The run itself ended badly."""

    exit_code = 1
