"""Spikes of a trace as data of a NIR graph, for tools that compare what hardware did: one node per population.

The form is that of `nir.read_data` (nir 1.0.8): groups with an attribute `__type__`. A spike of step k is an event in
the middle of that step, (k + 1/2) * dt in seconds: versions of nir that take events for the beginning of a step of
their grid, and those that take them for its end, put it into step k.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import opened
from neuroport.disk.output import check_output, new_hdf5
from neuroport.errors import InvalidInput, Place
from neuroport.trace.read import Trace

if TYPE_CHECKING:
    import h5py

ENDINGS = (".nird",)
KIND = Kind("NIR data", "write it again")
GRAPH, NODE, EVENTS = "NIRGraphData", "NIRNodeData", "EventData"
TYPE = "__type__"


def write(trace: Trace, path: str | Path, overwrite: bool = False) -> None:
    """Write the recorded spikes of a trace; only an earlier file of this kind is replaced. InvalidInput without any."""
    check_output(path, overwrite, "NIR data", ENDINGS, (trace.path,), is_nird)
    if not trace.recorded:
        text = "has no spikes, which NIR data is made of; name populations in `record: {spikes: …}` and run it again"
        raise InvalidInput.one(Place(str(trace.path)), text)
    with new_hdf5(path) as file:
        file.attrs[TYPE] = GRAPH
        nodes = file.create_group("nodes")
        for population in trace.recorded:
            node = nodes.create_group(population)
            node.attrs[TYPE] = NODE
            _events(node.create_group("observables/spikes"), trace, population)


def _events(group: h5py.Group, trace: Trace, population: str) -> None:
    """One sample of events for each copy: neurons and times (copies, n), with -1 and inf where there are no more."""
    spikes, copies = trace.spikes(population), trace.copies
    many = np.bincount(spikes.neurons % copies, minlength=copies)
    neurons = np.full((copies, many.max()), -1, np.int64)
    times = np.full((copies, many.max()), np.inf)
    for copy, count in enumerate(many.tolist()):
        of = spikes.neurons % copies == copy
        neurons[copy, :count] = spikes.neurons[of] // copies
        times[copy, :count] = (spikes.steps[of] + 0.5) * trace.dt / 1000
    group.attrs[TYPE] = EVENTS
    group.attrs["n_neurons"] = trace.populations[population] // copies
    group.attrs["t_max"] = trace.steps * trace.dt / 1000
    group["idx"], group["time"] = neurons, times


def is_nird(path: str | Path) -> bool:
    """Whether a file is NIR data."""
    try:
        with opened(path, KIND) as root:
            return root.text(TYPE, "") == GRAPH
    except InvalidInput:
        return False
