"""Reading traces: what a run recorded, where it came from, and how it ended. The layout: docs/traces.md."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroport.disk.paths import unreadable
from neuroport.errors import InvalidInput, Place
from neuroport.numerics.given import LIST, PATH, TEXT, WHOLE, Kind, takes
from neuroport.pages.html import html
from neuroport.pages.plain import brief
from neuroport.program.fixed import VERSION
from neuroport.trace import checked
from neuroport.trace.arrays import network_array
from neuroport.trace.checked import Extent
from neuroport.trace.summary import page, summary

if TYPE_CHECKING:
    import neo
    import pandas
    import xarray
    from matplotlib.figure import Figure

    from neuroport.disk.hdf5 import Group
    from neuroport.network.network import Network

TRACES = Kind("a list of traces", lambda value: LIST.fits(value) and all(isinstance(one, Trace) for one in value))
LEFT_OUT = "has neither the synapses nor their final values, as its network says record: {topology: none}"


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
    `neurons`: the numbers of those of a population that were sampled, int64 (size,).
    """

    steps: NDArray[np.int64]
    raw: NDArray[Any]
    frac: int | None
    unit: str = ""
    neurons: NDArray[np.int64] | None = None

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
    extent: Extent
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
    chip_description: str  # as YAML; "" in traces of early versions
    chip_seed: int | None
    seed: int
    dt: float  # ms
    steps: int
    digest: str
    complete: bool
    resumable: bool  # whether `neuroport run --resume` can go on with the run
    ended: bool  # whether the run came to its end; also of one of which parts were lost
    missing: tuple[tuple[int, int], ...]  # from which step to which nothing is known, since parts were lost
    build_s: float
    run_s: float
    versions: Mapping[str, str]
    copy: int  # of independent copies with parameters of their own, which this one is; 0 elsewhere
    own_parameters: Mapping[str, NDArray[np.float64]]  # of which each copy has its own: (copies,), in coherent units
    copies: int  # that share what they learn; neuron i of copy c has the number i * copies + c
    populations: Mapping[str, int]  # name -> neurons, of all copies together
    recorded: tuple[str, ...]  # populations whose spikes are in the file
    projections: tuple[str, ...]
    connects: Mapping[str, tuple[str, str]]  # projection -> its source and target
    weight_arrays: Mapping[str, str]  # projection -> its array of weights, "" where it has none
    records: tuple[str, ...]  # sampled population arrays
    snapshots: tuple[str, ...]  # projection arrays with snapshots in time
    final: tuple[str, ...]  # arrays kept from the end of the run
    settings: tuple[str, ...]  # dynamic parameters and static weights that were set while the network ran
    knows_settings: bool  # False after `kill -9`: what was set is lost
    spike_counts: Mapping[str, int]
    overflows: Mapping[str, int]
    metrics: Mapping[str, list[tuple[int, Any]]]  # name -> (step, number or list)
    report: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        return brief("Trace", summary(self))

    def _repr_html_(self) -> str:
        return html(page(self))

    @property
    def integer(self) -> bool:
        """Whether it was computed in integers, so that its bits belong to one version of the arithmetic."""
        return self.arithmetic == "integer"

    @takes(population=TEXT)
    def spikes(self, population: str) -> Spikes:
        """The recorded spikes of a population."""
        if population not in self.recorded:
            raise self._unknown("spikes of", population, self.recorded)
        with checked.opened(self.path, known=True) as root:
            return Spikes(*checked.read_spikes(root, population, self.extent))

    @takes(population=TEXT)
    def neurons(self, population: str) -> NDArray[np.int64]:
        """The numbers of the neurons of a population whose spikes are recorded."""
        if population not in self.recorded:
            raise self._unknown("spikes of", population, self.recorded)
        part = self.extent.parts.get(population)
        size = self.populations[population]
        return checked.sampled_neurons(part, size if part is None else len(part) * self.copies)

    @property
    def whole_records(self) -> tuple[str, ...]:
        """The arrays of `records` of which all neurons were sampled."""
        return tuple(name for name in self.records if name not in self.extent.parts)

    @takes(array=TEXT)
    def record(self, array: str) -> Samples:
        """The samples of a population's variable, `POPULATION.VARIABLE`."""
        if array not in self.records:
            raise self._unknown("samples of", array, self.records)
        return self._samples("records", array)

    @takes(projection=TEXT)
    def weight_array(self, projection: str) -> str:
        """The name of a projection's weight array; InvalidInput for a projection that there is not."""
        if projection not in self.weight_arrays:
            raise self._unknown("weights of", projection, tuple(self.weight_arrays))
        return self.weight_arrays[projection]

    @takes(name=TEXT)
    def weight_history(self, name: str) -> Samples:
        """All snapshots of a projection's weights (`PROJECTION` or `PROJECTION.VARIABLE`), the final ones last."""
        array = self.weight_array(name) if name in self.projections else name
        if array in self.snapshots:
            samples = self._samples("weights", array)
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

    @takes(array=TEXT)
    def weight_samples(self, array: str) -> Samples:
        """The snapshots of a synapse variable (`PROJECTION.VARIABLE`) as they were taken, without the final values."""
        if array not in self.snapshots:
            raise self._unknown("weight snapshots of", array, self.snapshots)
        return self._samples("weights", array)

    @takes(name=TEXT, index=WHOLE)
    def weights(self, name: str, index: int = -1) -> Weights:
        """One snapshot of a projection's weights with the neurons that they connect; by default the last."""
        history = self.weight_history(name)
        try:
            step, raw = int(history.steps[index]), history.raw[index]
        except IndexError:
            message = f"has {len(history.steps)} snapshots of '{name}'; there is none with index {index}"
            raise InvalidInput.one(Place(str(self.path)), message) from None
        pre, post = self.pairs(name.partition(".")[0])
        if name in self.extent.shared:
            with checked.opened(self.path, known=True) as root:
                raw = raw[checked.entries(root, name, self.extent)]
        return Weights(step, pre, post, raw, history.frac)

    @takes(array=TEXT)
    def final_array(self, array: str) -> Final:
        """A state, weight or other array as it was at the end of the run."""
        if array not in self.final:
            raise self._unknown("final values of", array, self.final)
        with checked.opened(self.path, known=True) as root:
            item = checked.final(root.group("neuroport"), array, self.extent)
            return Final(item.numbers(), checked.frac(item), item.text("owner"), item.text("role"))

    @takes(name=TEXT)
    def setting(self, name: str) -> NDArray[Any]:
        """What a parameter or static weight was set to last, in coherent units, before any circuit deviates.

        One number (shape ()) or one per element.
        """
        if name not in self.settings:
            raise self._unknown("setting of", name, self.settings)
        with checked.opened(self.path, known=True) as root:
            return checked.setting(root.group("neuroport"), name, self.extent).real_numbers(finite=True)

    @takes(projection=TEXT)
    def pairs(self, projection: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The presynaptic and postsynaptic neurons of a projection's synapses."""
        known = self.projections if self.extent.topology else ()
        if projection not in known:
            raise self._unknown("synapses of", projection, known)
        with checked.opened(self.path, known=True) as root:
            return checked.pairs(root, projection, self.extent)

    def plot(
        self,
        *panels: str,
        populations: Sequence[str] = (),
        neurons: Any = None,
        start: float | str | None = None,
        stop: float | str | None = None,
        size: tuple[float, float] | None = None,
        style: str = "light",
        beside: Sequence[Trace] = (),
    ) -> Figure:
        """A figure of matplotlib of this trace; `figure.savefig("out.png")` writes it.

        panels: "spikes", "rates", "states", "weights", "metrics", "matrix", "distribution"; none: what there is of
        spikes, states, weights and metrics. populations: of whom (none: of all). neurons: their numbers, a number, or a
        text such as "0:10,17". start, stop: ms, or a time such as "1 s". size: width and height in inches. style:
        "light", "dark", or a style of matplotlib. beside: other traces, shown over each other; those of one network
        and chip also as mean +- standard deviation. InvalidInput for what is not there; Unsupported without matplotlib.
        """
        from neuroport.trace.pictures.figure import drawn
        from neuroport.trace.pictures.view import viewed

        view = viewed(self, panels, populations, neurons, start, stop, size, style)
        return drawn((self, *TRACES.checked("beside", beside)), view)

    @takes(populations=TEXT)
    def to_pandas(self, *populations: str) -> pandas.DataFrame:
        """A row for every spike, of these populations or of all: population, neuron, step, time_ms. See `metric_frame`.

        Unsupported without pandas (`pip install 'neuroport[tables]'`).
        """
        from neuroport.trace.tables import spike_frame

        return spike_frame(self, populations)

    def metric_frame(self) -> pandas.DataFrame:
        """A row for every number that was measured: metric, element, step, time_ms, value (a frame of pandas)."""
        from neuroport.trace.tables import metric_frame

        return metric_frame(self.metrics, self.dt)

    @takes(name=TEXT.or_none)
    def to_xarray(self, name: str | None = None) -> xarray.DataArray | xarray.Dataset:
        """What was sampled of OBJECT.VARIABLE, by time (ms) and neuron or synapse; without a name all of it.

        Unsupported without xarray (`pip install 'neuroport[tables]'`).
        """
        from neuroport.trace.tables import data_array, dataset

        return dataset(self) if name is None else data_array(self, name)

    def to_neo(self) -> neo.Block:
        """Spike trains and sampled states as a block of Neo (`pip install 'neuroport[neo]'`)."""
        from neuroport.trace.tables import block

        return block(self)

    def network(self) -> Network:
        """The network as it was run, before learning; of independent copies with own parameters this one.

        InvalidInput where the trace is not of that network.
        """
        from neuroport.files import network as reader

        arrays = partial(network_array, self.path, checked.KIND)
        network = reader.loads(self.network_text, f"{self.path} (network)", self.folder or ".", arrays=arrays)
        sizes = {population.name: population.size * self.copies for population in network.populations}
        here, there = _listed(self.populations, self.projections), _listed(sizes, [p.name for p in network.projections])
        if here != there:
            text = f"this trace is damaged: it has {here}, and the network in it {there}; {checked.KIND.advice}"
            raise InvalidInput.one(Place(str(self.path)), text)
        return self._as_copy(network)

    def _as_copy(self, network: Network) -> Network:
        """The network with the one copy that the run was, where independent ones have parameters of their own."""
        if self.copies > 1 or not self.own_parameters:
            return network
        from neuroport.network.values import ArrayValue, Frozen
        from neuroport.trace.write import unit_of

        values = self.own_parameters.items()
        own = {name: ArrayValue(Frozen(numbers), unit_of(network, name)) for name, numbers in values}
        return replace(network, copies=1, own_parameters=tuple(own.items()))

    @property
    def lacks(self) -> str:
        """What a trace does not have of its run: "the run was cut off after step 99"; "" if it has all."""
        where = f"after step {self.steps - 1}" if self.steps else "before its first step"
        cut_off = [] if self.ended else [f"the run was cut off {where}"]
        lost = [f"nothing is known of {self.lost}"] if self.missing else []
        return " and ".join([*cut_off, *lost]) or ("" if self.complete else "parts of it were lost")

    @property
    def lost(self) -> str:
        """The steps of which nothing is known: "steps 100 to 199, 300 to 399"; "" if there are none."""
        each = (f"{first:,} to {last:,}" if first < last else f"{first:,}" for first, last in self.missing)
        return f"steps {', '.join(each)}" if self.missing else ""

    def cut_off(self) -> Iterator[str]:
        """What to say of a trace that does not have all of its run."""
        if not self.complete:
            yield f"'{self.path}' is incomplete: {self.lacks}"

    def left_out(self) -> Iterator[str]:
        """What to say of a trace that was told to have no synapses."""
        if not self.extent.topology and self.projections:
            yield f"'{self.path}' {LEFT_OUT}"

    def _samples(self, kind: str, array: str) -> Samples:
        with checked.opened(self.path, known=True) as root:
            found = checked.sampled(root.group("neuroport").group(kind), array, self.extent)
            steps = found.steps.whole_numbers(0, self.steps - 1, ascending=True)
            raw = found.raw.numbers()
            neurons = checked.sampled_neurons(self.extent.parts.get(array), raw.shape[1]) if kind == "records" else None
            return Samples(steps, raw, found.frac, found.unit, neurons)

    def _unknown(self, what: str, name: str, known: tuple[str, ...]) -> InvalidInput:
        if not self.extent.topology and name.partition(".")[0] in self.projections:
            return InvalidInput.one(Place(str(self.path)), f"holds no {what} '{name}': it {LEFT_OUT}")
        there = f"it has those of {', '.join(known)}" if known else "it has none at all"
        return InvalidInput.one(Place(str(self.path)), f"holds no {what} '{name}'; {there}")


@takes(path=PATH)
def open_trace(path: str | Path) -> Trace:
    """Open a trace; raises InvalidInput saying what is wrong with a file that is none, or is damaged."""
    path = Path(path)
    with checked.opened(path) as root:
        return _trace(path, root, checked.extent(root))


def _trace(path: Path, root: Group, extent: Extent) -> Trace:
    """What stands in the header; damage is noted."""
    group = root.group("neuroport")
    complete = group.flag("complete")
    projections = group.groups("projections")
    return Trace(
        path=path,
        extent=extent,
        **checked.header(group),
        dt=extent.dt,
        copies=extent.copies,
        own_parameters=checked.own_parameters(group, extent.copies),
        steps=extent.steps,
        digest=group.text("digest"),
        complete=complete,
        resumable=group.has("checkpoint"),
        ended=group.flag("ended") if group.has_attribute("ended") else complete,
        missing=checked.missing(group),
        build_s=group.real("build_s", 0.0),
        run_s=group.real("run_s", 0.0),
        populations=extent.populations,
        recorded=checked.recorded(root, extent),
        projections=tuple(projections),
        connects={name: (item.text("source"), item.text("target")) for name, item in projections.items()},
        weight_arrays={name: item.text("weight") for name, item in projections.items()},
        records=checked.all_sampled(group, "records", extent),
        snapshots=checked.all_sampled(group, "weights", extent),
        final=checked.all_final(group, extent),
        settings=checked.settings(group, extent),
        knows_settings=complete or group.has("set"),
        spike_counts=checked.counts(group, "spike_counts"),
        overflows=checked.counts(group, "overflows"),
        metrics={name: checked.metric(item, extent) for name, item in group.groups("metrics").items()},
    )


def _listed(populations: Mapping[str, int], projections: Sequence[str]) -> str:
    """What a network consists of."""
    sizes = ", ".join(f"{name} ({size})" for name, size in populations.items())
    return f"the populations {sizes} and the projections {', '.join(projections) or '(none)'}"


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
    if os.path.isdir(path):
        return path.suffix == ".part"
    if path.suffix in (".h5", ".hdf5"):
        return True
    try:
        if unreadable(path, ""):
            return False
        with path.open("rb") as file:
            return file.read(8) == b"\x89HDF\r\n\x1a\n"
    except OSError:
        return False
