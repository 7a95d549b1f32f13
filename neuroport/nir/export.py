"""A network as a graph of NIR: populations and static projections that it has a form of, all else in the metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.convolution import Convolution
from neuroport.elaborate.values import Elements, Materialiser
from neuroport.errors import InvalidInput
from neuroport.files import library
from neuroport.network.network import Network
from neuroport.network.objects import Population, Projection
from neuroport.network.results import Recording
from neuroport.nir.carried import carry
from neuroport.nir.channels import Plane, arrange, convolution, planes
from neuroport.nir.forms import FORMS, MAIN, MS, SOURCES, Form, Given, nir
from neuroport.nir.sent import learns, sent
from neuroport.nir.tree import OWN
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.program.machine import Program
from neuroport.yaml.fields import Report

MOST = 2**27
"""Numbers of the matrices of one projection, which NIR stores whole: 1 GiB."""


def graph(network: Network, folder: str | Path, lowered: Callable[[Network], Program]) -> Any:
    """The graph, a `nir.NIRGraph`; see neuroport.to_nir. `lowered`: gives the program of a network in real numbers."""
    made = _Making(network)
    made.cells()
    made.projections(lowered)
    made.given()
    made.ends()
    made.maps()
    made.told()
    found = nir().NIRGraph(nodes=made.nodes, edges=made.edges)
    carry(found, network, folder, made.lost, made.meaning())
    return found


def lost(found: Any) -> tuple[str, ...]:
    """What another tool does not see of the network whose graph this is, in sentences."""
    return tuple(found.metadata[OWN]["lost"].splitlines())


@dataclass(eq=False)
class _Making:
    """The graph so far."""

    network: Network
    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    forms: dict[str, Form] = field(default_factory=dict)
    waiting: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """Of populations with a bias that no projection has taken yet: what is added to their input in each step."""
    looped: frozenset[str] = frozenset()
    """The projections from whose target a way leads back to their source."""
    shapes: dict[str, Plane] = field(default_factory=dict)
    """The populations that are maps."""
    windows: dict[str, Convolution] = field(default_factory=dict)
    """The projections that are convolutions between maps."""

    def join(self, *names: str) -> None:
        """Lead from each of these nodes to the next one."""
        self.edges += pairwise(names)

    def input(self, name: str, size: int) -> str:
        """The input of the graph of that name, made if there is none."""
        if name not in self.nodes:
            self.nodes[name] = nir().Input(input_type=np.array([size]))
        return name

    def output(self, name: str, size: int) -> None:
        """An output of what a node gives."""
        self.nodes[f"{name}.out"] = nir().Output(output_type=np.array([size]))
        self.join(name, f"{name}.out")

    def cells(self) -> None:
        """The nodes of populations."""
        network = self.network
        shipped, materialiser = library.shipped(network.dt), Materialiser(network)
        dt = units.coherent(network.dt.number, network.dt.unit)[0]
        for one in network.populations:
            name = one.neuron.name
            is_of_library = name in FORMS and shipped.neuron(Report(), name, None) == one.neuron
            if is_of_library:
                form = FORMS[name](Given(_parameters(one, materialiser), one.size, dt, _used(network, one.name)))
                self.forms[one.name] = form
                self.nodes |= {_node(one.name, part): node for part, node in form.nodes.items()}
                for start, end in form.edges:
                    self.join(_node(one.name, start), _node(one.name, end))
                self.lost += [f"population '{one.name}' {text}" for text in form.lost]
                if form.bias is not None:
                    self.waiting[one.name] = form.bias
                self.lost += _first_values(one)
            else:
                self.lost.append(f"population '{one.name}' is of the model '{name}', which NIR has no form of")
        if materialiser.problems:
            raise InvalidInput(materialiser.problems)

    def projections(self, lowered: Callable[[Network], Program]) -> None:
        """The nodes of projections between populations that are in the graph, and of what comes from others."""
        whole = [p for p in self.network.projections if p.target in self.forms]
        program = lowered(_synapses_alone(self.network)) if whole else None
        self.looped = _looped(whole)
        self.shapes, self.windows = planes(whole, self._is_plain)
        for one in self.network.projections:
            if one.target in self.forms:
                assert program is not None
                self._projection(one, program)
            elif one.source in self.forms:
                self.lost.append(f"projection '{one.name}' leads to '{one.target}', which is not in NIR, and is cut")
        for name, bias in self.waiting.items():
            start, matrix = self.input(f"{name}.bias.in", 1), np.zeros((len(bias), 1))
            self.nodes[f"{name}.bias"] = nir().Affine(weight=matrix, bias=bias)
            self.join(start, f"{name}.bias", name)

    def _is_plain(self, one: Projection, shape: Plane) -> bool:
        """Whether weights arrive as they are, and what is added to the neurons is alike in each channel."""
        source, target, what = self.forms.get(one.source), self.forms[one.target], sent(one.synapse)
        if what is None or (source is not None and source.sends != what) or not isinstance(one.delay, Quantity):
            return False
        bias = self.waiting.get(one.target, np.zeros(1)).reshape(-1, 1)
        channels = bias.reshape(-1, shape[2]) if len(bias) > 1 else bias
        return target.inputs[one.input][1] is None and bool(np.all(channels == channels[0]))

    def _projection(self, one: Projection, program: Program) -> None:
        what, source, target = sent(one.synapse), self.forms.get(one.source), self.forms[one.target]
        size, joined = self.network.population(one.target).size, program.projection(one.name)
        part, factor = target.inputs[one.input]
        if learns(one.synapse):
            self.lost.append(
                f"projection '{one.name}' changes what it has by '{one.synapse.name}', and NIR has no rules of "
                "learning: another tool has the weights of its beginning"
            )
        delays = joined.delay + (np.zeros(1, np.int64) if joined.dendritic is None else joined.dendritic)
        kinds = np.unique(delays)
        cut = ""
        if what is None or (source is not None and source.sends != what):
            cut = f"sends what NIR has no form of ('{one.synapse.name}')"
        elif one.name not in self.windows and joined.source_size * joined.target_size * len(kinds) > MOST:
            numbers = f"{joined.target_size:,} x {joined.source_size:,}"
            many = "a matrix" if len(kinds) == 1 else f"{len(kinds)} matrices"
            cut = f"would be {many} of {numbers} numbers, since NIR has none that are sparse"
        if cut:
            self.lost.append(f"projection '{one.name}' {cut}: another tool has an input '{one.name}' instead of it")
            self.join(self.input(one.name, size), _node(one.target, part))
            return
        start = one.source
        if source is None:
            start = self.input(one.source if what == "" else f"{one.source}.{what}", joined.source_size)
        for delay in kinds.tolist():
            name = one.name if len(kinds) == 1 else f"{one.name}.{delay}"
            bias = self.waiting.pop(one.target, None)
            if one.name in self.windows:
                self.nodes[name] = convolution(self.windows[one.name], _weights(one, program), bias)
            else:
                matrix = _matrix(one, joined, program, delays == delay)
                matrix *= 1 if factor is None else factor[:, None]
                self.nodes[name] = (
                    nir().Linear(weight=matrix) if bias is None else nir().Affine(weight=matrix, bias=bias)
                )
            way = [start, name, _node(one.target, part)]
            if later := self._later(one, delay):
                held = np.full(joined.source_size, later * program.dt * MS)
                self.nodes[f"{name}.delay"] = nir().Delay(delay=held)
                way.insert(1, f"{name}.delay")
            self.join(*way)

    def _later(self, one: Projection, delay: int) -> int:
        """By how many steps NIR has to delay what takes so many here, where the way on takes one and there none.

        Around a loop that one step counts; a node that leads to itself gets what it gave in the step before anyway.
        """
        if one.name not in self.looped:
            return delay - 1
        return 0 if one.source == one.target and delay == 1 else delay

    def meaning(self) -> Mapping[str, str]:
        """What NIR leaves open, where it is the same for all nodes."""
        found: dict[str, set[str]] = {}
        for form in self.forms.values():
            for option, word in form.meaning.items():
                found.setdefault(option, set()).add(word)
        sources = [form.sends == "" for name, form in self.forms.items() if isinstance(self.nodes[name], nir().Input)]
        if sources and len({*sources}) == 1:
            found["input"] = {"spikes" if sources[0] else "values"}
        return {option: words.pop() for option, words in found.items() if len(words) == 1}

    def given(self) -> None:
        """Inputs for what stimuli and hosts add to populations that are in the graph."""
        for name, kind, population, to in _additions(self.network):
            form = self.forms.get(population)
            if form is None:
                continue
            size = self.network.population(population).size
            if to not in form.inputs:
                self.lost.append(f"{kind} '{name}' is no part of NIR: give its values to the input '{population}'")
                continue
            part, factor = form.inputs[to]
            start = self.input(name if name not in self.nodes else f"{name}.in", size)
            if factor is None:
                self.join(start, _node(population, part))
            else:
                self.nodes[f"{start}.scale"] = nir().Scale(scale=factor)
                self.join(start, f"{start}.scale", _node(population, part))
            self.lost.append(f"{kind} '{name}' is no part of NIR: give its values to the input '{start}'")

    def ends(self) -> None:
        """Outputs of what is recorded, heard, or leads nowhere, and inputs where NIR wants one."""
        heard = {*self.network.record.spikes, *(p.target for p in self.network.ports if p.direction == "spikes")}
        starts, reached = {a for a, _ in self.edges}, {b for _, b in self.edges}
        sizes = {p.name: p.size for p in self.network.populations}
        inside = [name for name in self.forms if not isinstance(self.nodes[name], nir().Input)]
        for name in self.forms if inside else sizes:
            if name not in self.nodes:
                self.input(name, sizes[name])
            if (name in inside and name in heard) or name not in starts:
                self.output(name, sizes[name])
            if name in inside and name not in reached:
                self.join(self.input(f"{name}.in", sizes[name]), name)
        if not any(isinstance(node, nir().Input) for node in self.nodes.values()):
            self.join(self.input(f"{inside[0]}.in", sizes[inside[0]]), inside[0])
        if not any(isinstance(node, nir().Output) for node in self.nodes.values()):
            self.output(inside[0], sizes[inside[0]])
        if not inside:
            self.lost.append(
                "no population is in NIR: another tool sees inputs that lead to outputs, and the network is only in "
                "the metadata"
            )

    def maps(self) -> None:
        """Populations that are maps as such."""
        of_cells = {_node(name, part): name for name, form in self.forms.items() for part in form.nodes}
        others = {a: one.source for one in self.network.projections for a, b in self.edges if b == one.name}
        named = {node: name for node, name in (others | of_cells).items() if name in self.shapes}
        arrange(self.nodes, self.edges, {node: self.shapes[name] for node, name in named.items()})

    def told(self) -> None:
        """What is in the metadata alone."""
        network = self.network
        sections = {
            "chip": network.chip != "ideal",
            "copies": network.copies > 1,
            "ranges": any(p.ranges for p in network.populations) or any(p.ranges for p in network.projections),
            "targets": network.targets,
            "readouts": network.readouts,
            "metrics": network.metrics,
            "protocol": network.protocol,
            "record": network.record != Recording(),
        }
        beside = sorted({Path(name).name for name in network.files if not name.endswith((".yaml", ".yml"))})
        self.lost += [f"'{name}' is read by the network, and is not part of the graph's file" for name in beside]
        there = ", ".join(name for name, has in sections.items() if has)
        self.lost.append(f"in the metadata alone: dt, seed{', ' if there else ''}{there}")


def _node(population: str, part: str) -> str:
    """The name of a node of a population."""
    return population if part == MAIN else f"{population}.{part}"


def _parameters(population: Population, materialiser: Materialiser) -> Mapping[str, NDArray[np.float64]]:
    """All parameters of a population, one number per neuron, in coherent units."""
    given, elements = dict(population.parameters), Elements.counted(population.size)
    found = {}
    for one in population.neuron.parameters:
        value = given.get(one.name, one.default)
        assert value is not None
        numbers = materialiser.array(value, one.unit, one.type == "int", population.name, one.name, elements)
        found[one.name] = np.array(np.broadcast_to(numbers, population.size), np.float64)
    return found


def _used(network: Network, population: str) -> frozenset[str]:
    """The inputs of a population at which something can arrive."""
    sent_to = {p.input for p in network.projections if p.target == population}
    if network.population(population).neuron.name in SOURCES:
        return frozenset(sent_to)  # what is added from outside is what the graph gets at their input
    return frozenset(sent_to | {to for _, _, of, to in _additions(network) if of == population})


def _additions(network: Network) -> Iterator[tuple[str, str, str, str]]:
    """Name, kind, population and input of all stimuli and ports that add something."""
    for stimulus in network.stimuli:
        yield stimulus.name, "stimulus", stimulus.population, stimulus.input
    for port in network.ports:
        if port.direction == "inject":
            population, _, to = port.target.partition(".")
            yield port.name, "port", population, to


def _first_values(population: Population) -> Iterable[str]:
    """What is said of where its neurons begin, which NIR does not say of nodes."""
    given = dict(population.initial)
    first = [(state.name, given.get(state.name, state.init)) for state in population.neuron.states]
    names = [name for name, value in first if not isinstance(value, Quantity) or value.number != 0]
    if names:
        yield f"population '{population.name}' begins with values of its own ({', '.join(names)}), and NIR has none"


def _synapses_alone(network: Network) -> Network:
    """The network with nothing but its populations and projections, and what these need."""
    return replace(
        network, stimuli=(), ports=(), protocol=(), readouts=(), metrics=(), record=Recording(), copies=1,
        own_parameters=(), chip="ideal",
    )  # fmt: skip


def _looped(projections: Iterable[Projection]) -> frozenset[str]:
    """The projections from whose target a way leads back to their source."""
    after: dict[str, set[str]] = {}
    for one in projections:
        after.setdefault(one.source, set()).add(one.target)

    def reached(start: str) -> set[str]:
        found, ahead = {start}, [start]
        while ahead:
            new = after.get(ahead.pop(), set()) - found
            found |= new
            ahead += new
        return found

    ahead = {name: reached(name) for name in {one.target for one in projections}}
    return frozenset(one.name for one in projections if one.source in ahead[one.target])


def _weights(one: Projection, program: Program) -> NDArray[np.float64]:
    """The weights of synapses, or of the entries of a kernel."""
    return np.asarray(program.arrays[f"{one.name}.{one.synapse.weight.name}"].initial, np.float64)


def _matrix(one: Projection, joined: Any, program: Program, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weights of those synapses that are chosen, all or one by one: a row for each neuron that they lead to."""
    weights, pre, post = _weights(one, program), joined.pre, joined.post
    if joined.wiring.entry is not None:
        weights = weights[joined.wiring.entry]
    weights, chosen = np.broadcast_to(weights, pre.shape), np.broadcast_to(chosen, pre.shape)
    matrix = np.zeros((joined.target_size, joined.source_size))
    np.add.at(matrix, (post[chosen], pre[chosen]), weights[chosen])
    return matrix
