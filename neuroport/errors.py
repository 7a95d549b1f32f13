"""What can go wrong, as values and exceptions.

NeuroportError             anything a caller may want to catch; `exit_code` is what the command line ends with
├── InvalidInput           wrong files or wrong use: carries every problem found (exit code 2)
│   └── UnknownName        a name that there is not
│       └── UnknownKey     the same, of a mapping: also a KeyError
├── Unsupported            this executor, chip or machine cannot do it, with the reason (exit code 2)
├── RunFailed              the run itself ended badly (exit code 1)
├── NotWritten             a file could not be written, such as on a full disk (exit code 1)
└── InternalError          neuroport itself is at fault, not the network: what it made is not legal (exit code 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file, for messages. Lines and columns count from 1; 0 means unknown.

    `text` is the line of a model's text that stands there, without the space around it; "" where it is not known.
    """

    file: str
    line: int = 0
    column: int = 0
    text: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def short(self) -> str:
        """The file without its folder, and the line: sal.yaml:31."""
        name = self.file.replace("\\", "/").rsplit("/", 1)[-1] if self.line else self.file
        name = " ".join(name.split())  # it must not end the comment in which it stands
        return f"{name}:{self.line}" if self.line else name

    @property
    def quoted(self) -> str:
        """The file without its folder, the line, and what stands there, for comments: sal.yaml:31  ws = ws + k."""
        return f"{self.short}  {self.text}".rstrip()


def with_text(place: Place | None, text: str) -> Place | None:
    """The place, where there is one, with another text."""
    return None if place is None else replace(place, text=text)


def located(places: Iterable[Place | None], text: str) -> str:
    """A message with the places that it is about before it, each once, as in a Problem."""
    known = dict.fromkeys(str(place) for place in places if place is not None)
    return f"{' and '.join(known)}: {text}" if known else text


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

    def __reduce__(self) -> tuple[Any, ...]:
        """As another process gets it: what was raised with, not what it says."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[NeuroportError], args: tuple[Any, ...], held: dict[str, Any]) -> NeuroportError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(held)
    return error


class InvalidInput(NeuroportError):
    """A network, model, chip or trace file, or an argument, cannot be used as it is."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def one(cls, place: Place | None, text: str) -> InvalidInput:
        """An error with a single problem."""
        return cls([Problem(place, text)])


class TooLarge(InvalidInput):
    """What takes more memory than there is."""


class UnknownName(InvalidInput):
    """There is nothing of that name; the text has those that there are."""


class UnknownKey(UnknownName, KeyError):
    """A mapping has nothing of that name."""

    __str__ = Exception.__str__  # KeyError's has quotation marks around the text


def together(errors: Sequence[InvalidInput]) -> InvalidInput:
    """One error with all that is wrong; one that is alone stays what it is."""
    return errors[0] if len(errors) == 1 else InvalidInput(problem for error in errors for problem in error.problems)


class Unsupported(NeuroportError):
    """Something legal that this executor, chip or machine cannot do."""


class RunFailed(NeuroportError):
    """The run itself ended badly."""

    exit_code = 1


class NotWritten(NeuroportError):
    """A file could not be written: the disk is full, the folder is gone. What was there before is as it was.

    `results`: what runs came to of which only the trace could not be written (neuroport.Run each).
    """

    exit_code = 1

    def __init__(self, place: Place, text: str, results: tuple[Any, ...] = ()) -> None:
        self.place, self.text, self.results = place, text, results
        super().__init__(f"{place}: {text}")


class InternalError(NeuroportError):
    """A fault of neuroport itself, noticed before it gave a wrong number; or of a program that was made by hand."""

    exit_code = 1

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"{text}\nThis is a fault of neuroport, not of the network: please report it")
