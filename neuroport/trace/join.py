"""Joining the segments of a run into one trace file, at its end or after a crash.

The file has SONATA's spikes and reports (uncompressed, so that every SONATA reader opens them) and the group
/neuroport with everything else: docs/traces.md. Segments are opened one at a time, twice: to see how much there is of
everything, and to copy it piece by piece. So neither memory nor open files grow with how long the run was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neuroport.disk.output import NewFile, hdf5_in, new_file
from neuroport.errors import InvalidInput, Place
from neuroport.trace.checked import sampled_neurons
from neuroport.trace.pieces import ALONE, READABLE, check
from neuroport.trace.segments import CHECKPOINT, Parts, check_file, parts_folder, segment, segments, take_out

MAGIC = 0x0A7A
SONATA_VERSION = (0, 1)
SORTING = {"none": 0, "by_id": 1, "by_time": 2}
NUMBERS_AT_ONCE = 2**20
_UNREADABLE = (OSError, KeyError, RuntimeError, ValueError, TypeError, IndexError, AttributeError)
"""What h5py raises for a damaged file."""


def repair(path: str | Path, overwrite: bool = False, output: str | Path | None = None) -> Path:
    """Join the parts of an interrupted run, given as `OUT.h5` or `OUT.h5.part`; the parts are removed.

    The trace is `output`, by default OUT.h5. Raises InvalidInput if there are no parts, if the run is still writing
    them, if one is damaged, or if the trace exists (unless `overwrite`); NotWritten when it cannot be written. The
    parts stay then.
    """
    with _taken(path, overwrite, output) as (parts, out):
        with _blamed(parts.folder / CHECKPOINT):
            take_out(parts.folder)
        check(segments(parts.folder))
        join(parts.folder, out)
        parts.remove()
    return out


def salvage(
    path: str | Path, overwrite: bool = False, output: str | Path | None = None
) -> tuple[Path, tuple[str, ...]]:
    """Join those parts of an interrupted run that can be read: see repair. The trace, and what was left out and why.

    If something was left out, the trace is incomplete, with a list of the steps of which nothing is known, and the
    parts stay. InvalidInput if it is the first one, which says what the others are.
    """
    with _taken(path, overwrite, output) as (parts, out):
        with suppress(InvalidInput), _blamed(parts.folder / CHECKPOINT):
            take_out(parts.folder)
        paths = segments(parts.folder)
        check(paths[:1])
        left_out = dict(_left_out(parts.folder, paths))
        _write(parts.folder, [path for path in paths if path.name not in left_out], out, resumable=not left_out)
        if not left_out:
            parts.remove()
    return out, tuple(f"{name} ({why})" for name, why in left_out.items())


def _left_out(folder: Path, paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """The names of parts that are missing or damaged."""
    for number in range(int(paths[-1].stem) + 1):
        path = segment(folder, number)
        if path not in paths:
            yield path.name, "missing"
            continue
        try:
            check((paths[0], path))
        except InvalidInput:
            yield path.name, "damaged"
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists() and not _can_be_read(checkpoint):
        yield checkpoint.name, "damaged"


def _can_be_read(path: Path) -> bool:
    """Whether all that a file holds can be read."""

    def read(_: str, item: h5py.Group | h5py.Dataset) -> None:
        dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            item[()]

    try:
        with _opened(path) as part:
            part.visititems(read)
    except InvalidInput:
        return False
    return True


@contextmanager
def _taken(path: str | Path, overwrite: bool, output: str | Path | None) -> Iterator[tuple[Parts, Path]]:
    """The parts of a run, nobody else's while the block lasts, and where their trace shall be; see repair."""
    given = Path(path)
    folder = given if given.suffix == ".part" or given.is_dir() else parts_folder(given)
    place = Place(str(folder))
    if not folder.is_dir():
        raise InvalidInput.one(Place(str(given)), "there is neither a trace nor the parts of an interrupted run here")
    if output is None and folder.suffix != ".part":
        raise InvalidInput.one(place, "does not end in .part, so that its trace has no name; give it one with -o")
    out = folder.with_suffix("") if output is None else Path(output)
    if out.exists() and not overwrite:
        text = f"cannot be joined: '{out}' exists; give another name with -o, or replace it with --overwrite"
        raise InvalidInput.one(place, text)
    check_file(out, overwrite)
    _check_first(folder)
    parts = Parts.left(folder)
    try:
        yield parts, out
    finally:
        parts.release()


def _check_first(folder: Path) -> None:
    """InvalidInput if the first part is not there."""
    if segments(folder):
        return
    kept = sorted(path.name for path in folder.glob("*.h5"))
    text = "holds no complete part of a trace; remove the folder"
    if kept:
        text = f"holds {kept[0]}, but not {segment(folder, 0).name}, which says what the others are; put it back there"
    raise InvalidInput.one(Place(str(folder)), text)


def join(folder: Path, out: Path) -> None:
    """Write the one file from the segments: under another name first, then renamed over `out`."""
    paths = segments(folder)
    for number, path in enumerate(paths):
        if path != segment(folder, number):
            raise InvalidInput.one(Place(str(folder)), f"'{segment(folder, number).name}' is missing; {READABLE}")
    _write(folder, paths, out)


def _write(folder: Path, paths: Sequence[Path], out: Path, resumable: bool = True) -> None:
    """Write the one file from these segments; `resumable`: with what the run can go on from, if there is something."""
    beside = folder if folder == parts_folder(out) else None
    with new_file(out, beside) as new, hdf5_in(new) as file:
        _Joint(paths, new, file).write(resumable)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """A segment; what is wrong with it becomes a sentence."""
    with _blamed(path), h5py.File(path, "r") as file:
        yield file


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """What goes wrong is the fault of a segment, and becomes a sentence."""
    try:
        yield
    except _UNREADABLE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        advice = ALONE if path == segment(path.parent, 0) else READABLE
        raise InvalidInput.one(Place(str(path)), f"this part of a trace is damaged ({why}); {advice}") from None


@dataclass(slots=True)
class _Rows:
    """What all segments together have of one thing that is recorded in time: a data set of steps, and others.

    `columns`: shape of a row and dtype of each data set. `is_even`: whether the steps lie `every` apart.
    """

    columns: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    count: int = 0
    first: int = 0
    last: int = -1
    is_even: bool = True

    def add(self, group: h5py.Group) -> None:
        """Take the rows of one segment into account."""
        steps, every = group["steps"], int(group.attrs.get("every", 0))
        for name, item in group.items():
            shape, dtype = self.columns.get(name, (item.shape[1:], item.dtype))
            if item.shape != (len(steps), *shape):
                raise ValueError(f"the lengths in {group.name} do not agree")
            self.columns[name] = shape, np.result_type(dtype, item.dtype)
        self.attributes = self.attributes or dict(group.attrs)
        for values in _pieces(steps):
            expected = self._after(every, int(values[0])) + every * np.arange(len(values))
            self.is_even &= bool(np.array_equal(values, expected))
            self.first = self.first if self.count else int(values[0])
            self.last = int(values[-1])
            self.count += len(values)

    def _after(self, every: int, otherwise: int) -> int:
        return self.last + every if self.count else otherwise


@dataclass(slots=True)
class _Column:
    """A data set that grows row by row to the length that it was made with."""

    data: h5py.Dataset
    at: int = 0

    def append(self, rows: NDArray[Any]) -> None:
        """Write the next rows."""
        self.data[self.at : self.at + len(rows)] = rows
        self.at += len(rows)


def _pieces(source: h5py.Dataset) -> Iterator[NDArray[Any]]:
    """The rows of a data set, so many at a time that they are about NUMBERS_AT_ONCE numbers."""
    piece = max(NUMBERS_AT_ONCE // max(int(np.prod(source.shape[1:])), 1), 1)
    for start in range(0, len(source), piece):
        yield source[start : start + piece]


def _first_step(part: h5py.File) -> int:
    """The first step that anything in a segment is of."""
    kinds = (part[kind] for kind in ("spikes", "rows", "metrics") if kind in part)
    first = [int(group["steps"][0]) for kind in kinds for group in kind.values() if len(group["steps"])]
    return min([*first, int(part["end"].attrs["steps"])] if "end" in part else first, default=0)


class _Joint:
    """One trace out of segments: `survey` them, `make` every data set with its length, and `fill` them."""

    def __init__(self, paths: Sequence[Path], new: NewFile, file: h5py.File) -> None:
        self.paths, self.new, self.file = paths, new, file
        self.found: dict[str, dict[str, _Rows]] = {"spikes": {}, "rows": {}, "metrics": {}}
        self.end: dict[str, Any] = {"complete": False, "digest": ""}
        self.columns: dict[str, _Column] = {}
        self.dt = 0.0
        self.number, self.is_whole = -1, True
        self.missing: list[tuple[int, int]] = []

    def write(self, resumable: bool) -> None:
        """Everything, in an order that readers see in the file."""
        self.file.attrs["magic"] = np.uint32(MAGIC)
        self.file.attrs["version"] = np.array(SONATA_VERSION, dtype=np.uint32)
        with _opened(self.paths[0]) as first:
            first.copy("neuroport", self.file)
            self.dt = float(first["neuroport"].attrs["dt"])
        self.file.create_group("spikes", track_order=True)
        for name in ("records", "weights", "metrics"):
            self.file["neuroport"].create_group(name, track_order=True)
        for path in self.paths:
            self.new.check()
            self._survey(path)
        with _blamed(self.paths[0]):
            self._make()
        for path in self.paths:
            self.new.check()
            self._fill(path)
        if resumable and not self.end["complete"]:
            self._take_checkpoint()

    def _take_checkpoint(self) -> None:
        """What the run can go on from, if there is something."""
        path = self.paths[0].with_name(CHECKPOINT)
        with _opened(path if path.exists() else self.paths[0]) as part:
            if "checkpoint" in part:
                part.copy("checkpoint", self.file["neuroport"])
                group = self.file["neuroport"]
                group.attrs["steps"] = max(int(group.attrs["steps"]), int(part["checkpoint/state"].attrs["step"]))
                group.attrs["run_s"] = float(part.attrs.get("run_s", 0.0))

    def _survey(self, path: Path) -> None:
        with _opened(path) as part:
            self._note_gap(int(path.stem), part)
            for kind, found in self.found.items():
                for name, group in part[kind].items() if kind in part else ():
                    found.setdefault(name, _Rows()).add(group)
            if "end" in part:
                self.end = dict(part["end"].attrs)
                for child in part["end"]:
                    part["end"].copy(child, self.file["neuroport"])

    def _note_gap(self, number: int, part: h5py.File) -> None:
        """Where parts were left out before this one: the steps between what was recorded before, and from it on."""
        if number != self.number + 1:
            self.is_whole = False
            known, first = self._last_step() + 1, _first_step(part)
            self.missing += [(known, first - 1)] if known < first else []
        self.number = number

    # ------------------------------------------------------------------------------------------------ every data set

    def _make(self) -> None:
        group = self.file["neuroport"]
        recorded = [name for name, item in group["populations"].items() if item.attrs["recorded"]]
        for name in dict.fromkeys([*recorded, *self.found["spikes"]]):
            self._make_spikes(name, self.found["spikes"].get(name, _Rows()).count)
        owners = [name.partition(".")[0] for name in self.found["rows"]]
        for (name, rows), owner in zip(self.found["rows"].items(), owners, strict=True):
            synaptic = owner in group["projections"]
            record = group.create_group(f"{'weights' if synaptic else 'records'}/{name}")
            record.attrs.update(rows.attributes)
            self._make_columns(record, f"rows/{name}", rows)
            if not synaptic and rows.count and rows.is_even:
                self._make_report(owner if owners.count(owner) == 1 else name, name, rows)
        for name, rows in self.found["metrics"].items():
            self._make_columns(group.create_group(f"metrics/{name}"), f"metrics/{name}", rows)
        if not self.end["complete"]:  # an interrupt may have come between recording steps and counting them
            self.end["steps"] = max(int(self.end.get("steps", -1)), self._last_step() + 1)
        if not self.is_whole:
            self.end |= {"ended": self.end["complete"], "complete": False, "digest": ""}
            group.create_dataset("missing", data=self.missing, shape=(len(self.missing), 2), dtype=np.int64)
        group.attrs.update(self.end)

    def _column(self, key: str, group: h5py.Group, name: str, shape: tuple[int, ...], dtype: Any) -> h5py.Dataset:
        data = group.create_dataset(name, shape=shape, dtype=dtype)
        self.columns[key] = _Column(data)
        return data

    def _make_columns(self, group: h5py.Group, key: str, rows: _Rows) -> None:
        for name, (shape, dtype) in rows.columns.items():
            self._column(f"{key}/{name}", group, name, (rows.count, *shape), dtype)

    def _make_spikes(self, name: str, count: int) -> None:
        group = self.file.create_group(f"spikes/{name}")
        group.attrs.create("sorting", SORTING["by_time"], dtype=h5py.enum_dtype(SORTING, basetype="u1"))
        times = self._column(f"spikes/{name}/steps", group, "timestamps", (count,), np.float64)
        times.attrs["units"] = "ms"
        self._column(f"spikes/{name}/neurons", group, "node_ids", (count,), np.uint64)

    def _make_report(self, label: str, name: str, rows: _Rows) -> None:
        """A SONATA report of one variable of one population: the same numbers as float32, with times."""
        (width,), _ = rows.columns["raw"]
        every = int(rows.attributes["every"])
        group = self.file.create_group(f"report/{label}")
        group.attrs["variable"] = name
        data = self._column(f"report/{name}", group, "data", (rows.count, width), np.float32)
        data.attrs["units"] = str(rows.attributes.get("unit", ""))
        mapping = group.create_group("mapping")
        nodes = mapping.create_dataset("node_ids", data=self._neurons(name, width).astype(np.uint64))
        nodes.attrs["sorted"] = np.uint8(1)
        # libsonata wants index_pointers with one entry more than nodes, bmtk the same under the name index_pointer.
        mapping["index_pointers"] = np.arange(width + 1, dtype=np.uint64)
        mapping["index_pointer"] = mapping["index_pointers"]
        mapping["element_ids"] = np.zeros(width, dtype=np.uint32)
        mapping["element_pos"] = np.zeros(width, dtype=np.float32)
        start = rows.first * self.dt
        span = np.array([start, start + rows.count * every * self.dt, every * self.dt])
        mapping.create_dataset("time", data=span).attrs["units"] = "ms"

    def _neurons(self, name: str, width: int) -> NDArray[np.int64]:
        """The numbers of the neurons of so many that were sampled of a variable."""
        group = self.file["neuroport"]
        part = group["parts"][name][()] if name in group.get("parts", ()) else None
        return sampled_neurons(part, width)

    def _last_step(self) -> int:
        """The last step that anything was recorded of; a metric is measured before the step that it names."""
        recorded = [rows.last for kind in ("spikes", "rows") for rows in self.found[kind].values()]
        return max([-1, *recorded, *(rows.last - 1 for rows in self.found["metrics"].values())])

    # ---------------------------------------------------------------------------------------------------- what is in it

    def _fill(self, path: Path) -> None:
        with _opened(path) as part:
            for kind in self.found:
                for name, group in part[kind].items() if kind in part else ():
                    for column, source in group.items():
                        self._append(f"{kind}/{name}", column, source)

    def _append(self, key: str, column: str, source: h5py.Dataset) -> None:
        scale = self.dt if (key.partition("/")[0], column) == ("spikes", "steps") else None
        report = self.columns.get(key.replace("rows/", "report/", 1)) if column == "raw" else None
        for values in _pieces(source):
            self.columns[f"{key}/{column}"].append(values if scale is None else values * scale)
            if report is not None:
                frac = int(self.found["rows"][key.removeprefix("rows/")].attributes.get("frac", 0))
                report.append(values * 2.0**-frac)
