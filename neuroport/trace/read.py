"""Reading traces: what a run recorded, where it came from, and how it ended. The layout: docs/traces.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, Place
from neuroport.program.fixed import VERSION
from neuroport.trace.segments import parts_folder
from neuroport.trace.write import FORMAT

if TYPE_CHECKING:
    import h5py

    from neuroport.network.network import Network


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes of one population in order of time: `steps` and `neurons` int64 (n,), `times` in ms."""

    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]
    times: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Samples:
    """Sampled values of an array: `raw` (k, size) as the executor held them after steps `steps` int64 (k,).

    Copies that share what they learn: (k, size * copies), neuron i of copy c at i * copies + c, of a population's
    variable, and (k, synapses, copies) of a projection's, where each copy has it of its own.

    `frac` is the number of binary places of integer values, None for real ones; `values` are real: raw * 2**-frac.
    """

    steps: NDArray[np.int64]
    raw: NDArray[Any]
    frac: int | None
    unit: str = ""

    @property
    def values(self) -> NDArray[np.float64]:
        """The samples as real numbers, (k, size)."""
        return real(self.raw, self.frac)


@dataclass(frozen=True, eq=False)
class Weights:
    """Synapse values after step `step`, from neuron `pre` to `post` (int64 (synapses,)).

    `values` float64 (synapses,), or (synapses, copies) where each copy has its own; `raw` and `frac` as in Samples.
    """

    step: int
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    raw: NDArray[Any]
    frac: int | None

    @property
    def values(self) -> NDArray[np.float64]:
        """The weights as real numbers."""
        return real(self.raw, self.frac)


@dataclass(frozen=True, eq=False)
class Final:
    """An array at the end of the run, raw, (size,) or (size, copies); `role` as in program.Array."""

    raw: NDArray[Any]
    frac: int | None
    owner: str
    role: str

    @property
    def values(self) -> NDArray[np.float64]:
        """The array as real numbers."""
        return real(self.raw, self.frac)


def real(raw: NDArray[Any], frac: int | None) -> NDArray[np.float64]:
    """Real numbers of raw ones: raw * 2**-frac."""
    return raw.astype(np.float64) if frac is None else np.ldexp(raw.astype(np.float64), -frac)


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """A trace file. Small facts are fields; arrays are read from the file when asked for."""

    path: Path
    name: str
    network_text: str
    folder: str
    backend: str
    arithmetic: str
    arithmetic_version: (
        int  # of the integer arithmetic (neuroport.program.fixed.VERSION); 1 where the file does not say
    )
    chip: str
    chip_text: str
    chip_seed: int | None
    seed: int
    dt: float  # ms
    steps: int
    digest: str
    complete: bool
    build_s: float
    run_s: float
    versions: Mapping[str, str]
    copies: int  # that share what they learn; neuron i of copy c has the number i * copies + c
    populations: Mapping[str, int]  # name -> neurons, of all copies together
    recorded: tuple[str, ...]  # populations whose spikes are in the file
    projections: tuple[str, ...]
    records: tuple[str, ...]  # sampled population arrays
    snapshots: tuple[str, ...]  # projection arrays with snapshots in time
    final: tuple[str, ...]  # arrays kept from the end of the run
    settings: tuple[str, ...]  # dynamic parameters and static weights that were set while the network ran
    knows_settings: bool  # False after `kill -9`: what was set is lost
    spike_counts: Mapping[str, int]
    overflows: Mapping[str, int]
    metrics: Mapping[str, list[tuple[int, Any]]]  # name -> (step, number or list)
    report: tuple[Mapping[str, Any], ...]

    @property
    def integer(self) -> bool:
        """Whether it was computed in integers, so that its bits belong to one version of the arithmetic."""
        return self.arithmetic == "integer"

    @contextmanager
    def _file(self) -> Iterator[h5py.File]:
        with _readable(self.path) as file:
            yield file

    def spikes(self, population: str) -> Spikes:
        """The recorded spikes of a population."""
        if population not in self.recorded:
            raise self._unknown("spikes of", population, self.recorded)
        with self._file() as file:
            group = file[f"spikes/{population}"]
            times = group["timestamps"][()]
            steps = np.rint(times / self.dt).astype(np.int64)
            return Spikes(steps, group["node_ids"][()].astype(np.int64), times)

    def record(self, array: str) -> Samples:
        """The samples of a population's variable, `POPULATION.VARIABLE`."""
        if array not in self.records:
            raise self._unknown("samples of", array, self.records)
        return self._samples(f"neuroport/records/{array}")

    def weight_array(self, projection: str) -> str:
        """The name of a projection's weight array."""
        with self._file() as file:
            return str(file[f"neuroport/projections/{projection}"].attrs["weight"])

    def weight_history(self, name: str) -> Samples:
        """All snapshots of a projection's weights (`PROJECTION` or `PROJECTION.VARIABLE`), the final ones last."""
        array = self.weight_array(name) if name in self.projections else name
        if array in self.snapshots:
            samples = self._samples(f"neuroport/weights/{array}")
        elif array in self.final and self.final_array(array).owner in self.projections:
            samples = None
        else:
            known = tuple(dict.fromkeys((*self.projections, *self.snapshots)))
            raise self._unknown("weights of", name, known)
        if array not in self.final:
            assert samples is not None
            return samples
        last = self.final_array(array)
        if samples is None:
            return Samples(np.array([self.steps - 1]), last.raw[np.newaxis], last.frac)
        # Blocks triggered after the last step may have changed the weights since their last sample.
        if samples.steps[-1] == self.steps - 1 and np.array_equal(samples.raw[-1], last.raw):
            return samples
        steps = np.append(samples.steps, self.steps - 1)
        return Samples(steps, np.concatenate([samples.raw, last.raw[np.newaxis]]), samples.frac, samples.unit)

    def weight_samples(self, array: str) -> Samples:
        """The snapshots of a synapse variable (`PROJECTION.VARIABLE`) as they were taken, without the final values."""
        if array not in self.snapshots:
            raise self._unknown("weight snapshots of", array, self.snapshots)
        return self._samples(f"neuroport/weights/{array}")

    def weights(self, name: str, index: int = -1) -> Weights:
        """One snapshot of a projection's weights with the neurons that they connect; by default the last."""
        history = self.weight_history(name)
        try:
            step, raw = int(history.steps[index]), history.raw[index]
        except IndexError:
            message = f"has {len(history.steps)} snapshots of '{name}'; there is none with index {index}"
            raise InvalidInput.one(Place(str(self.path)), message) from None
        pre, post = self.pairs(name.partition(".")[0])
        return Weights(step, pre, post, raw, history.frac)

    def final_array(self, array: str) -> Final:
        """A state, weight or other array as it was at the end of the run."""
        if array not in self.final:
            raise self._unknown("final values of", array, self.final)
        with self._file() as file:
            item = file[f"neuroport/final/{array}"]
            attributes = item.attrs
            return Final(item[()], _frac(attributes), str(attributes["owner"]), str(attributes["role"]))

    def setting(self, name: str) -> NDArray[Any]:
        """What a parameter or static weight was set to last, in coherent units, before any circuit deviates.

        One number (shape ()) or one per element.
        """
        if name not in self.settings:
            raise self._unknown("setting of", name, self.settings)
        with self._file() as file:
            return np.asarray(file[f"neuroport/set/{name}"][()])

    def pairs(self, projection: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The presynaptic and postsynaptic neurons of a projection's synapses."""
        if projection not in self.projections:
            raise self._unknown("synapses of", projection, self.projections)
        with self._file() as file:
            group = file[f"neuroport/projections/{projection}"]
            return group["pre"][()].astype(np.int64), group["post"][()].astype(np.int64)

    def network(self) -> Network:
        """The network as it was run, before learning."""
        from neuroport.files import network as reader

        return reader.loads(self.network_text, f"{self.path} (network)", self.folder or ".")

    def _samples(self, name: str) -> Samples:
        with self._file() as file:
            group = file[name]
            unit = str(group.attrs.get("unit", ""))
            return Samples(group["steps"][()], group["raw"][()], _frac(group.attrs), unit)

    def _unknown(self, what: str, name: str, known: tuple[str, ...]) -> InvalidInput:
        there = f"it has those of {', '.join(known)}" if known else "it has none at all"
        return InvalidInput.one(Place(str(self.path)), f"holds no {what} '{name}'; {there}")


def open_trace(path: str | Path) -> Trace:
    """Open a trace; raises InvalidInput saying what is wrong with a file that is none."""
    path = Path(path)
    with _readable(path) as file:
        group = file["neuroport"]
        attributes = group.attrs
        sizes = {name: int(item.attrs["size"]) for name, item in _items(group, "populations")}
        return Trace(
            path=path,
            name=str(attributes["name"]),
            network_text=_text(group["network"]),
            folder=str(attributes.get("folder", "")),
            backend=str(attributes["backend"]),
            arithmetic=str(attributes["arithmetic"]),
            arithmetic_version=int(attributes.get("arithmetic_version", 1)),
            chip=str(attributes["chip"]),
            chip_text=_text(group["chip"]),
            chip_seed=int(attributes["chip_seed"]) if "chip_seed" in attributes else None,
            seed=int(attributes["seed"]),
            dt=float(attributes["dt"]),
            copies=int(attributes.get("copies", 1)),
            steps=int(attributes["steps"]),
            digest=str(attributes["digest"]),
            complete=bool(attributes["complete"]),
            build_s=float(attributes.get("build_s", 0.0)),
            run_s=float(attributes.get("run_s", 0.0)),
            versions={name: str(value) for name, value in group["versions"].attrs.items()},
            populations=sizes,
            recorded=tuple(file["spikes"]) if "spikes" in file else (),
            projections=tuple(name for name, _ in _items(group, "projections")),
            records=tuple(name for name, _ in _items(group, "records")),
            snapshots=tuple(name for name, _ in _items(group, "weights")),
            final=tuple(name for name, _ in _items(group, "final")),
            settings=tuple(name for name, _ in _items(group, "set")),
            knows_settings=bool(attributes["complete"]) or "set" in group,
            spike_counts=_counts(group, "spike_counts"),
            overflows=_counts(group, "overflows"),
            metrics={name: _metric(item) for name, item in _items(group, "metrics")},
            report=tuple(json.loads(_text(group["report"]))),
        )


def other_arithmetic(trace: Trace) -> Iterator[str]:
    """What to say to those who go on from the trace, when this neuroport calculates with other integers."""
    if trace.integer and trace.arithmetic_version != VERSION:
        yield (
            f"'{trace.path}' was computed with version {trace.arithmetic_version} of the integer arithmetic, and this "
            f"neuroport has version {VERSION}: it goes on from the same values, but with other bits"
        )


def is_trace(path: str | Path) -> bool:
    """Whether a path looks like a trace or the parts of one, by its first bytes or its name."""
    path = Path(path)
    if path.is_dir():
        return path.suffix == ".part"
    if path.suffix in (".h5", ".hdf5"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(8) == b"\x89HDF\r\n\x1a\n"
    except OSError:
        return False


@contextmanager
def _readable(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file at `path`, known to be a trace; problems with the file become sentences."""
    import h5py

    place = Place(str(path))
    if not path.exists():
        parts = parts_folder(path)
        hint = f"; its run did not end: join its parts with 'neuroport show {parts}'" if parts.is_dir() else ""
        raise InvalidInput.one(place, f"there is no such file{hint}")
    if path.is_dir():
        raise InvalidInput.one(place, "is a folder; give the name of a trace file")
    try:
        with h5py.File(path, "r") as file:
            if "neuroport" not in file:
                text = "is an HDF5 file, but no trace: the group /neuroport is missing"
                raise InvalidInput.one(place, text)
            number = int(file["neuroport"].attrs.get("format", 0))
            if number != FORMAT:
                text = f"has trace format {number}; this version of neuroport reads format {FORMAT}"
                raise InvalidInput.one(place, text)
            yield file
    except PermissionError:
        raise InvalidInput.one(place, "cannot be read: permission denied") from None
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        reason = str(error).split("(", 1)[-1].rstrip(")") or type(error).__name__
        text = f"cannot be read as a trace ({reason}); it is damaged, cut off, or another kind of file"
        raise InvalidInput.one(place, text) from None


def _items(group: h5py.Group, name: str) -> list[tuple[str, Any]]:
    return list(group[name].items()) if name in group else []


def _text(dataset: Any) -> str:
    value = dataset[()]
    return value.decode() if isinstance(value, bytes) else str(value)


def _frac(attributes: Any) -> int | None:
    return int(attributes["frac"]) if "frac" in attributes else None


def _counts(group: h5py.Group, name: str) -> dict[str, int]:
    if name not in group:
        return {}
    names = group[f"{name}/names"].asstr()[()]
    return dict(zip(map(str, names), map(int, group[f"{name}/counts"][()]), strict=True))


def _metric(item: Any) -> list[tuple[int, Any]]:
    return list(zip(item["steps"][()].tolist(), item["values"][()].tolist(), strict=True))
