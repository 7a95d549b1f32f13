"""How much memory a network needs, known before any of it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import neuroport.connections as connections
import neuroport.stimuli as stimuli
from neuroport.connections import Ends
from neuroport.elaborate.values import Materialiser
from neuroport.language import blocks
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.network import Network, shares
from neuroport.network.objects import Population, Projection
from neuroport.network.protocol import If, Item, Measure, Present, Repeat
from neuroport.numerics.units import Quantity
from neuroport.program import memory, plan, room
from neuroport.program.machine import Program
from neuroport.program.memory import BYTES_PER_VALUE
from neuroport.program.room import Part
from neuroport.stimuli.patterns import pattern_count

BYTES_PER_SYNAPSE_INDEX = 40  # pre, post, element, and the transposed index
BYTES_PER_ELEMENT = 24  # the number for its random draws, its circuit, and what is drawn for it
BYTES_PER_ROW = 12  # of a kernel: its template, and where its neurons and entries begin
COPIES = 3  # the program in real numbers, in integers, and in the executor
BYTES_PER_NEURON, LOOKED_AT = 16, 2  # what the close look takes: of neurons all, in real numbers and in integers


def refuse_too_large(network: Network) -> None:
    """Raise InvalidInput when all but the synapses of the network leave no room for a close look at it.

    How much all of it takes depends on the chip: neuroport.api.foresee.
    """
    room.require(f"network '{network.name}'", (*_populations(network), *_stimuli(network)), network.place)


def refuse_too_large_program(network: Network, program: Program, protocol: tuple[plan.Item, ...]) -> None:
    """Raise TooLarge when a program of which only the arrays are made takes more to run than there is."""
    running = (*memory.of_program(program), *gathered(network, program, protocol))
    room.require(f"running network '{network.name}'", running, network.place)


def gathered(network: Network, program: Program, protocol: tuple[plan.Item, ...]) -> Iterator[Part]:
    """What a protocol gathers while it is run: see `program.memory.of_protocol`, and what is measured."""
    readouts = {metric.name: metric.readouts for metric in network.metrics}

    def takes(readout: str) -> memory.Takes:
        def taken(item: plan.Measure | plan.Capture) -> bool:
            if isinstance(item, plan.Capture):
                return readout in dict(item.rows).values()
            return any(readout in readouts[name] for name in item.metrics or readouts)

        return taken

    yield from memory.of_protocol(program, protocol, takes)
    yield Part("what is measured", memory.measured(protocol, len(readouts)))


def estimate(network: Network) -> float:
    """Bytes that building and running the network takes, roughly."""
    return sum(part.size for part in parts(network))


def parts(network: Network) -> Iterator[Part]:
    """What building and running the network takes, roughly: its neurons, synapses and stimuli.

    Synapses that need not be stored count like others: not every executor does without them.
    """
    copies = network.copies if shares(network) else 1
    yield from _populations(network)
    for projection in network.projections:
        rule = connections.rule(projection.connect)
        count = rule.expected(projection.connect, Ends.of(projection, network))
        size = count * (BYTES_PER_SYNAPSE_INDEX + _of_synapse(projection, copies))
        if rule.axes is not None:
            size = _of_kernel(projection, network, copies, float(prod(rule.axes(projection.connect))), count)
        yield Part(f"the synapses of '{projection.name}'", size, projection.place)
    yield from _stimuli(network)
    yield Part("what its protocol gathers", _shown(network, network.protocol))


def _shown(network: Network, items: tuple[Item, ...]) -> float:
    """What presenting patterns and measuring gathers, if nothing of it is let go of."""
    size = 0.0
    for item in items:
        match item:
            case Present(patterns=name, readouts=names):
                count = item.count
                if count is None:
                    count = pattern_count(network.patterns(name), network, Materialiser(network))
                cells = (
                    network.population(one.of.partition(".")[0]).size for one in network.samples if one.name in names
                )
                size += count * (memory.BYTES_PER_HOLD + 2.0 * BYTES_PER_VALUE * sum(cells))
            case Measure():
                size += memory.BYTES_PER_MEASUREMENT * len(item.metrics or network.metrics)
            case Repeat():
                size += item.count * _shown(network, item.do)
            case If():
                size += max(_shown(network, item.then), _shown(network, item.otherwise))
            case _:
                pass
    return size


def _populations(network: Network) -> Iterator[Part]:
    copies = network.copies if shares(network) else 1
    for population in network.populations:
        yield Part(f"population '{population.name}'", _of_population(population, copies), population.place)


def _stimuli(network: Network) -> Iterator[Part]:
    maker = Materialiser(network)
    for stimulus in network.stimuli:
        numbers = stimuli.ALL[stimuli.key(stimulus)].expected(stimulus, network, maker)
        yield Part(f"stimulus '{stimulus.name}'", numbers * BYTES_PER_VALUE * COPIES, stimulus.place)


def _of_population(population: Population, copies: int) -> float:
    model = population.neuron
    values = _variables(model, copies) + len(model.inputs) * copies + _several(population)
    return float(population.size) * (BYTES_PER_NEURON + values * BYTES_PER_VALUE * LOOKED_AT)


def _of_synapse(projection: Projection, copies: int) -> float:
    late = projection.is_late
    values = _variables(projection.synapse, copies) + _several(projection) + late
    return BYTES_PER_ELEMENT + values * BYTES_PER_VALUE * COPIES


def _of_kernel(projection: Projection, network: Network, copies: int, entries: float, synapses: float) -> float:
    """What synapses take that share the entries of a kernel: values of entries, rows, and what each has of its own."""
    known = blocks.over_kernel(projection.synapse)
    own = sum(copies for state in projection.synapse.states if state.name not in known) + projection.is_late
    rows = network.population(projection.source).size * BYTES_PER_ROW
    return rows + entries * _of_synapse(projection, copies) + synapses * own * BYTES_PER_VALUE * COPIES


def _several(owner: Population | Projection) -> int:
    """Parameters and derived constants that are not one number for all."""
    given = [value for _, value in owner.parameters if not isinstance(value, Quantity)]
    model = owner.neuron if isinstance(owner, Population) else owner.synapse
    return len(given) + len(model.derived) if given else 0


def _variables(model: NeuronModel | SynapseModel, copies: int) -> int:
    """Numbers that the variables of one neuron or synapse take."""
    known = blocks.shared(model) if isinstance(model, NeuronModel) else blocks.common(model)
    return sum(1 if state.name in known else copies for state in model.states)
