"""What a trace holds, as the tables of pandas, xarray and Neo, and its spikes as a file; each is an extra.

Times are in ms and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroport.disk.output import check_output, write_bytes
from neuroport.errors import InvalidInput, Place, Unsupported
from neuroport.trace.read import Trace
from neuroport.trace.write import unit_of

if TYPE_CHECKING:
    import neo
    import pandas
    import xarray

QUANTITIES = {"ms": "ms", "mV": "mV", "nA": "nA", "Hz": "Hz", "uS": "uS", "nF": "nF", "MOhm": "Mohm"}
"""Units as Neo's package has them; all others are numbers without one."""


def needed(package: str, extra: str) -> Any:
    """A package that is not needed otherwise; Unsupported, with what to install, where it is not there."""
    try:
        return import_module(package)
    except ImportError:
        text = f"this needs the package {package}; install it with: pip install 'neuroport[{extra}]'"
        raise Unsupported(text) from None


def spike_frame(trace: Trace, populations: Sequence[str] = ()) -> pandas.DataFrame:
    """A row for every spike: population, neuron, step, time_ms. populations: whose; none: of all that were recorded."""
    pandas = needed("pandas", "tables")
    rows = [(name, trace.spikes(name)) for name in populations or trace.recorded]
    names = pandas.Categorical.from_codes(
        np.repeat(np.arange(len(rows)), [len(spikes.steps) for _, spikes in rows]), [name for name, _ in rows]
    )
    columns = {
        "neuron": _joined(spikes.neurons for _, spikes in rows),
        "step": _joined(spikes.steps for _, spikes in rows),
        "time_ms": _joined(spikes.times for _, spikes in rows).astype(np.float64),
    }
    return pandas.DataFrame({"population": names, **columns})


def _joined(parts: Iterator[Any]) -> Any:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def metric_frame(metrics: Mapping[str, Sequence[tuple[int, Any]]], dt: float) -> pandas.DataFrame:
    """A row for every number that was measured: metric, element (0, or its place in a list), step, time_ms, value."""
    pandas = needed("pandas", "tables")
    rows = [
        (name, element, step, step * dt, number)
        for name, points in metrics.items()
        for step, value in points
        for element, number in enumerate(np.atleast_1d(np.asarray(value, np.float64)).tolist())
    ]
    return pandas.DataFrame(rows, columns=["metric", "element", "step", "time_ms", "value"])


def data_array(trace: Trace, name: str) -> xarray.DataArray:
    """What was sampled of `POPULATION.VARIABLE`, (time, neuron), or `PROJECTION.VARIABLE`, (time, synapse).

    Samples were taken after steps `step`, and their times are those of these steps in ms, like those of spikes.
    Synapses have the coordinates pre and post, where they are known.
    """
    package = needed("xarray", "tables")
    synaptic = name in trace.snapshots
    samples = trace.weight_samples(name) if synaptic else trace.record(name)
    cells = "entry" if name in trace.extent.shared else "synapse" if synaptic else "neuron"
    dims = ("time", cells, "copy")[: samples.raw.ndim]
    coords: dict[str, Any] = {
        "time": ("time", samples.steps * trace.dt, {"units": "ms"}),
        "step": ("time", samples.steps),
    }
    coords[cells] = np.arange(samples.raw.shape[1]) if samples.neurons is None else samples.neurons
    if cells == "synapse" and trace.extent.topology:
        pre, post = trace.pairs(name.partition(".")[0])
        coords |= {"pre": (cells, pre), "post": (cells, post)}
    unit = samples.unit or _unit(trace, name)
    made: xarray.DataArray = package.DataArray(samples.values, coords, dims, name, {"units": unit} if unit else {})
    return made


def _unit(trace: Trace, name: str) -> str:
    try:
        return unit_of(trace.network(), name)
    except InvalidInput:
        return ""


def dataset(trace: Trace) -> xarray.Dataset:
    """All that was sampled, by name. What was sampled at other times has an axis of time of its own."""
    package = needed("xarray", "tables")
    arrays = [data_array(trace, name) for name in (*trace.records, *trace.snapshots)]
    renamed = {array.name: array.rename(_own(str(array.name), array)) for array in arrays}
    described = {"network": trace.name, "chip": trace.chip, "seed": trace.seed, "dt_ms": trace.dt}
    made: xarray.Dataset = package.Dataset(
        renamed, attrs=described | {"digest": trace.digest, "complete": int(trace.complete)}
    )
    return made


def _own(name: str, array: xarray.DataArray) -> dict[Any, str]:
    """The axes and coordinates of an array by names that no other one has."""
    owner = name.partition(".")[0]
    axes = {axis: f"{axis}_{name if axis == 'time' else owner}" for axis in array.dims}
    others = [coordinate for coordinate in array.coords if coordinate not in array.dims]
    return axes | {other: f"{other}_{name if other == 'step' else owner}" for other in others}


def block(trace: Trace) -> neo.Block:
    """A block of Neo with one segment: a train for every neuron, and a signal for every sampled state."""
    neo, quantities = needed("neo", "neo"), needed("quantities", "neo")
    end = trace.steps * trace.dt * quantities.ms
    told = {"chip": trace.chip, "seed": trace.seed, "digest": trace.digest, "complete": trace.complete}
    made = neo.Block(name=trace.name, file_origin=str(trace.path), **told)
    segment = neo.Segment(name=trace.name)
    made.segments.append(segment)
    for name in trace.recorded:
        for neuron, times in trains(trace, name):
            told = {"population": name, "neuron": neuron}
            train = neo.SpikeTrain(times * quantities.ms, t_stop=end, name=f"{name} {neuron}", **told)
            segment.spiketrains.append(train)
    for name in trace.records:
        _add_signal(neo, quantities, segment, trace, name)
    return made


def _add_signal(neo: Any, quantities: Any, segment: Any, trace: Trace, name: str) -> None:
    """Add the samples of a state: at equal distances in time where they are."""
    samples = trace.record(name)
    values, times = samples.values, samples.steps * trace.dt
    unit = QUANTITIES.get(samples.unit, "dimensionless")
    of = {} if name not in trace.extent.parts else {"array_annotations": {"neuron": samples.neurons}}
    gaps = np.unique(np.diff(samples.steps))
    if len(gaps) == 1:
        start, period = times[0] * quantities.ms, gaps[0] * trace.dt * quantities.ms
        signal = neo.AnalogSignal(values, units=unit, t_start=start, sampling_period=period, name=name, **of)
        segment.analogsignals.append(signal)
    else:
        signal = neo.IrregularlySampledSignal(times * quantities.ms, values, units=unit, name=name, **of)
        segment.irregularlysampledsignals.append(signal)


def trains(trace: Trace, population: str) -> Iterator[tuple[int, Any]]:
    """The times of the spikes, in ms, of every neuron whose spikes are recorded, with its number."""
    spikes, neurons = trace.spikes(population), trace.neurons(population)
    order = np.argsort(spikes.neurons, kind="stable")
    ends = np.searchsorted(spikes.neurons[order], neurons[1:])
    return zip(neurons.tolist(), np.split(spikes.times[order], ends), strict=True)


# ----------------------------------------------------------------------------------------------------------- as files


def _csv(trace: Trace) -> bytes:
    """Lines of population,neuron,time_ms below a line with these names."""
    text = StringIO()
    text.write("population,neuron,time_ms\n")
    for name in trace.recorded:
        spikes = trace.spikes(name)
        rows = zip(spikes.neurons.tolist(), spikes.times.tolist(), strict=True)
        text.writelines(f"{name},{neuron},{time:.12g}\n" for neuron, time in rows)
    return text.getvalue().encode()


def _npz(trace: Trace) -> bytes:
    """Arrays POPULATION.neurons, POPULATION.steps, POPULATION.times_ms."""
    arrays: dict[str, Any] = {}
    for name in trace.recorded:
        spikes = trace.spikes(name)
        arrays |= {f"{name}.neurons": spikes.neurons, f"{name}.steps": spikes.steps, f"{name}.times_ms": spikes.times}
    written = BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


def _nwb(trace: Trace) -> bytes:
    """Neurodata Without Borders: a table of units, one for every neuron; times in s, as it has them."""
    import h5py

    pynwb = needed("pynwb", "nwb")
    now = _made(trace)
    told = f"{trace.name} on {trace.chip}, seed {trace.seed}, emulated by neuroport"
    file = pynwb.NWBFile(session_description=told, identifier=trace.digest or str(trace.path), session_start_time=now)
    file.add_unit_column("population", "the population of the neuron")
    file.add_unit_column("neuron", "its number in the population")
    for name in trace.recorded:
        for neuron, times in trains(trace, name):
            file.add_unit(spike_times=times / 1000, population=name, neuron=neuron)
    written = BytesIO()
    with h5py.File(written, "w") as held, pynwb.NWBHDF5IO(file=held, mode="w") as out:
        out.write(file)
    return written.getvalue()


def _made(trace: Trace) -> Any:
    """When the file of a trace was last written, which NWB asks for."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(trace.path.stat().st_mtime, UTC)


FILES: dict[str, Callable[[Trace], bytes]] = {".csv": _csv, ".npz": _npz, ".nwb": _nwb}
"""What spikes are written as, by the ending of the name."""


def write_spikes(trace: Trace, path: str | Path, overwrite: bool = False) -> None:
    """Write all spikes of a trace: CSV, npz or NWB by the ending of the path.

    InvalidInput for another ending, a file that is there, or a trace without spikes; Unsupported where a package is
    missing.
    """
    check_output(path, overwrite, "a file of spikes", FILES, (trace.path,))
    if not trace.recorded:
        text = "has no spikes; run its network with `record: {spikes: [POPULATION]}`"
        raise InvalidInput.one(Place(str(trace.path)), text)
    write_bytes(path, FILES[Path(path).suffix.lower()](trace))
