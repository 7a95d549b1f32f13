"""Networks as YAML files that stand alone: shipped models by name, others inside, large arrays beside it in HDF5.

What is written reads back to an equal network. Relative paths of files that the network names are rewritten when the
new file lies in another folder. Each part is written where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from neuroport.disk.findings import DAMAGE
from neuroport.disk.output import check_output, new_file, new_hdf5
from neuroport.errors import InvalidInput
from neuroport.files import library
from neuroport.files.copies import written_copies
from neuroport.files.models import written_neuron, written_synapse
from neuroport.files.objects import written_population, written_projection
from neuroport.files.ports import written_port
from neuroport.files.protocol import written_item
from neuroport.files.stimuli import written_stimulus
from neuroport.files.targets import written_target
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.network import Network
from neuroport.network.results import Readout, Recording, Samples
from neuroport.numerics.parts import named
from neuroport.yaml import text as emit
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report
from neuroport.yaml.quantities import written_quantity
from neuroport.yaml.text import Code, filled

ENDINGS = (".yaml", ".yml")
"""The endings of network files."""
MARK, EXPORTED = "neuroport", "numbers of an exported network"
"""The attribute of a file of numbers that says where it comes from, and what it says."""
_NETWORK = re.compile(rb"^\W*neuroport\W*:", re.MULTILINE)
_Model = TypeVar("_Model", NeuronModel, SynapseModel)


def to_yaml(network: Network) -> str:
    """The network as the text of one file, with all arrays inside."""
    return emit.document(plain(network, Sink(network.folder, None, Path(network.folder))))


def check(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InvalidInput if no network file can be written to `path`; with `overwrite`, only one is replaced."""
    check_output(path, overwrite, "a network file", ENDINGS, inputs, _may_be_network)


def write(
    network: Network, path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()
) -> tuple[Path, ...]:
    """Write the network to `path`, and arrays with more than 64 numbers to an HDF5 file of the same stem beside it.

    Which files were written. With `overwrite` both are replaced, when both are whole: a network file, and a file of
    numbers that was written here. InvalidInput for other files, and for those that were read, `inputs` among them;
    NotWritten where the disk does not take it.
    """
    path = Path(path)
    beside = path.with_suffix(".h5")
    sink = Sink(network.folder, beside.name, path.parent)
    text = emit.document(plain(network, sink))
    return put(path, text, sink.arrays, overwrite, (*inputs, *network.files))


def put(
    path: Path, text: str, arrays: Mapping[str, NDArray[Any]], overwrite: bool, inputs: Iterable[str | Path]
) -> tuple[Path, ...]:
    """Write the text of a network file, and arrays to the HDF5 file beside it that it names, both whole; see write."""
    beside = path.with_suffix(".h5")
    check(path, overwrite, inputs)
    if arrays:
        check_output(beside, overwrite, "a file of exported numbers", inputs=inputs, replaces=_is_exported)
    with new_file(path) as file:
        file.write(text.encode())
        file.settle()
        if arrays:
            with new_hdf5(beside) as stored:
                stored.attrs[MARK] = EXPORTED
                for name, array in arrays.items():
                    stored.create_dataset(name, data=array)
    return (path, beside) if arrays else (path,)


def _may_be_network(path: Path) -> bool:
    """Whether a file is empty, or a text that says that it is a network."""
    content = path.read_bytes()
    return not content.strip() or _NETWORK.search(content) is not None


def _is_exported(path: Path) -> bool:
    """Whether a file of numbers was written here, which it says."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get(MARK) == EXPORTED)
    except DAMAGE:
        return False


def plain(network: Network, sink: Sink) -> dict[str, Any]:
    """The plain data of the whole file, keys in a fixed order."""
    neurons = _own_models(network, "neuron", (item.neuron for item in network.populations))
    synapses = _own_models(network, "synapse", (item.synapse for item in network.projections))
    sections = {
        "neurons": {name: written_neuron(model, sink) for name, model in neurons.items()},
        "synapses": {name: written_synapse(model, sink) for name, model in synapses.items()},
        "populations": {item.name: written_population(item, sink) for item in network.populations},
        "projections": {item.name: written_projection(item, sink) for item in network.projections},
        "stimuli": {item.name: written_stimulus(item, sink) for item in network.stimuli},
        "ports": {item.name: written_port(item) for item in network.ports},
        "targets": {item.name: written_target(item, sink) for item in network.targets},
        "readouts": {item.name: _readout(item) for item in network.readouts},
        "metrics": {item.name: item.written() for item in network.metrics},
        "protocol": [written_item(item) for item in network.protocol],
        "record": _recording(network.record),
    }
    head: dict[str, Any] = {"neuroport": 1, "name": network.name}
    if network.title:
        head["title"] = network.title
    head |= {"dt": written_quantity(network.dt), "seed": network.seed, "chip": network.chip}
    if network.copies != 1 or network.own_parameters:
        head["copies"] = written_copies(network, sink)
    return head | {key: value for key, value in sections.items() if value}


def _own_models(network: Network, kind: library.Kind, used: Iterable[_Model]) -> dict[str, _Model]:
    """The used models that are not shipped ones, by name."""
    own: dict[str, _Model] = {}
    for model in used:
        if own.setdefault(model.name, model) != model:
            text = f"two {kind} models have the name '{model.name}'; rename one of them"
            raise InvalidInput.one(model.place, text)
    shipped = library.shipped(network.dt)
    read = shipped.neuron if kind == "neuron" else shipped.synapse
    return {n: m for n, m in own.items() if (kind, n) not in shipped.entries or read(Report(), n, None) != m}


def _readout(item: Readout) -> dict[str, Any]:
    if isinstance(item, Samples):
        every, start = written_quantity(item.every), written_quantity(item.start)
        sampled: dict[str, Any] = {"of": named(item.of, item.part), "every": every, "from": start}
        if item.stop is not None:
            sampled["to"] = written_quantity(item.stop)
        return {"samples": sampled | {"reduce": item.reduce}}
    inner: dict[str, Any] = {"population": named(item.population, item.part), "state": Code(item.state.text)}
    return {"histogram": inner | {"every": written_quantity(item.every), "phase": written_quantity(item.phase)}}


def _recording(record: Recording) -> dict[str, Any]:
    parts = dict(record.parts)
    return {
        **({"spikes": [named(name, parts.get(name)) for name in record.spikes]} if record.spikes else {}),
        **filled("states", {named(item.of, item.part): written_quantity(item.every) for item in record.states}),
        **filled("weights", {item.of: written_quantity(item.every) for item in record.weights}),
        **({"topology": record.topology} if record.topology != "all" else {}),
    }
