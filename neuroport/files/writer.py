"""Networks as YAML files that stand alone: shipped models by name, others inside, large arrays beside it in HDF5.

What is written reads back to an equal network. Relative paths of files that the network names are rewritten when the
new file lies in another folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.files import library
from neuroport.files.values import DISTRIBUTIONS
from neuroport.network.model import Block, Expression, Input, NeuronModel, Parameter, SpikeTrace, State, SynapseModel
from neuroport.network.network import Network
from neuroport.network.objects import Connect, Population, Projection
from neuroport.network.protocol import Anneal, Capture, If, Item, Measure, Present, Repeat, Reset, Run, Set, Trigger
from neuroport.network.results import Metric, Readout, Recording, Samples
from neuroport.network.stimuli import Boltzmann, Patterns, SpikeList, Stimulus
from neuroport.network.values import (
    ArrayValue,
    CopyValue,
    DataValue,
    Distribution,
    FileValue,
    Frozen,
    Quantity,
    TargetValue,
    Value,
)
from neuroport.yaml import text as emit
from neuroport.yaml.fields import Report
from neuroport.yaml.text import Code

INLINE = 64
"""Arrays with more numbers go to the HDF5 file."""


def to_yaml(network: Network) -> str:
    """The network as the text of one file, with all arrays inside."""
    return emit.document(_Writer(network, None, Path(network.folder)).network())


def write(network: Network, path: str | Path) -> None:
    """Write the network to `path`, and arrays with more than 64 numbers to an HDF5 file of the same stem beside it.

    Overwrites both. Raises OSError.
    """
    path = Path(path)
    beside = path.with_suffix(".h5")
    writer = _Writer(network, beside.name, path.parent)
    text = emit.document(writer.network())
    if writer.arrays:
        _store(writer.arrays, beside)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _store(arrays: dict[str, NDArray[Any]], path: Path) -> None:
    import h5py

    partial = path.with_name(path.name + ".partial")
    with h5py.File(partial, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    partial.replace(path)


@dataclass(slots=True)
class _Writer:
    """Builds the plain data of a network. `beside`: the HDF5 file that takes large arrays, None to keep them inside."""

    source: Network
    beside: str | None
    folder: Path
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def network(self) -> dict[str, Any]:
        """The whole file, keys in a fixed order."""
        network = self.source
        sections = {
            "neurons": self.models("neuron", (item.neuron for item in network.populations)),
            "synapses": self.models("synapse", (item.synapse for item in network.projections)),
            "populations": {item.name: self.population(item) for item in network.populations},
            "projections": {item.name: self.projection(item) for item in network.projections},
            "stimuli": {item.name: self.stimulus(item) for item in network.stimuli},
            "targets": {item.name: self.target(item) for item in network.targets},
            "readouts": {item.name: _readout(item) for item in network.readouts},
            "metrics": {item.name: _metric(item) for item in network.metrics},
            "protocol": [_item(item) for item in network.protocol],
            "record": _recording(network.record),
        }
        head: dict[str, Any] = {"neuroport": 1, "name": network.name}
        if network.title:
            head["title"] = network.title
        head |= {"dt": _quantity(network.dt), "seed": network.seed, "chip": network.chip}
        if network.copies != 1:
            head["copies"] = network.copies
        return head | {key: value for key, value in sections.items() if value}

    def models(self, kind: library.Kind, used: Iterable[NeuronModel | SynapseModel]) -> dict[str, Any]:
        """The used models that are not shipped ones."""
        shipped = library.shipped(self.source.dt)
        own: dict[str, NeuronModel | SynapseModel] = {}
        for model in used:
            if own.setdefault(model.name, model) != model:
                raise InvalidInput.one(
                    model.place, f"two {kind} models have the name '{model.name}'; rename one of them"
                )
        result = {}
        for name, model in own.items():
            if (kind, name) in shipped.entries:
                read = shipped.neuron if kind == "neuron" else shipped.synapse
                if read(Report(), name, None) == model:
                    continue
            result[name] = self.neuron(model) if isinstance(model, NeuronModel) else self.synapse(model)
        return result

    def neuron(self, model: NeuronModel) -> dict[str, Any]:
        """A neuron model."""
        blocks = {"update": model.update, "spike": model.spike, "on_spike": model.on_spike, "after": model.after}
        return {
            **_texts(model),
            **_filled("params", {item.name: self.parameter(item, model.name) for item in model.parameters}),
            **_filled("derived", {name: Code(item.text) for name, item in model.derived}),
            **_filled("inputs", {item.name: _declared(item) for item in model.inputs}),
            **_filled("state", {item.name: self.state(item, model.name) for item in model.states}),
            **_blocks(blocks, model.on_event),
        }

    def synapse(self, model: SynapseModel) -> dict[str, Any]:
        """A synapse model."""
        blocks: dict[str, Block | Expression | None] = {
            "step": model.step,
            "on_pre": model.on_pre,
            "on_post": model.on_post,
        }
        return {
            **_texts(model),
            **_filled("params", {item.name: self.parameter(item, model.name) for item in model.parameters}),
            **_filled("derived", {name: Code(item.text) for name, item in model.derived}),
            **_filled("traces", {item.name: _trace(item) for item in model.traces}),
            **_filled("state", {item.name: self.state(item, model.name) for item in model.states}),
            **_blocks(blocks, model.on_event),
        }

    def parameter(self, item: Parameter, model: str) -> dict[str, Any]:
        """A declared parameter."""
        result = _declared(item)
        if item.default is not None:
            result["default"] = self.value(item.default, f"models/{model}/{item.name}")
        if item.kind:
            result["kind"] = item.kind
        if item.dynamic:
            result["dynamic"] = True
        return result

    def state(self, item: State, model: str) -> dict[str, Any]:
        """A declared variable."""
        result = _declared(item)
        if item.init is not None:
            result["init"] = self.value(item.init, f"models/{model}/{item.name}")
        if item.variable_class != ("weight" if item.weight else "state"):
            result["class"] = item.variable_class
        if item.kind:
            result["kind"] = item.kind
        if item.weight:
            result["weight"] = True
        if item.over_copies != "own":
            result["over_copies"] = item.over_copies
        return result

    def population(self, item: Population) -> dict[str, Any]:
        """A population."""
        result: dict[str, Any] = {"size": item.size, "neuron": item.neuron.name}
        return result | self.settings(item, f"populations/{item.name}")

    def projection(self, item: Projection) -> dict[str, Any]:
        """A projection."""
        at = f"projections/{item.name}"
        result: dict[str, Any] = {"source": item.source, "target": item.target, "input": item.input}
        result |= {"synapse": item.synapse.name, "connect": self.connect(item.connect, at)}
        result["delay"] = _quantity(item.delay)
        if item.dendritic is not None:
            result["dendritic_delay"] = self.value(item.dendritic, f"{at}/dendritic_delay")
        if item.weight is not None:
            result["weight"] = self.value(item.weight, f"{at}/weight")
        if item.twin is not None:
            result["twin"] = {"of": item.twin.of, "transposed": True} if item.twin.transposed else item.twin.of
        return result | self.settings(item, at)

    def settings(self, item: Population | Projection, at: str) -> dict[str, Any]:
        """params, init, ranges and mismatch."""
        return {
            **_filled("params", {name: self.value(value, f"{at}/params/{name}") for name, value in item.parameters}),
            **_filled("init", {name: self.value(value, f"{at}/init/{name}") for name, value in item.initial}),
            **_filled("ranges", {name: _range(span) for name, span in item.ranges}),
            **({} if item.mismatch else {"mismatch": False}),
        }

    def connect(self, item: Connect, at: str) -> Any:
        """A connection rule."""
        own: dict[str, Any] = {} if item.self_connections else {"self": False}
        match item.kind:
            case "all_to_all":
                return {"all_to_all": own} if own else "all_to_all"
            case "one_to_one":
                return "one_to_one"
            case "fixed_probability":
                return {item.kind: {"p": item.probability, **own} if own else item.probability}
            case "fixed_in_degree":
                return {item.kind: {"degree": item.degree, **own} if own else item.degree}
            case "pairs":
                assert item.pairs is not None
                return {"pairs": self.array(item.pairs, f"{at}/pairs")}
            case "file":
                return {"file": self.path(item.file), "dataset": item.dataset}

    def stimulus(self, item: Stimulus) -> dict[str, Any]:
        """A stimulus."""
        at = f"stimuli/{item.name}"
        inner: dict[str, Any]
        if isinstance(item, SpikeList):
            kind = "spikes"
            inner = {
                "times": self.value(item.times, f"{at}/times"),
                "neurons": self.value(item.neurons, f"{at}/neurons"),
            }
        elif isinstance(item, Patterns):
            kind = "patterns"
            inner = {"values": self.value(item.values, f"{at}/values")}
            if item.frames != 1:
                inner["frames"] = item.frames
            if item.hold is None:
                inner["beside"] = item.beside
            else:
                inner |= {"hold": _quantity(item.hold), "order": item.order}
            if item.labels is not None:
                inner["labels"] = self.value(item.labels, f"{at}/labels")
        else:
            kind = "series"
            inner = {
                "values": self.value(item.values, f"{at}/values"),
                "every": _quantity(item.every),
                "loop": item.loop,
            }
            if item.start is not None:
                inner["start"] = self.value(item.start, f"{at}/start")
        return {kind: inner, "population": item.population, "input": item.input}

    def target(self, item: Boltzmann) -> dict[str, Any]:
        """A target."""
        at = f"targets/{item.name}"
        weights, biases = self.array(item.weights, f"{at}/weights"), self.array(item.biases, f"{at}/biases")
        return {"boltzmann": {"weights": weights, "biases": biases}}

    def value(self, value: Value, at: str) -> Any:
        """Any value; `at` names its data set if it must go to the HDF5 file."""
        match value:
            case Quantity():
                return _quantity(value)
            case Distribution():
                return {value.kind: _arguments(value)}
            case TargetValue():
                return {"from": f"{value.target}.{value.field}"}
            case CopyValue():
                return {"same_as": value.of, **({"scale": value.scale} if value.scale != 1 else {})}
            case DataValue():
                return _data(value)
            case FileValue():
                result = {"file": self.path(value.file), "dataset": value.dataset}
            case ArrayValue():
                array = self.array(value.values, at)
                if not value.unit and value.rows == "source" and isinstance(array, list):
                    return array
                result = {"array": array}
        if value.unit:
            result["unit"] = value.unit
        if value.rows != "source":
            result["rows"] = value.rows
        return result

    def array(self, values: Frozen, at: str) -> Any:
        """Numbers as lists, or as a place in the HDF5 file when they are many or lists could not say their shape."""
        array = values.array.astype(np.float64 if values.array.dtype.kind == "f" else np.int64)
        listed = array.ndim > 0 and (array.size > 0 or (array.dtype.kind == "f" and array.ndim == 1))
        if self.beside is None or (listed and array.size <= INLINE):
            return array.tolist()
        self.arrays[at] = array
        return {"file": self.beside, "dataset": f"/{at}"}

    def path(self, file: str) -> str:
        """A path that was relative to the folder of the network, relative to the new folder."""
        if os.path.isabs(file) or os.path.abspath(self.source.folder or ".") == os.path.abspath(self.folder):
            return file
        return os.path.relpath(os.path.join(self.source.folder, file), self.folder)


def _quantity(value: Quantity) -> Any:
    return f"{emit.number(value.number)} {value.unit}" if value.unit else value.number


def _data(value: DataValue) -> dict[str, Any]:
    result: dict[str, Any] = {"data": value.data, "part": value.part, "field": value.field, **dict(value.options)}
    if value.scale != 1:
        result["scale"] = value.scale
    if value.offset:
        result["offset"] = value.offset
    return result | ({"unit": value.unit} if value.unit else {})


def _arguments(value: Distribution) -> Any:
    required, _ = DISTRIBUTIONS[value.kind]
    named = {name: _quantity(argument) for name, argument in value.arguments}
    return list(named.values()) if tuple(named) == required else named


def _range(span: tuple[float, float]) -> list[Any]:
    return [int(end) if end.is_integer() and abs(end) < 1e15 else end for end in span]


def _filled(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {key: value} if value else {}


def _texts(model: NeuronModel | SynapseModel) -> dict[str, Any]:
    texts = {"title": model.title, "source": model.source, "notice": model.notice, "equations": model.equations}
    return {key: Code(text) for key, text in texts.items() if text}


def _declared(item: Parameter | State | Input) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if item.type != "real":
        result["type"] = item.type
    if item.unit:
        result["unit"] = item.unit
    if item.range is not None:
        result["range"] = _range(item.range)
    return result


def _trace(item: SpikeTrace) -> dict[str, Any]:
    result: dict[str, Any] = {"of": item.side, "decay": Code(item.decay.text), "increment": Code(item.increment.text)}
    if item.mode != "add":
        result["mode"] = item.mode
    if item.range is not None:
        result["range"] = _range(item.range)
    return result


def _blocks(blocks: dict[str, Any], events: tuple[tuple[str, Block], ...]) -> dict[str, Any]:
    result: dict[str, Any] = {
        key: Code(block.text) for key, block in blocks.items() if block is not None and block.text
    }
    return result | _filled("on_event", {name: Code(block.text) for name, block in events})


def _readout(item: Readout) -> dict[str, Any]:
    if isinstance(item, Samples):
        sampled: dict[str, Any] = {"of": item.of, "every": _quantity(item.every), "from": _quantity(item.start)}
        if item.stop is not None:
            sampled["to"] = _quantity(item.stop)
        return {"samples": sampled | {"reduce": item.reduce}}
    inner: dict[str, Any] = {"population": item.population, "state": Code(item.state.text)}
    return {"histogram": inner | {"every": _quantity(item.every), "phase": _quantity(item.phase)}}


def _metric(item: Metric) -> dict[str, Any]:
    result: dict[str, Any] = {item.kind: item.of}
    if item.target:
        result["to" if item.kind in ("angle", "distance") else "target"] = item.target
    if item.kind == "dkl":
        result["floor"] = item.floor
    return result | ({"effective": True} if item.effective else {})


def _recording(record: Recording) -> dict[str, Any]:
    return {
        **({"spikes": list(record.spikes)} if record.spikes else {}),
        **_filled("states", {item.of: _quantity(item.every) for item in record.states}),
        **_filled("weights", {item.of: _quantity(item.every) for item in record.weights}),
    }


def _item(item: Item) -> dict[str, Any]:
    result: dict[str, Any]
    match item:
        case Repeat():
            result = {"repeat": item.count} | ({"as": item.variable} if item.variable else {})
            return result | {"do": [_item(part) for part in item.do]}
        case Run():
            result = {"run": _quantity(item.duration)}
            return result | ({"readout": list(item.readouts)} if item.readouts else {})
        case Present():
            result = {"present": item.patterns} | ({} if item.count is None else {"count": item.count})
            return result | ({"readout": list(item.readouts)} if item.readouts else {})
        case If():
            result = {"if": Code(item.condition.text), "then": [_item(part) for part in item.then]}
            return result | ({"else": [_item(part) for part in item.otherwise]} if item.otherwise else {})
        case Trigger():
            return {"event": item.event}
        case Set():
            return {"set": {name: _quantity(value) for name, value in item.values}}
        case Reset():
            if item.keep_learned:
                return {"reset": {"populations": list(item.populations), "keep": "learned"}}
            return {"reset": list(item.populations)}
        case Measure():
            return {"measure": list(item.metrics)}
        case Capture():
            return {"capture": dict(item.rows)}
        case Anneal():
            inner = {"parameter": list(item.parameters), "by": item.by, "when": item.when, "patience": item.patience}
            return {"anneal": inner}
