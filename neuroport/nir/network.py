"""A NIR graph as a network, with what became of every node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

import numpy as np

from neuroport.build.network import Network
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.nir.chains import Chain, bias, chains, early, silent
from neuroport.nir.choices import Choices, choices
from neuroport.nir.connect import TooLarge, joins, number, order
from neuroport.nir.graph import Graph, Node, joined
from neuroport.nir.kinds import NEURONS, shown
from neuroport.nir.maps import Delayed, Matrix, Real, Scaled, Shape, Windowed
from neuroport.nir.names import Names, identifier, natural
from neuroport.nir.shapes import Shapes
from neuroport.nir.timing import Timing, timing
from neuroport.nir.tree import Raw

Status = Literal["ok", "changed", "refused"]
WIDEST = 16.0
"""The weights that `static` and `nir_graded` take without a range of their own."""
VALUES, SPIKES = "nir_value", "spike_source"
STEPS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a node: of which class it is, the shape of what it gives, and the rest in words."""

    node: str
    kind: str
    shape: str
    status: Status
    text: str


@dataclass(eq=False)
class Made:
    """The network of a graph, None where something is refused, and what there is to tell.

    `depth`: by how many steps the last node is late. `populations`: by node. `shapes`: of Inputs, by node.
    `told`: by node, what is otherwise than in NIR.
    """

    network: Network | None
    lines: list[Line]
    choices: Choices
    problems: list[str]
    depth: int = 0
    populations: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)

    def stop(self, file: str) -> Network:
        """The network; InvalidInput with all that is refused, if anything is."""
        if self.network is None:
            place = Place(file) if file else None
            raise InvalidInput(Problem(place, text) for text in self.problems)
        return self.network


def made(raw: Raw, said: Mapping[str, Any], name: str, chip: Any = None, file: str = "") -> Made:
    """A network of a graph. `said`: what is to be taken of the choices, by their names; `file`: where it is from."""
    graph = joined(raw)
    graph.nodes = dict(sorted(graph.nodes.items(), key=lambda item: natural(item[0])))
    taken = choices(graph, said, graph.metadata, file)
    shapes = Shapes(graph, taken.dt / taken.unit)
    _unknown_shapes(graph, shapes)
    ways = chains(graph, shapes) if not graph.refused else []
    times = timing(graph, ways)
    graph.nodes = dict(sorted(graph.nodes.items(), key=lambda item: _when(graph, ways, times, item[1])))
    ways.sort(key=lambda way: (times.at[way.target], list(graph.nodes).index(way.target), way.source == way.target))
    writing = _Writing(graph, taken, shapes, ways, times, Network(taken.step, name=name, chip=chip))
    if not graph.refused:
        writing.populations()
        writing.projections()
        writing.ends()
    lines = [writing.line(node) for node in graph.nodes.values()]
    problems = [
        f"{graph.nodes[name].title}: {text}" if name in graph.nodes else text
        for name, texts in graph.refused.items()
        for text in texts
    ]
    depth = max((times.at[name] for name in writing.named), default=0)
    inputs = {n: shapes.gives[n] for n in writing.named if graph.nodes[n].kind == "Input" and n in shapes.gives}
    network = None if graph.refused else writing.network
    return Made(network, lines, taken, problems, depth, dict(writing.named), inputs, writing.told)


def _when(graph: Graph, ways: Sequence[Chain], times: Timing, node: Node) -> tuple[int, int]:
    """Where a node stands when nodes are told in the order of what happens, ends first and last."""
    if not node.is_linear:
        return times.at[node.name], 0 if node.kind == "Input" else 3 if node.kind == "Output" else 2
    return min((times.at[way.target] for way in ways if node.name in way.nodes), default=0), 1


def _unknown_shapes(graph: Graph, shapes: Shapes) -> None:
    """Refuse nodes of which nothing says how many values they take, if nothing else is wrong."""
    if not graph.refused:
        for name in graph.nodes:
            if name not in shapes.gives:
                graph.refuse(name, "nothing says the shape of what it takes; give the graph an Input with a shape")


@dataclass(eq=False)
class _Writing:
    """A network while it is written. `named`: populations by node; `told`: what changed at a node."""

    graph: Graph
    taken: Choices
    shapes: Shapes
    ways: Sequence[Chain]
    times: Timing
    network: Network
    names: Names = field(default_factory=Names)
    named: dict[str, str] = field(default_factory=dict)
    became: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    biases: dict[str, Real] = field(default_factory=dict)
    direct: dict[str, str] = field(default_factory=dict)
    """Outputs that are what one population gives, by node."""

    # ------------------------------------------------------------------------------------------------- populations

    def populations(self) -> None:
        """Add the neurons, and the ends that need some."""
        nodes = [node for node in self.graph.nodes.values() if not node.is_linear]
        self.direct = {node.name: source for node in nodes if (source := self._direct(node))}
        kept = [node for node in nodes if node.name not in self.direct]
        for node in kept:
            self.named[node.name] = self.names.of(node)
            self.biases[node.name] = bias(self.graph, self.shapes, node.name) if node.kind != "Input" else np.zeros(1)
        waits = any(self._moves_alone(node) for node in kept)
        for node in kept:
            self._population(node, waits)

    def _direct(self, node: Node) -> str:
        """The node whose values an Output is, "" where it needs neurons of its own."""
        ways = [way for way in self.ways if way.target == node.name]
        alone = node.kind == "Output" and len(ways) == 1 and not ways[0].changes and not ways[0].delay
        if not alone or self.graph.nodes[ways[0].source].kind == "Input":
            return ""
        later = ways[0].later(prod(self.shapes.gives[ways[0].source]), prod(self.shapes.gives[node.name]))
        return ways[0].source if later is None else ""

    def _moves_alone(self, node: Node) -> bool:
        """Whether a neuron changes, or spikes, where nothing arrives."""
        own = (np.any(np.asarray(node.fields.get(name, 0.0)) != 0) for name in ("v_leak",) if node.is_neuron)
        low = (np.any(np.asarray(node.fields.get(name, 1.0)) < 0) for name in ("v_threshold", "threshold"))
        return bool(np.any(self.biases[node.name] != 0)) or any(own) or (node.is_neuron and any(low))

    def _population(self, node: Node, waits: bool) -> None:
        shape = self.shapes.gives[node.name]
        params: dict[str, Any] = {}
        model = VALUES if node.kind == "Output" or self.taken["input"] == "values" else SPIKES
        if node.is_neuron:
            model, params = NEURONS[node.kind].model, self._params(node, shape)
        added = self.biases[node.name]
        if np.any(added != 0):
            params["bias"] = _listed(added[order(shape)], "")
        if waits and node.is_neuron and self.times.at[node.name]:
            params["start"] = _steps(self.times.at[node.name])
        name = self.named[node.name]
        self.network.population(name, prod(shape), model, params=params or None)
        self.became[node.name] = [f"population {name} of {model}"]
        if node.kind != "Input" and not any(way.target == node.name for way in self.ways):
            self.became[node.name].append("no neuron or Input leads to it")

    def _params(self, node: Node, shape: Shape) -> dict[str, Any]:
        kind = NEURONS[node.kind]
        params: dict[str, Any] = {}
        for name in kind.params:
            values = np.asarray(node.fields.get(name, kind.defaults.get(name, 0.0)))
            scale, unit = (self.taken.unit, "ms") if name in kind.times else (1.0, "")
            if kind.rate and name == "r":
                scale, unit = 1 / self.taken.unit, "kHz"
            flat = np.broadcast_to(values, shape).reshape(-1)[order(shape)] if values.ndim else values.reshape(1)
            if name in kind.times and self.taken["integrate"] == "euler":
                self._tell_short(node.name, name, float(flat.min() * scale))
            if name in ("v_threshold", "threshold", *kind.times) or np.any(flat * scale != _default(name)):
                params[name] = _listed(flat, unit, scale)
        flags = {"integrate": ("exact", "exact"), "current": ("updated", "updated"), "reset": ("subtract", "subtract")}
        for option in kind.options:
            flag, value = flags[option]
            if self.taken[option] == value:
                params[flag] = 1
        if params.get("subtract") and params.pop("v_reset", None) is not None:
            self.tell(node.name, "v_reset is not used, since the threshold is subtracted")
        return params

    def _tell_short(self, node: str, name: str, shortest: float) -> None:
        """Tell of a time constant, in ms, that is too short for Euler's step."""
        if self.taken.dt > 2 * shortest:
            text = "is shorter than half the step, so that Euler's step diverges; take a smaller dt, or exact steps"
            self.tell(node, f"{name} {text}")
        elif self.taken.dt > shortest:
            self.tell(node, f"{name} is shorter than the step, so that Euler's step goes beyond its end")

    # ------------------------------------------------------------------------------------------------- projections

    def projections(self) -> None:
        """Add the ways between neurons."""
        ways = [way for way in self.ways if way.target in self.named]
        for way in ways:
            name = self._projection_name(way, ways)
            try:
                found = joins(way, self.shapes.gives[way.source], self.shapes.gives[way.target])
            except TooLarge as error:
                text = f"the way from '{way.source}' is no convolution, and {error} weights are more than fit"
                self.graph.refuse(way.target, text)
                continue
            except ValueError as error:
                text = "its delays differ, and it is between two linear maps; delays of a source or of a target can"
                self.graph.refuse(str(error), f"{text} differ, others are the same for all")
                continue
            self._project(way, name, found)
        for name in self.times.loops:
            given, them = (
                ("spikes reach", "them") if NEURONS[self.graph.nodes[name].kind].spikes else ("v reaches", "it")
            )
            ways = [way for way in self.ways if way.source == name and way.returns]
            held = any(isinstance(map_, Delayed) for way in ways for map_ in way.maps)
            where = f"where no Delay holds {them} back, " if held else ""
            self.tell(name, f"its {given} it again one step later, {where}as NIR does not say when")
        self._tell_linear()

    def _project(self, way: Chain, name: str, found: dict[str, Any]) -> None:
        source, target = self.graph.nodes[way.source], self.named[way.target]
        spikes = NEURONS[source.kind].spikes if source.is_neuron else self.taken["input"] == "spikes"
        weights = found["weight"]
        largest = float(np.abs(weights).max())
        ranges = None
        if largest > WIDEST:
            end = 2.0 ** np.ceil(np.log2(largest))
            ranges = {"w": [0 if np.min(weights) >= 0 else -number(end), number(end)]}
        steps = self.times.delay(way)
        self.network.project(
            self.named[way.source],
            target,
            "static" if spikes else "nir_graded",
            name=name,
            input="x",
            delay=None if steps == 1 else _steps(steps),
            ranges=ranges,
            **found,
        )
        for node in way.nodes:
            self.became.setdefault(node, []).append(name)

    def _projection_name(self, way: Chain, ways: Sequence[Chain]) -> str:
        """That of the nodes with weights on a way, if they are on no other; else of its ends."""
        on = list(zip(way.nodes, way.maps, strict=True))
        weighted = [n for n, m in on if isinstance(m, Matrix) or (isinstance(m, Windowed) and not m.pool)]
        weighted = weighted or [n for n, m in on if isinstance(m, Scaled | Windowed)]
        alone = [n for n in weighted if sum(n in other.nodes for other in ways) == 1]
        if alone and len(alone) == len(weighted):
            plain = [identifier(n) for n in alone]
            first = plain[0] if not plain[0][0].isdigit() else f"{self.graph.nodes[alone[0]].kind.lower()}_{plain[0]}"
            return self.names.free("_".join([first, *plain[1:]]))
        ends = [self.named[way.source], self.named[way.target]]
        return self.names.free("_to_".join(ends))

    def _tell_linear(self) -> None:
        for name in silent(self.graph, self.ways):
            self.tell(name, "left out: it is between no two neurons or ends")
        for name in early(self.graph, self.shapes):
            self.tell(name, "what a bias adds comes through it from the first step on, and is not held back")
        for name, off in self.shapes.rounded.items():
            self.tell(name, f"its delays were rounded to whole steps, by {off:.2g} of a step at most")
        for name, node in self.graph.nodes.items():
            if node.kind == "AvgPool2d" and np.any(np.asarray(node.fields["padding"]) != 0):
                self.tell(name, "places around the map count as 0 in its means, as NIR does not say")

    # -------------------------------------------------------------------------------------------------------- ends

    def ends(self) -> None:
        """Add ports, what is recorded, and how long a run is."""
        spiking: list[str] = []
        graded: list[str] = []
        for name, node in self.graph.nodes.items():
            if node.kind == "Input":
                population = self.named[name]
                port = self.names.free(f"to_{population}")
                inject: dict[str, Any] = {"inject": f"{population}.x"}
                if self.taken["input"] == "spikes":
                    inject = {"inject": f"{population}.spike_in", "range": [0, 1]}
                self.network.port(port, **inject)
                self.became[name].append(f"port {port}")
            elif node.kind == "Output":
                self._output(node, graded)
            elif node.is_neuron and NEURONS[node.kind].spikes:
                spiking.append(self.named[name])
        if spiking:
            self.network.record(spikes=spiking)
        if graded:
            self.network.record(states={f"{name}.v": "1 step" for name in dict.fromkeys(graded)})

    def _output(self, node: Node, graded: list[str]) -> None:
        source = self.direct.get(node.name, "")
        spikes = bool(source) and self.graph.nodes[source].is_neuron and NEURONS[self.graph.nodes[source].kind].spikes
        population = self.named[source or node.name]
        port = self.names.free(self.names_of_port(node, population))
        if spikes:
            self.network.port(port, spikes=population)
        else:
            self.network.port(port, read=f"{population}.v")
            graded.append(population)
        self.became.setdefault(node.name, []).append(f"port {port}, of {population}")

    def names_of_port(self, node: Node, population: str) -> str:
        """What the port of an Output is called."""
        own = identifier(node.name)
        own = f"output_{own}" if own[0].isdigit() else own
        return f"from_{own}" if own in self.names.taken else own

    # ------------------------------------------------------------------------------------------------------ telling

    def tell(self, name: str, text: str) -> None:
        """Note what is otherwise here than in NIR."""
        self.told.setdefault(name, []).append(text)

    def line(self, node: Node) -> Line:
        """What became of a node."""
        refused = self.graph.refused.get(node.name)
        gives = self.shapes.gives.get(node.name)
        shape = "-" if gives is None else shown(gives)
        if refused:
            return Line(node.name, node.said, shape, "refused", "; ".join(refused))
        parts = list(self.became.get(node.name, []))
        if node.is_linear and parts:
            parts = [f"projection {', '.join(dict.fromkeys(parts))}"]
        late = self.times.at.get(self.direct.get(node.name, node.name), 0)
        if late and not self.graph.refused:
            parts.append(f"{_steps(late)} late")
        told = self.told.get(node.name, [])
        return Line(node.name, node.said, shape, "changed" if told else "ok", "; ".join([*parts, *told]))


def _default(name: str) -> float:
    return 1.0 if name in ("r", "w_in") else 0.0


def _listed(values: Any, unit: str, scale: float = 1.0) -> Any:
    """One value where all are the same, else each."""
    first = values.reshape(-1)[0]
    if np.all(values == first):
        one = number(number(first) * scale)
        return f"{one!r} {unit}" if unit else one
    array = np.asarray(values, np.float64) * scale
    return {"array": array, "unit": unit} if unit else array


def _steps(count: int) -> str:
    return f"{count} step" if count == 1 else f"{count} steps"
