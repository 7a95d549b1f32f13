"""Samples of the input of a graph: what is shown to its network, and which ranges are found with."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.build.network import Network
from neuroport.disk.numbers import is_plain
from neuroport.errors import InvalidInput, Place
from neuroport.nir.connect import order
from neuroport.nir.kinds import shown
from neuroport.nir.maps import Real, Shape
from neuroport.nir.network import Made
from neuroport.yaml.arrays import read_dataset

NAME = "sample"


def read(path: str | Path, inputs: list[str]) -> dict[str, NDArray[Any]]:
    """The samples in a file by Input: of several Inputs, and of HDF5 files, the array has the name of the Input."""
    file = Path(path)
    if file.suffix in (".npy", ".csv"):
        if len(inputs) > 1:
            text = f"the graph has the Inputs {', '.join(inputs)}; give an .npz or HDF5 file with an array for each"
            raise InvalidInput.one(Place(str(path)), text)
        return {inputs[0]: read_dataset(file, "")}
    if is_plain(file) and len(inputs) == 1:
        return {inputs[0]: read_dataset(file, "")}
    return {name: read_dataset(file, name) for name in inputs}


def checked(samples: Mapping[str, Any], shapes: Mapping[str, Shape], file: str = "") -> dict[str, Real]:
    """Samples (samples, steps, *shape) of each Input; one may be (steps, *shape). InvalidInput for others."""
    place = Place(file) if file else None
    made: dict[str, Real] = {}
    for name, shape in shapes.items():
        if name not in samples:
            raise InvalidInput.one(place, f"there are no samples of Input '{name}'; give them under that name")
        values = np.asarray(samples[name])
        flat = prod(shape)
        if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            raise InvalidInput.one(place, f"samples of Input '{name}' must be finite numbers")
        if values.ndim == 1 and flat == 1:
            values = values[:, None]
        for whole in (shape, (flat,)):
            if values.shape[1:] == whole and values.ndim == 1 + len(whole):
                values = values[None]
            if values.ndim == 2 + len(whole) and values.shape[2:] == whole and 0 not in values.shape:
                made[name] = values.reshape(*values.shape[:2], flat).astype(np.float64)
                break
        else:
            text = f"samples of Input '{name}' have the shape {shown(values.shape)}; they must have (steps, "
            each = shown(shape)[1:-1].rstrip(",")
            raise InvalidInput.one(place, f"{text}{each}), or (samples, steps, {each})")
    sizes = {name: values.shape[:2] for name, values in made.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"'{name}' {shown(size)}" for name, size in sizes.items())
        raise InvalidInput.one(place, f"samples of all Inputs must have as many samples and steps; they have {told}")
    return made


def are_spikes(samples: Mapping[str, Real]) -> bool:
    """Whether they hold nothing but 0 and 1."""
    return all(bool(np.isin(values, (0, 1)).all()) for values in samples.values())


def show(network: Network, made: Made, samples: Mapping[str, Real]) -> None:
    """Add what is shown, and a protocol that shows all of it, and waits until it has gone through all nodes."""
    spikes = made.choices["input"] == "spikes"
    first = ""
    if spikes and not are_spikes(samples):
        raise InvalidInput.one(
            None, "samples hold other numbers than 0 and 1, and spikes are 0 or 1; take values as input"
        )
    for name, values in samples.items():
        population = made.populations[name]
        rows = values[:, :, order(made.shapes[name])]
        waited = np.concatenate([rows, np.zeros((len(rows), made.depth, rows.shape[2]))], axis=1)
        given: Any = waited.astype(np.int64) if spikes else waited
        called = NAME if len(samples) == 1 else f"{NAME}_{population}"
        input_ = "spike_in" if spikes else "x"
        if len(given) == 1:
            network.stimulus(called, population, series={"values": given[0], "every": "1 step"}, input=input_)
        else:
            frames = given.shape[1]
            patterns: dict[str, Any] = {"values": given.reshape(len(given), -1), "frames": frames}
            patterns |= {"beside": first} if first else {"hold": f"{frames} steps"}
            network.stimulus(called, population, patterns=patterns, input=input_)
        first = first or called
    whole = next(iter(samples.values()))
    if len(whole) == 1:
        network.protocol({"run": f"{whole.shape[1] + made.depth} steps"})
    else:
        network.protocol({"present": first, "each": [{"at": "end", "reset": list(made.populations.values())}]})
