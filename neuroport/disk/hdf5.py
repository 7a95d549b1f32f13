"""HDF5 files that may be damaged: names, kinds, shapes and sizes are looked at before a number is read.

What is wrong is noted, something neutral takes its place, and `Findings.stop` tells all of it at once. Whoever reads a
file touches nothing of h5py but through this module.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from neuroport.disk.findings import DAMAGE, Findings, Kind, reason
from neuroport.disk.heaps import broken_heap
from neuroport.disk.paths import unreadable
from neuroport.errors import InvalidInput, Place
from neuroport.numerics.units import quoted

if TYPE_CHECKING:
    import h5py

SMALL = 2**24
"""Bytes that a data set may always have, though nothing of it was written."""
DENSEST = 1032
"""How many bytes come of one at most when data are unpacked (the limit of deflate)."""
TEXT, WHOLE, NUMBERS, FLAG = "OS", "iu", "iuf", "b"
ANY = TEXT + NUMBERS
EVERY = ANY + FLAG
WANTED = {TEXT: "text", WHOLE: "whole numbers", NUMBERS: "numbers", FLAG: "true or false", ANY: "text or numbers"}
WANTED[EVERY] = "text, numbers, or true or false"
LONGEST = 4096
"""Characters of a text that is a name, a unit, or a path."""
LOWEST, HIGHEST = -(2**63), 2**63 - 1

Wanted = Sequence[int | None]
"""A shape; None stands for any number."""


@contextmanager
def opened(path: str | Path, kind: Kind, known: bool = False) -> Iterator[Group]:
    """The root of an HDF5 file; raises InvalidInput where there is none, and at its end what was found wrong in it.

    `known`: it was opened before, so that what leads to its texts is not looked at again.
    """
    wrong = unreadable(path, f"the name of a {kind.name}")
    if wrong:
        raise InvalidInput.one(Place(str(path)), wrong)
    file = _file(Path(path), kind, known)
    try:
        findings = Findings(Path(path), kind)
        yield Group(findings, "", file)
        findings.stop()
    finally:
        file.close()


def _file(path: Path, kind: Kind, known: bool) -> h5py.File:
    import h5py

    why = ""
    try:
        file = h5py.File(path, "r")
        if known or not broken_heap(path, file):
            return file
        file.close()
        why = "what leads to its texts is broken"
    except DAMAGE as error:
        why = reason(error) if path.stat().st_size else "it is empty"
    text = f"cannot be read as a {kind.name} ({why}); {kind.unreadable}"
    raise InvalidInput.one(Place(str(path)), text)


@dataclass(frozen=True, eq=False, slots=True)
class Item:
    """Something in a file, at `where`, and its attributes; `item` is None where it is missing, which was noted."""

    findings: Findings
    where: str
    item: Any

    def __str__(self) -> str:
        return self.where or "/"

    def has_attribute(self, name: str) -> bool:
        """Whether it has this attribute."""
        what = f"the attributes of {self}"
        return self.item is not None and self.findings.attempt(what, lambda: name in self.item.attrs, False)

    def attribute_names(self) -> list[str]:
        """The names of its attributes."""
        what = f"the attributes of {self}"
        return [] if self.item is None else self._names(self.findings.attempt(what, lambda: list(self.item.attrs), []))

    def text(self, name: str, default: str | None = None, longest: int = LONGEST) -> str:
        """An attribute that is a text of at most so many characters; `default` if it is absent and that is given."""
        what = f"the attribute '{name}' of {self}"
        value = self._attribute(name, TEXT, "a text", default)
        text = "" if value is None else self._decoded(value, what)
        if len(text) <= longest:
            return text
        self.findings.add(f"{what} has {len(text):,} characters; it must have {longest:,} at most")
        return ""

    def whole(self, name: str, low: int = LOWEST, high: int = HIGHEST, default: int | None = None) -> int:
        """An attribute that is a whole number from `low` to `high`."""
        value = self._attribute(name, WHOLE, "a whole number", default)
        if value is not None and not low <= int(value) <= high:
            self.findings.add(f"the attribute '{name}' of {self} is {int(value)}; it must be {_span(low, high)}")
            value = None
        return max(low, 0) if value is None else int(value)

    def plain(self, name: str) -> int | float | str:
        """An attribute that is one number or one text."""
        value = self._attribute(name, ANY, "a number or a text")
        if value is None:
            return 0
        if isinstance(value, str | bytes):
            return self._decoded(value, f"the attribute '{name}' of {self}")
        return value.item() if isinstance(value.item(), int) else float(value)

    def real(self, name: str, default: float | None = None) -> float:
        """An attribute that is a finite number, and not negative."""
        value = self._attribute(name, NUMBERS, "a number", default)
        if value is not None and not 0 <= float(value) < math.inf:
            text = f"is {float(value):g}; it must be a finite number that is not negative"
            self.findings.add(f"the attribute '{name}' of {self} {text}")
            value = None
        return 1.0 if value is None else float(value)

    def flag(self, name: str) -> bool:
        """An attribute that is true or false."""
        value = self._attribute(name, FLAG, "true or false")
        return False if value is None else bool(value)

    def _attribute(self, name: str, kinds: str, wanted: str, default: Any = None) -> Any:
        """The value of an attribute; None where it is not what is wanted, which is noted."""
        if self.item is None or (default is not None and not self.has_attribute(name)):
            return default
        what = f"the attribute '{name}' of {self}"
        if not self.has_attribute(name):
            self.findings.add(f"{what} is missing")
            return None
        with self.findings.reading(what):
            found = self.item.attrs.get_id(name)
            shape, dtype = found.shape, found.dtype
            if shape == () and _fits(dtype, kinds, self.findings.size):
                return self.item.attrs[name]
            self.findings.add(f"{what} is {_shown(dtype, shape)}; it must be {wanted}")
        return None

    def _decoded(self, value: Any, what: str) -> str:
        """A text as h5py gives it."""
        text = value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)
        if _is_text(text):
            return text
        self.findings.add(f"{what} is no UTF-8 text")
        return ""

    def _names(self, found: list[str]) -> list[str]:
        """Names that are texts."""
        known = [name for name in found if _is_text(name)]
        if len(known) < len(found):
            self.findings.add(f"{self} has something whose name is no UTF-8 text")
        return known


@dataclass(frozen=True, eq=False, slots=True)
class Group(Item):
    """A group."""

    def has(self, name: str) -> bool:
        """Whether something of this name is in it."""
        what = f"what is in {self}"
        return self.item is not None and self.findings.attempt(what, lambda: _linked(self.item, name), False)

    def names(self) -> list[str]:
        """The names of what is in it."""
        what = f"what is in {self}"
        return [] if self.item is None else self._names(self.findings.attempt(what, lambda: list(self.item), []))

    def group(self, name: str) -> Group:
        """The group of this name."""
        import h5py

        where, item = f"{self.where}/{name}", self._child(name)
        if item is not None and not isinstance(item, h5py.Group):
            self.findings.add(f"{where} is no group")
            item = None
        return Group(self.findings, where, item)

    def is_group(self, name: str) -> bool:
        """Whether what has this name is a group."""
        import h5py

        item = self.item
        return self.findings.attempt(f"{self.where}/{name}", lambda: item.get(name, getclass=True) is h5py.Group, False)

    def groups(self, name: str) -> dict[str, Group]:
        """The groups in the group of this name, none where it is absent."""
        if not self.has(name):
            return {}
        inner = self.group(name)
        return {child: inner.group(child) for child in inner.names()}

    def content(self, name: str) -> str:
        """A data set that is one text."""
        array = self.array(name, TEXT, ())
        return "" if array.item is None else self._decoded(array.read(), array.where)

    def texts(self, name: str) -> list[str]:
        """A data set that is a list of texts."""
        array = self.array(name, TEXT, (None,))
        found = [] if array.item is None else array.read().tolist()
        return [self._decoded(value, array.where) for value in found]

    def array(self, name: str, kinds: str, *shapes: Wanted) -> Array:
        """A data set of one of these kinds (TEXT, WHOLE, NUMBERS) and of one of these shapes, or any; no larger than
        the file can hold.
        """
        where, item = f"{self.where}/{name}", self._child(name)
        found = None if item is None else self._looked_at(where, item, kinds, shapes)
        return found or Array(self.findings, where, None, tuple(n or 0 for n in shapes[0]) if shapes else (0,))

    def _looked_at(self, where: str, item: Any, kinds: str, shapes: Sequence[Wanted]) -> Array | None:
        """A data set that is as it must be; None, noted, for any other."""
        with self.findings.reading(where):
            wrong = _wrong_data(item, kinds, shapes, self.findings.size)
            if not wrong:
                return Array(self.findings, where, item, tuple(int(n) for n in item.shape))
            self.findings.add(f"{where} {wrong}")
        return None

    def find(self, path: str, kinds: str) -> Array | None:
        """A data set of any shape by its path, wherever links lead; None where there is nothing."""
        import h5py

        try:
            item = self.item.get(path)
        except DAMAGE as error:
            self.findings.fail(f"{quoted(path)} cannot be read ({reason(error)})")
        if item is None:
            self._must_be_no_link(path)
        if not isinstance(item, h5py.Dataset):
            return None
        found = self._looked_at(quoted(path), item, kinds, ())
        self.findings.stop()
        return found

    def _must_be_no_link(self, path: str) -> None:
        """Fail where nothing is at a path because a link leads nowhere."""
        import h5py

        with suppress(*DAMAGE):
            link = self.item.get(path, getlink=True)
            file = f" in {quoted(link.filename)}" if isinstance(link, h5py.ExternalLink) else ""
            if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
                self.findings.add(f"{quoted(path)} is a link to {quoted(link.path)}{file}, where nothing is")
        self.findings.stop()

    def data_sets(self) -> list[str]:
        """The paths of all data sets in it, in the folders below too."""
        import h5py

        found: list[str] = []

        def note(path: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and _is_text(path):
                found.append(path)

        with self.findings.reading(f"what is in {self}"):
            self.item.visititems(note)
        return found

    def _child(self, name: str) -> Any:
        """What lies in the file itself under this name; None, noted, where there is nothing."""
        import h5py

        where = f"{self.where}/{name}"
        if self.item is None:
            return None
        if not self.has(name):
            self.findings.add(f"{where} is missing")
            return None
        with self.findings.reading(where):
            if isinstance(self.item.get(name, getlink=True), h5py.HardLink):
                return self.item[name]
            self.findings.add(f"{where} is a link to something else; it must be in the file itself")
        return None


@dataclass(frozen=True, eq=False, slots=True)
class Array(Item):
    """A data set whose kind and shape are as they must be."""

    shape: tuple[int, ...]

    @property
    def kind(self) -> str:
        """The letter of NumPy for its kind of numbers: i, u or f."""
        return str(self.item.dtype.kind)

    @property
    def length(self) -> int | None:
        """How many rows it has; None where it is missing, so that nothing else must be as long."""
        return None if self.item is None else self.shape[0]

    def read(self) -> Any:
        """What it holds. Raises InvalidInput, with all that was found wrong in the file, where that cannot be read."""
        if self.item is None:
            self.findings.stop()
        try:
            return self.item[()]
        except DAMAGE as error:
            self.fail(f"cannot be read ({reason(error)})")

    def fail(self, text: str) -> NoReturn:
        """Raise InvalidInput: what is wrong with the numbers."""
        self.findings.fail(f"{self.where} {text}")

    def numbers(self) -> NDArray[Any]:
        """Its numbers, as they are stored."""
        values = np.asarray(self.read())
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def whole_numbers(self, low: int, high: int, ascending: bool = False) -> NDArray[np.int64]:
        """Whole numbers from `low` to `high`."""
        values = self.numbers()
        least, largest = (int(values.min()), int(values.max())) if values.size else (low, low)
        if least < low or (largest > high and values.size):
            self.fail(f"holds {least if least < low else largest}; it must hold numbers {_span(low, high)}")
        found = values.astype(np.int64)
        if ascending and np.any(found[1:] < found[:-1]):
            self.fail("is not in ascending order")
        return found

    def real_numbers(self, finite: bool = False) -> NDArray[np.float64]:
        """Real numbers."""
        values = self.numbers().astype(np.float64)
        if finite and not np.isfinite(values).all():
            self.fail(f"holds {values[~np.isfinite(values)].flat[0]}; it must hold finite numbers")
        return values


# ------------------------------------------------------------------------------------------------- looking, sentences


def _linked(group: Any, name: str) -> bool:
    """Whether a group has this name, wherever it leads."""
    return group.get(name, getlink=True) is not None


def _wrong_data(item: Any, kinds: str, shapes: Sequence[Wanted], size: int) -> str:
    """ "" or why a data set cannot be used, found before memory is taken for it; any shape will do if none is named."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return "is no data set"
    if item.shape is None or not _fits(item.dtype, kinds, size):
        return f"is {_shown(item.dtype, item.shape)}; it must hold {WANTED[kinds]}"
    if shapes and not any(_same(item.shape, one) for one in shapes):
        expected = " or ".join(dict.fromkeys(_written(one) for one in shapes))
        return f"has the shape {_written(item.shape)}; it must be {expected}"
    return not_held(item, size)


def not_held(item: Any, size: int) -> str:
    """ "" or that a data set declares more than a file of this size can hold."""
    import h5py

    layout = item.id.get_create_plist().get_layout()
    declared, held = math.prod(item.shape) * item.dtype.itemsize, min(item.id.get_storage_size(), size)
    if declared <= SMALL + held * (DENSEST if layout == h5py.h5d.CHUNKED else 1):
        return ""
    return f"declares {math.prod(item.shape):,} values, and the file holds {held:,} bytes of them"


def _fits(dtype: np.dtype[Any], kinds: str, size: int) -> bool:
    """Whether an element is of one of the kinds, and no longer than the file."""
    import h5py

    if dtype.subdtype is not None or dtype.itemsize > max(size, 16) or dtype.kind not in kinds:
        return False
    return dtype.kind not in TEXT or h5py.check_string_dtype(dtype) is not None


def _shown(dtype: np.dtype[Any], shape: Sequence[int] | None) -> str:
    """What was found, for people."""
    import h5py

    if shape is None:
        return "empty"
    text = "text" if h5py.check_string_dtype(dtype) is not None else str(dtype)
    return f"of kind {text}" + (f" and shape {_written(shape)}" if shape else "")


def _same(shape: Sequence[int], wanted: Wanted) -> bool:
    return len(shape) == len(wanted) and all(b in (a, None) for a, b in zip(shape, wanted, strict=True))


def _written(shape: Wanted) -> str:
    """A shape: (3, n)."""
    parts = ["n" if number is None else str(number) for number in shape]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _span(low: int, high: int) -> str:
    return f"{low} or more" if high == HIGHEST else f"from {low} to {high}"


def _is_text(found: str | bytes) -> bool:
    """Whether h5py found UTF-8; what is none are bytes, or has surrogates."""
    return isinstance(found, str) and not any("\ud800" <= letter <= "\udfff" for letter in found)
