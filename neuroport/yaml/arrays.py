"""Arrays of numbers in network files: lists, or what lies in other files; read out of nodes, and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import HIGHEST, LOWEST, NUMBERS, Array, Group, opened
from neuroport.disk.numbers import found as found_numbers
from neuroport.disk.numbers import is_plain
from neuroport.disk.paths import MISSING
from neuroport.disk.stored import Entries, Wrong
from neuroport.errors import InvalidInput, Place
from neuroport.network.values import ArrayValue, Frozen
from neuroport.numerics import units
from neuroport.numerics.units import quoted
from neuroport.yaml.fields import Report, found
from neuroport.yaml.nodes import ListNode, MapNode, Node, Numbers, ScalarNode
from neuroport.yaml.quantities import quantity
from neuroport.yaml.slots import Rows, Shape, Slot, check_shape, check_unit, check_values

T = TypeVar("T")
KIND = Kind("file of numbers", "write it again")
MOST_NAMES = 20
INLINE = 64
"""Arrays with more numbers go to the HDF5 file."""


@dataclass(slots=True)
class Sink:
    """Where a network is written to: takes its large arrays and turns its relative paths.

    `beside`: the HDF5 file for large arrays, None to keep them inside; `start`: the folder where the network's paths
    start; `folder`: that of the new file.
    """

    start: str
    beside: str | None
    folder: Path
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def array(self, values: Frozen, at: str) -> Any:
        """Numbers as lists, or as the data set `at` when they are many or lists could not say their shape."""
        array = values.array.astype(np.float64 if values.array.dtype.kind == "f" else np.int64)
        listed = array.ndim > 0 and (array.size > 0 or (array.dtype.kind == "f" and array.ndim == 1))
        if self.beside is None or (listed and array.size <= INLINE):
            return array.tolist()
        self.arrays[at] = array
        return {"file": self.beside, "dataset": f"/{at}"}

    def path(self, file: str) -> str:
        """A path that was relative to the folder of the network, relative to the new folder."""
        if os.path.isabs(file) or os.path.abspath(self.start or ".") == os.path.abspath(self.folder):
            return file
        return os.path.relpath(os.path.join(self.start, file), self.folder)


def array(report: Report, node: Node, slot: Slot, unit: str, rows: Rows, place: Place) -> ArrayValue | None:
    """Numbers one by one: a list, nested lists, or {file, dataset} read now. Quantities in a list share one unit."""
    if isinstance(node, MapNode):
        values = _stored(report, node, slot)
    else:
        values, unit = _listed(report, node, slot, unit)
    if values is None:
        return None
    unit = unit or ("" if values.size else slot.unit)
    wrong = check_unit(unit, slot, "the array" if unit else "an array without one")
    if wrong:
        report.add(node, wrong)
        return None
    if not np.isfinite(values).all():
        report.add(node, f"{slot.what} has values that are not finite; every value must be a number")
        return None
    if not check_shape(report, node, slot, values.shape, rows) or not check_values(report, node, slot, values, unit):
        return None
    return ArrayValue(Frozen(values), unit, rows, place)


def numbers(
    report: Report, node: Node | None, what: str, shape: Shape | None, folder: str
) -> np.ndarray[Any, Any] | None:
    """A pure array of floats: nested lists or {file, dataset}."""
    if node is None:
        return None

    def fits(have: Shape, rows: Rows) -> str:
        return "" if shape is None or have == shape else f"{shape}"

    result = array(report, node, Slot(what, fits=fits, folder=folder), "", "source", node.place)
    return None if result is None else np.asarray(result.values.array, dtype=np.float64)


def _listed(report: Report, node: Node, slot: Slot, unit: str) -> tuple[np.ndarray[Any, Any] | None, str]:
    given: set[str] = set()
    failed = False
    if isinstance(node, ListNode) and isinstance(node.items, Numbers):
        return node.items.array, unit

    def build(item: Node) -> Any:
        nonlocal failed
        if isinstance(item, ListNode):
            return [build(part) for part in item.items]
        if isinstance(item, ScalarNode) and not unit:
            scalar = item.value
            if isinstance(scalar, int | float) and not isinstance(scalar, bool):
                given.add("")
                return scalar
            one = quantity(report, item, f"a value of {slot.what}")
            if one is not None:
                given.add(one.unit)
                return one.number
        elif isinstance(item, ScalarNode) and isinstance(item.value, int | float) and not isinstance(item.value, bool):
            return item.value
        else:
            report.add(item, f"a value of {slot.what} must be a number; found {found(item)}")
        failed = True
        return 0

    raw = build(node)
    if failed:
        return None, unit
    if not isinstance(raw, list):
        report.add(node, f"the array of {slot.what} must be a list; found {found(node)}")
        return None, unit
    if len(given) > 1 and all(map(units.is_step, given)):
        given = {"steps"}  # and `1 step` among them
    if len(given) > 1:
        shown = ", ".join(sorted(name or "no unit" for name in given))
        report.add(node, f"the values of {slot.what} must have the same unit; found {shown}")
        return None, unit
    try:
        values = np.array(raw, dtype=None if raw else np.float64)
    except (ValueError, OverflowError):
        report.add(node, f"the rows of {slot.what} must have the same length")
        return None, unit
    if values.dtype.kind not in "iuf" or values.dtype == np.uint64:
        report.add(node, f"{slot.what} has values outside the range of 64-bit integers")
        return None, unit
    values = values.astype(np.int64 if values.dtype.kind == "i" else np.float64)
    return values, unit or next(iter(given), "")


def _stored(report: Report, node: MapNode, slot: Slot) -> np.ndarray[Any, Any] | None:
    what = f"the array of {slot.what}"
    named = where(report, node, report.mapping(node, what, ("file", "dataset"), ("file",)), slot.what, what)
    if named is None:
        return None
    name, dataset = named
    if is_plain(Path(name)):
        return _of_plain(report, node, slot, name, lambda path: read_dataset(path, dataset))
    return _of_file(report, node.entries["file"][1], slot, name, dataset, _numbers)


def where(report: Report, node: Node, entries: Mapping[str, Node], what: str, whole: str) -> tuple[str, str] | None:
    """The file and the data set in it that entries name, "" where a file of its kind needs no name.

    `whole`: what the entries are, for messages.
    """
    name = report.text(entries.get("file"), f"the file of {what}")
    dataset = report.text(entries.get("dataset"), f"the data set of {what}")
    if name is not None and dataset is None and "dataset" not in entries and not is_plain(Path(name)):
        report.add(node, f"{whole} lacks 'dataset'; add it")
        return None
    return None if name is None or ("dataset" in entries and dataset is None) else (name, dataset or "")


def written_where(file: str, dataset: str, sink: Sink) -> dict[str, Any]:
    """What `where` reads."""
    return {"file": sink.path(file)} | ({"dataset": dataset} if dataset else {})


def stored_shape(report: Report, node: Node, slot: Slot, name: str, dataset: str) -> Shape | None:
    """The shape of numbers in a file, without reading them where that is possible."""
    if is_plain(Path(name)):
        return _of_plain(report, node, slot, name, lambda path: found_numbers(path, dataset).shape)
    return _of_file(report, node, slot, name, dataset, lambda data: data.shape)


def stored_entries(report: Report, node: Node, slot: Slot, name: str, dataset: str) -> Entries | None:
    """The values that a sparse matrix stores; None for a file that is none, and where it cannot be read."""
    if not is_plain(Path(name)):
        return None
    return _of_plain(report, node, slot, name, lambda path: read_entries(path, dataset))


def _of_plain(report: Report, node: Node, slot: Slot, name: str, take: Callable[[Path], T]) -> T | None:
    """What is taken of a file that is not HDF5; None, with the reason in the report, where that cannot be."""
    try:
        report.files.append(str(Path(slot.folder) / name))
        return take(Path(slot.folder) / name)
    except InvalidInput as error:
        blame(report, node, slot, name, error)
    return None


def _of_file(report: Report, node: Node, slot: Slot, name: str, dataset: str, take: Callable[[Array], T]) -> T | None:
    """What is taken of a data set of numbers; None, with the reason in the report, where that cannot be."""
    try:
        with opened(Path(slot.folder) / name, KIND) as root:
            report.files.append(str(Path(slot.folder) / name))
            data = root.find(dataset, NUMBERS)
            if data is not None:
                return take(data)
            names = ["/" + known for known in root.data_sets()]
            report.unknown(node, "data set", dataset, names[:MOST_NAMES], f" in {quoted(name)}")
    except InvalidInput as error:
        blame(report, node, slot, name, error)
    return None


def blame(report: Report, node: Node, slot: Slot, name: str, error: InvalidInput) -> None:
    """Note what is wrong with a file."""
    for problem in error.problems:
        colon = ":" if problem.text.startswith("this ") else ""
        text = f"{quoted(name)}{colon} {problem.text}"
        if problem.text == MISSING:
            text = f"there is no file {quoted(name)}; paths start at the folder of the network file"
        report.add(node, f"{slot.what}: {text}")


def read_dataset(path: Path, dataset: str) -> NDArray[Any]:
    """The numbers that a file holds under a name, as float64 or int64. Raises InvalidInput."""
    if is_plain(path):
        with _told(path):
            return found_numbers(path, dataset).read()
    with opened(path, KIND) as root:
        return _numbers(_found(root, dataset))


def read_entries(path: Path, dataset: str) -> Entries | None:
    """The values that a sparse matrix stores; None for a file that is none. Raises InvalidInput."""
    if not is_plain(path):
        return None
    with _told(path):
        entries = found_numbers(path, dataset).entries
        return None if entries is None else entries()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """InvalidInput for what is found wrong while numbers are read."""
    try:
        yield
    except Wrong as error:
        raise InvalidInput.one(Place(str(path)), str(error)) from None


def dataset_shape(path: Path, dataset: str) -> Shape:
    """The shape of the numbers that a file holds under a name. Raises InvalidInput."""
    if is_plain(path):
        return found_numbers(path, dataset).shape
    with opened(path, KIND) as root:
        return _found(root, dataset).shape


def _found(root: Group, dataset: str) -> Array:
    data = root.find(dataset, NUMBERS)
    if data is None:
        root.findings.fail(f"the data set {quoted(dataset)} is missing")
    return data


def _numbers(data: Array) -> NDArray[np.float64] | NDArray[np.int64]:
    """The numbers of a data set as doubles or 64-bit integers."""
    return data.real_numbers() if data.kind == "f" else data.whole_numbers(LOWEST, HIGHEST)
