"""What a caller gives: arguments of the kinds that functions take, whole numbers and seeds."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from neuroport.errors import InvalidInput, Place

LARGEST_SEED = 2**63 - 1
"""Traces and chip instances hold seeds as signed 64-bit numbers."""

LONGEST_NAME = 255
"""Bytes of the name of a file or folder."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Kind:
    """What an argument may be: in words, and whether a value is that."""

    what: str
    fits: Callable[[Any], bool]

    @classmethod
    def of(cls, what: str, *types: type) -> Kind:
        """An object of one of these types."""
        return cls(what, lambda value: isinstance(value, types))

    def checked(self, name: str, value: R) -> R:
        """A value that is of this kind; InvalidInput, about an argument of that name, for another one."""
        if not self.fits(value):
            raise InvalidInput.one(None, f"{name} must be {self.what}; found {found(value)}")
        return value

    @property
    def or_none(self) -> Kind:
        """The same, or None."""
        return Kind(f"{self.what}, or None", lambda value: value is None or self.fits(value))


TEXT = Kind.of("a text", str)
FLAG = Kind.of("True or False", bool)
FUNCTION = Kind("a function", lambda value: callable(value) and not isinstance(value, type))
PATH = Kind("the path of a file", lambda value: isinstance(value, str | os.PathLike) and is_path(value))
OUTPUT = Kind("the path of a file", lambda value: PATH.fits(value) and Path(value).name not in ("", ".."))
TEXTS = Kind("a list of texts", lambda value: _are_texts(value))
WHOLE = Kind("a whole number", lambda value: whole(value) is not None)
COUNT = Kind("a whole number from 1 on", lambda value: (whole(value) or 0) >= 1)
NUMBER = Kind("a finite number", lambda value: _is_number(value))
LIST = Kind("a list", lambda value: _is_list(value))


def takes(**kinds: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function look at its arguments of these names first: InvalidInput for those that are of another kind."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @wraps(function)
        def looking(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            for name, kind in kinds.items():
                several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
                for value in given.get(name, ()) if several else [given[name]] if name in given else []:
                    kind.checked(name, value)
            return function(*args, **kwargs)

        return looking

    return decorate


def found(value: Any) -> str:
    """A value for the end of a message: as Python writes it, in at most 60 characters."""
    try:
        text = " ".join(repr(_plain(value)).split())
    except Exception:  # a foreign object may do anything
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(value: Any) -> Any:
    """A number or text of NumPy as one of Python; any other value as it is."""
    import numpy as np  # what is right needs no message

    if not isinstance(value, np.generic):
        return value
    inner = value.item()
    return inner if isinstance(inner, bool | int | float | complex | str | bytes) else value


def is_path(value: str | os.PathLike[Any]) -> bool:
    """Whether a text or a path can be that of a file."""
    text = os.fspath(value)
    if not isinstance(text, str) or "\0" in text or not text:
        return False
    try:
        return all(len(os.fsencode(part)) <= LONGEST_NAME for part in Path(text).parts)
    except UnicodeEncodeError:
        return False


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _is_list(value: Any) -> bool:
    """Whether a value is a sequence, or an array of one dimension, and no text."""
    return getattr(value, "ndim", 0) == 1 or _is_plain(value)


def _is_plain(value: Any) -> bool:
    """Whether a value is a sequence of Python's, and no text."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _are_texts(value: Any) -> bool:
    """Whether a value is a list of texts."""
    if type(value) is not list and type(value) is not tuple and not _is_plain(value):
        return False
    return all(isinstance(item, str) for item in value)


def whole(value: Any) -> int | None:
    """A whole number of Python or NumPy as an int; None for everything else, truth values too."""
    if type(value) is int:
        return value
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    return int(value) if is_whole else None


def checked_seed(value: Any, what: str = "a seed", place: Place | None = None) -> int:
    """The seed of a network, a run or a chip as an int. InvalidInput, about `what` at `place`, for what is none."""
    seed = whole(value)
    if seed is None or not 0 <= seed <= LARGEST_SEED:
        raise InvalidInput.one(place, f"{what} must be a whole number from 0 to 2**63 - 1; found {found(value)}")
    return seed
