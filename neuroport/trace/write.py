"""Writing a trace: closed segments beside the output while the run goes on, joined into one file at its end.

A file that a killed process was growing may not open any more; a closed one does. So a run writes
`OUT.h5.part/000000.h5` (what is known before the first step), `000001.h5` … (what was recorded since, each written
under another name, flushed to the disk and renamed) and at the end joins them: `trace.join`. An existing OUT.h5 stays
until a complete trace takes its place.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, ChipInstance
from neuroport.disk.output import new_hdf5, target, write_text
from neuroport.disk.tree import Tree
from neuroport.disk.tree import write as write_tree
from neuroport.errors import NotWritten, Place
from neuroport.network.model import NeuronModel, Parameter, State, SynapseModel
from neuroport.network.network import Network
from neuroport.numerics.parts import Part
from neuroport.numerics.steps import whole_steps
from neuroport.program.executor import Capture
from neuroport.program.fixed import VERSION
from neuroport.program.ir import Int
from neuroport.program.machine import Array, Program, Projection
from neuroport.program.repeated import pieces
from neuroport.program.rows import Rows
from neuroport.program.wiring import Wiring
from neuroport.trace.arrays import ARRAYS
from neuroport.trace.segments import RECORDED, Parts, has_checkpoint, how_to_resume, left, take_out
from neuroport.version import __version__

if TYPE_CHECKING:
    import h5py

FORMAT = 1
SEGMENT_BYTES = 8 * 2**20
SEGMENT_SECONDS = 10.0
LARGE = 2**20
"""Numbers of an array that is written in pieces."""
LONG = 500.0
"""After so many seconds, segments are written the more seldom the longer a run has taken: all are joined at its end."""
PACKAGES = ("numpy", "llvmlite", "h5py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a trace says about where its numbers come from."""

    network: Network
    text: str  # the network as YAML, without the large arrays that lie apart
    program: Program
    chip: Chip
    instance: ChipInstance | None = None
    backend: str = "emulator"
    seed: int = 1
    copy: int = 0  # of independent copies, which this one is
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # these


@dataclass(frozen=True, slots=True)
class Resumed:
    """What there is of a run that is gone on with: the segments below `number`.

    `replaces`: the trace of that name, if there is one, is an earlier piece of the same run. `is_more`: its checkpoint
    has more that was recorded, which becomes the segment of that number. `run_s`: how many seconds it had run until
    then.
    """

    number: int
    replaces: bool
    is_more: bool = False
    run_s: float = 0.0


def frac_of(array: Array) -> int | None:
    """The number of binary places of an array's raw integers; None for a real array."""
    return array.type.frac if isinstance(array.type, Int) else None


def compact(values: NDArray[Any], array: Array) -> NDArray[Any]:
    """Raw integers in the smallest NumPy type that holds the array's declared bounds and these values."""
    if not isinstance(array.type, Int) or values.dtype.kind not in "iu":
        return values
    low, high = array.type.lo, array.type.hi
    if values.size:
        low, high = min(low, int(values.min())), max(high, int(values.max()))
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values.astype(np.int64)


def versions() -> dict[str, str]:
    """Versions of Python, the machine's system, and the packages that can change a result."""
    found = {"neuroport": __version__, "python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


@dataclass(slots=True)
class _Pending:
    """What was taken since the last segment, and the number of the segment that will hold it.

    It is replaced as a whole once that is on the disk: an interrupt in between has it written once more, not twice.
    """

    number: int
    size: int = 0
    spikes: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = field(default_factory=dict)
    rows: dict[str, list[tuple[NDArray[np.int64], NDArray[Any]]]] = field(default_factory=dict)
    metrics: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken."""
        return not (self.spikes or self.rows or self.metrics)


class Writer:
    """The sink of a session: takes captures, metrics and weights while a run goes on, then becomes one trace file.

    `output`: a path, or what was claimed for one. Use as a context manager: leaving it without `close` (an error, an
    interrupt) joins what was recorded so far and marks it incomplete.
    """

    def __init__(
        self, output: str | Path | Parts, source: Provenance, *, overwrite: bool = False, resumed: Resumed | None = None
    ) -> None:
        self.parts = output if isinstance(output, Parts) else Parts.claim(output, overwrite)
        self.path, self.folder = self.parts.path, self.parts.folder
        self._overwrite, self._resumed = overwrite or resumed is not None, resumed
        self._source = source
        dt = source.network.dt
        self._every = {record.of: whole_steps(record.every, dt) for record in source.network.record.weights}
        self._every |= {record.array: record.every for record in source.program.records if not record.readout}
        self._pending = _Pending(1 if resumed is None else resumed.number + resumed.is_more)
        self._began = self._flushed = time.monotonic()
        self._failure: NotWritten | None = None
        self.is_open = True
        try:
            if resumed is None:
                self.parts.clear()
                with new_hdf5(self.parts.number(0), self.folder) as file:
                    _write_header(file, source)
        except BaseException as error:
            self.parts.let_go()
            if isinstance(error, NotWritten):
                raise NotWritten(Place(str(self.path)), error.text) from None
            raise

    # ---------------------------------------------------------------------------------------- the session's sink

    def capture(self, capture: Capture) -> None:
        """Take spikes and sampled arrays; records of synapse arrays become weight snapshots."""
        for population, (steps, neurons) in capture.spikes.items():
            if len(steps):
                self._pending.spikes.setdefault(population, []).append((steps, neurons))
                self._pending.size += steps.nbytes + neurons.nbytes
        for array, (steps, values) in capture.records.items():
            self._take_rows(array, steps, values.reshape(len(values), math.prod(values.shape[1:])))
        self._flush_if_due()

    def metric(self, name: str, step: int, value: float | Sequence[float] | NDArray[Any]) -> None:
        """Take one measurement, made before step `step`."""
        values = np.asarray(value, dtype=np.float64)
        self._pending.metrics.setdefault(name, []).append((step, values))
        self._pending.size += 16 + values.nbytes
        self._flush_if_due()

    def weights(self, name: str, step: int, values: NDArray[Any]) -> None:
        """Take one snapshot of a synapse array (`PROJECTION.VARIABLE`, raw) as it was after step `step`."""
        self._take_rows(name, np.array([step], dtype=np.int64), np.asarray(values)[np.newaxis])
        self._flush_if_due()

    def go_on(self) -> None:
        """Forget what a run that is resumed recorded after its checkpoint."""
        assert self._resumed is not None
        self.parts.drop(self._resumed.number)
        take_out(self.folder)

    def checkpoint(self, tree: Tree) -> None:
        """Put everything taken so far on the disk, and with it what the run can go on from.

        What is too little for a segment goes into the file of the checkpoint: there are no more segments for it.
        """
        self._flush_if_due()
        try:
            with new_hdf5(self.parts.checkpoint, self.folder) as file:
                group = file.create_group("checkpoint", track_order=True)
                write_tree(group, tree)
                file.attrs.update(segments=self._pending.number, run_s=self._run_s)
                if not self._pending.is_empty:
                    self._write_segment(file.create_group(RECORDED))
        except NotWritten as error:
            self._failure = NotWritten(Place(str(self.path)), error.text)
            raise self._failure from None

    def close(
        self,
        *,
        steps: int,
        digest: str = "",
        final: Mapping[str, NDArray[Any]] | None = None,
        settings: Mapping[str, NDArray[Any]] | None = None,
        spike_counts: Mapping[str, int] | None = None,
        overflows: Mapping[str, int] | None = None,
        build_s: float = 0.0,
        run_s: float = 0.0,
        complete: bool = True,
    ) -> str:
        """Write what the end of the run told and join everything into the one file; where that is, as a sentence.

        `final`: raw arrays by name; `settings`: real values that were set while the network ran, by name. What is not
        complete replaces no file: its parts stay; how long it ran is known here. NotWritten, with where the parts are,
        when the disk takes no more.
        """
        if not self.is_open:
            return ""
        self.is_open = False
        if self._failure is not None and not complete:  # it has been told
            self.parts.let_go()
            return self._left()
        try:
            if self._failure is not None:
                raise self._failure
            self.flush()
            with new_hdf5(self.parts.number(self._pending.number), self.folder) as file:
                end = file.create_group("end")
                seconds = float(run_s) if complete else self._run_s
                end.attrs.update(steps=steps, digest=digest, complete=complete, build_s=float(build_s), run_s=seconds)
                _write_counts(end, "spike_counts", spike_counts or {})
                _write_counts(end, "overflows", overflows or {})
                self._write_final(end, final or {}, settings)
            return self._join(complete)
        except NotWritten as error:
            self.parts.let_go()
            raise NotWritten(Place(str(self.path)), f"{error.text}; {self._left()}") from None
        except BaseException as error:
            self.parts.release()
            error.add_note(self._left())
            raise

    def _join(self, complete: bool) -> str:
        """Make one file of the parts, if that may have the name; where what was recorded is."""
        there = target(self.path).exists()
        if there and not complete and (self._resumed is None or not self._resumed.replaces):
            self.parts.release()
            return f"'{self.path}' is as it was; {self._left()}"
        if there and not self._overwrite:
            raise NotWritten(
                Place(str(self.path)), "was made by somebody else while the run went on, and is not replaced"
            )
        from neuroport.trace.join import join

        resumable = has_checkpoint(self.folder)
        join(self.folder, target(self.path))
        self.parts.remove()
        text = f"what was recorded until then is in {self.path}, marked incomplete"
        return f"{text}; go on with {how_to_resume(self.path)}" if resumable else text

    def _left(self) -> str:
        """What there is when the parts are not joined."""
        return left(self.path) or "nothing of the run is kept"

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(steps=-1, complete=False)

    # ------------------------------------------------------------------------------------------------- segments

    def flush(self) -> None:
        """Put everything taken so far on the disk as a closed segment. NotWritten when that is impossible."""
        pending = self._pending
        if not pending.is_empty:
            try:
                with new_hdf5(self.parts.number(pending.number), self.folder) as file:
                    self._write_segment(file)
            except NotWritten as error:
                self._failure = NotWritten(Place(str(self.path)), error.text)
                raise self._failure from None
            self._pending = _Pending(pending.number + 1)
        self._flushed = time.monotonic()

    @property
    def _run_s(self) -> float:
        """How many seconds the run has taken, with those before it was gone on with."""
        earlier = 0.0 if self._resumed is None else self._resumed.run_s
        return earlier + time.monotonic() - self._began

    def _take_rows(self, array: str, steps: NDArray[np.int64], values: NDArray[Any]) -> None:
        if len(steps):
            rows = compact(np.asarray(values), self._source.program.arrays[array])
            self._pending.rows.setdefault(array, []).append((np.asarray(steps, dtype=np.int64), rows))
            self._pending.size += rows.nbytes + 8 * len(steps)

    def _flush_if_due(self) -> None:
        now = time.monotonic()
        seconds = SEGMENT_SECONDS * max(1.0, (now - self._began) / LONG)
        if self._pending.size >= SEGMENT_BYTES or now - self._flushed >= seconds:
            self.flush()

    def _write_segment(self, file: h5py.Group) -> None:
        for kind in ("spikes", "rows", "metrics"):
            file.create_group(kind, track_order=True)
        for population, chunks in self._pending.spikes.items():
            group = file.create_group(f"spikes/{population}")
            group["steps"] = np.concatenate([steps for steps, _ in chunks])
            group["neurons"] = np.concatenate([neurons for _, neurons in chunks])
        for array, rows in self._pending.rows.items():
            group = file.create_group(f"rows/{array}")
            _describe(group, self._source.program.arrays[array])
            group.attrs["unit"] = unit_of(self._source.network, array)
            group.attrs["every"] = self._every.get(array, 0)
            group["steps"] = np.concatenate([steps for steps, _ in rows])
            group["raw"] = np.concatenate([values for _, values in rows])
        for metric, values in self._pending.metrics.items():
            group = file.create_group(f"metrics/{metric}")
            group["steps"] = np.array([step for step, _ in values], dtype=np.int64)
            group["values"] = np.stack([value for _, value in values])

    def _write_final(
        self, end: h5py.Group, final: Mapping[str, NDArray[Any]], settings: Mapping[str, NDArray[Any]] | None
    ) -> None:
        arrays, is_kept = self._source.program.arrays, self._is_kept
        end.create_group("final", track_order=True)
        for name in final:
            if is_kept(arrays[name].owner):
                _describe(_write_compact(end, f"final/{name}", final, arrays[name]), arrays[name])
        if settings is not None:
            end.create_group("set", track_order=True)
            for name, values in settings.items():
                if np.ndim(values) == 0 or is_kept(name.partition(".")[0]):
                    end[f"set/{name}"] = np.asarray(values)

    def _is_kept(self, owner: str) -> bool:
        """Whether the trace has values of each element of a population or projection."""
        synaptic = any(projection.name == owner for projection in self._source.program.projections)
        return not synaptic or self._source.network.record.topology == "all"


def _describe(item: Any, array: Array) -> None:
    frac = frac_of(array)
    if frac is not None:
        item.attrs["frac"] = frac
    item.attrs["owner"] = array.owner
    item.attrs["role"] = array.role


def _write_compact(end: h5py.Group, at: str, final: Mapping[str, NDArray[Any]], array: Array) -> h5py.Dataset:
    """One of the final arrays; a large one in pieces."""
    of: Callable[[str], Iterator[NDArray[Any]]] | None = getattr(final, "pieces", None)
    if of is None or array.initial.size < LARGE:
        return end.create_dataset(at, data=compact(np.asarray(final[array.name]), array))
    dtype = np.result_type(*{compact(piece, array).dtype for piece in of(array.name)})
    item, row = end.create_dataset(at, shape=array.initial.shape, dtype=dtype), 0
    for piece in of(array.name):
        item[row : row + len(piece)] = piece.astype(dtype)
        row += len(piece)
    return item


def _write_counts(group: h5py.Group, name: str, counts: Mapping[str, int]) -> None:
    import h5py

    inner = group.create_group(name)
    inner.create_dataset("names", data=list(counts), shape=(len(counts),), dtype=h5py.string_dtype())
    inner["counts"] = np.array(list(counts.values()), dtype=np.int64)


def _write_header(file: h5py.File, source: Provenance) -> None:
    """The group /neuroport as far as it is known before the first step."""
    program, instance = source.program, source.instance
    group = file.create_group("neuroport")
    group.attrs.update(
        format=FORMAT,
        name=source.network.name,
        backend=source.backend,
        arithmetic="integer" if program.integer else program.precision,
        arithmetic_version=VERSION,
        chip=source.chip.name,
        seed=source.seed,
        dt=program.dt,
        folder=source.network.folder,
        copies=program.copies,
    )
    if program.per_copy and program.copies == 1:
        group.attrs["copy"] = source.copy
    for name, values in program.per_copy.items():
        group[f"own/{name}"] = values
        group[f"own/{name}"].attrs["unit"] = unit_of(source.network, name)
    if instance is not None and instance.seed is not None:
        group.attrs["chip_seed"] = instance.seed
    write_text(group, "network", source.text)
    for name, array in source.arrays.items():
        group[f"{ARRAYS}/{name}"] = array
    group["chip"] = json.dumps(asdict(source.chip), indent=1)
    group["chip_description"] = chips.to_yaml(source.chip)
    group["report"] = json.dumps([asdict(line) for line in program.report], default=_plain)
    for package, version in versions().items():
        group.require_group("versions").attrs[package] = version
    for kind, factors in (instance.factors if instance else {}).items():
        group[f"instance/{kind}"] = factors
    topology = source.network.record.topology
    if topology != "all":
        group.attrs["topology"] = topology
    for name in ("populations", "projections"):
        group.create_group(name, track_order=True)
    for population in program.populations:
        item = group.create_group(f"populations/{population.name}")
        item.attrs["size"] = population.size * program.copies
        item.attrs["recorded"] = population.name in source.network.record.spikes
    for of, part in _parts(source.network):
        group[f"parts/{of}"] = part.neurons
    for projection in program.projections:
        item = group.create_group(f"projections/{projection.name}")
        item.attrs.update(source=projection.source, target=projection.target, delay=projection.delay)
        owned = [a for a in program.arrays.values() if a.owner == projection.name]
        item.attrs["weight"] = next((a.name for a in owned if a.role == "weight"), "")
        item.attrs["visible"] = next((a.name for a in owned if a.role == "visible"), "")
        if projection.shares:
            shared = (a.name for a in owned if a.at == "kernel")
            item.attrs.update(entries=projection.wiring.entries, shared=" ".join(shared))
        if topology == "all":
            _write_synapses(item, projection)


def _parts(network: Network) -> Iterator[tuple[str, Part]]:
    """Of which populations and variables only some neurons are recorded, and which."""
    yield from network.record.parts
    yield from ((record.of, record.part) for record in network.record.states if record.part is not None)


def _write_synapses(item: h5py.Group, projection: Projection) -> None:
    size, at = projection.synapses, 0
    pre, post = (item.create_dataset(name, shape=(size,), dtype=np.uint32) for name in ("pre", "post"))
    for sources, targets in _joined(projection.wiring):
        end = at + len(sources)
        pre[at:end], post[at:end] = sources.astype(np.uint32), targets.astype(np.uint32)
        at = end
    if projection.dendritic is not None:
        item["dendritic"] = projection.dendritic
    if projection.wiring.entry is not None:
        item["entry"] = projection.wiring.entry.astype(np.uint32)


def _joined(wiring: Wiring) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """The neurons that synapses join, some synapses after the other."""
    if isinstance(wiring, Rows):
        for row, end, targets in wiring.pieces():
            yield np.repeat(np.arange(row, end), np.diff(wiring.indptr[row : end + 1])), targets
        return
    pre, post = wiring.pre, wiring.post
    for some in pieces(len(pre)):
        yield pre[some], post[some]


def unit_of(network: Network, array: str) -> str:
    """The unit in which a variable's or parameter's numbers are (the coherent one of its declared dimension)."""
    from neuroport.numerics import units

    owner, _, variable = array.partition(".")
    models: list[NeuronModel | SynapseModel] = [p.neuron for p in network.populations if p.name == owner]
    models += [p.synapse for p in network.projections if p.name == owner]
    declared: list[State | Parameter] = [state for model in models for state in model.states]
    declared += [parameter for model in models for parameter in model.parameters]
    return next((units.coherent_unit(one.unit) for one in declared if one.name == variable and one.unit), "")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
