"""How values of the session are written as trees of numbers, texts and arrays, and read back: each once, for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.disk.tree import Leaf, Tree
from neuroport.errors import InvalidInput
from neuroport.numerics.given import found, whole


class Form(ABC):
    """How a value is written. `read` raises InvalidInput for what is no such value, which stands at `where`."""

    @abstractmethod
    def write(self, value: Any) -> Leaf | Tree:
        """The value as it is written."""

    @abstractmethod
    def read(self, written: Leaf | Tree, where: str) -> Any:
        """The value that was written so."""


def wrong(where: str, wanted: str, written: object) -> InvalidInput:
    """What to raise for something that is not what it must be."""
    told = f"an array of {written.dtype} {written.shape}" if isinstance(written, np.ndarray) else found(written)
    return InvalidInput.one(None, f"{where} must be {wanted}; found {told}")


@dataclass(frozen=True, slots=True)
class Simple(Form):
    """A number or a text."""

    type: type
    wanted: str

    def write(self, value: Any) -> Leaf:
        """See Form."""
        made: Leaf = self.type(value)
        return made

    def read(self, written: Leaf | Tree, where: str) -> Any:
        """See Form."""
        if not isinstance(written, self.type) or (self.type is int and not _is_whole(written)):
            raise wrong(where, self.wanted, written)
        return written


def _is_whole(written: object) -> bool:
    number = whole(written)
    return number is not None and -(2**63) <= number < 2**63


WHOLE, REAL, TEXT = Simple(int, "a whole number of 64 bits"), Simple(float, "a number"), Simple(str, "a text")


class Texts(Form):
    """A tuple of texts."""

    def write(self, value: Any) -> Leaf:
        """See Form."""
        return tuple(value)

    def read(self, written: Leaf | Tree, where: str) -> tuple[str, ...]:
        """See Form."""
        if not isinstance(written, tuple):
            raise wrong(where, "a list of texts", written)
        return written


TEXTS = Texts()


@dataclass(frozen=True, slots=True)
class Numbers(Form):
    """An array of int64 (i), float64 (f) or bytes (u) with so many axes, or any."""

    kinds: str = "if"
    axes: int | None = None

    def write(self, value: Any) -> Leaf:
        """See Form."""
        return np.asarray(value)

    def read(self, written: Leaf | Tree, where: str) -> Any:
        """See Form."""
        if not isinstance(written, np.ndarray) or written.dtype.kind not in self.kinds:
            raise wrong(where, "numbers", written)
        if self.axes not in (None, written.ndim):
            raise wrong(where, f"numbers along {self.axes} axes", written)
        return written.copy()


ARRAY, LIST = Numbers(), Numbers("i", 1)


class Bytes(Form):
    """Bytes."""

    def write(self, value: Any) -> Leaf:
        """See Form."""
        return np.frombuffer(value, np.uint8)

    def read(self, written: Leaf | Tree, where: str) -> bytes:
        """See Form."""
        return bytes(Numbers("u", 1).read(written, where))


BYTES = Bytes()


def _below(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name


def _tree(written: Leaf | Tree, where: str) -> Tree:
    if not isinstance(written, Mapping):
        raise wrong(where, "a group", written)
    return written


@dataclass(frozen=True, slots=True)
class Named(Form):
    """Values of one form by name."""

    form: Form

    def write(self, value: Any) -> Tree:
        """See Form."""
        return {name: self.form.write(item) for name, item in value.items()}

    def read(self, written: Leaf | Tree, where: str) -> dict[str, Any]:
        """See Form."""
        return {name: self.form.read(item, _below(where, name)) for name, item in _tree(written, where).items()}


class Record(Form):
    """What `make` makes of its parts by name, and has as attributes. `may_lack`: those that are left out if None."""

    def __init__(self, make: Callable[..., Any], parts: Mapping[str, Form], may_lack: Collection[str] = ()) -> None:
        self.make, self.parts, self.may_lack = make, parts, may_lack

    def write(self, value: Any) -> Tree:
        """See Form."""
        found = {name: getattr(value, name) for name in self.parts}
        return {n: self.parts[n].write(part) for n, part in found.items() if n not in self.may_lack or part is not None}

    def read(self, written: Leaf | Tree, where: str) -> Any:
        """See Form."""
        tree, found = _tree(written, where), {}
        for name, form in self.parts.items():
            if name in tree:
                found[name] = form.read(tree[name], _below(where, name))
            elif name not in self.may_lack:
                raise InvalidInput.one(None, f"{_below(where, name)} is missing")
        return self.make(**found)


def _values(**parts: Any) -> tuple[Any, ...]:
    return tuple(parts.values())


class Row(Form):
    """A tuple, each of its parts under a name."""

    def __init__(self, **parts: Form) -> None:
        self.parts = parts

    def write(self, value: Any) -> Tree:
        """See Form."""
        return {name: form.write(part) for (name, form), part in zip(self.parts.items(), value, strict=True)}

    def read(self, written: Leaf | Tree, where: str) -> tuple[Any, ...]:
        """See Form."""
        found: tuple[Any, ...] = Record(_values, self.parts).read(written, where)
        return found


class Converted(Form):
    """A value that is written as another one, in the form of that."""

    def __init__(self, form: Form, there: Callable[[Any], Any], back: Callable[[Any], Any]) -> None:
        self.form, self.there, self.back = form, there, back

    def write(self, value: Any) -> Leaf | Tree:
        """See Form."""
        return self.form.write(self.there(value))

    def read(self, written: Leaf | Tree, where: str) -> Any:
        """See Form."""
        try:
            return self.back(self.form.read(written, where))
        except (ValueError, LookupError, TypeError):
            raise wrong(where, "what a checkpoint has there", written) from None
