"""Elaboration: a network becomes a program with real numbers, in which everything is concrete.

Afterwards: every size, connection, initial value and constant is an array; every block is a straight-line body; parts
that depend on parameters alone are arrays of their own; what a chip instance deviates in has been applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from neuroport.chips import instance as instances
from neuroport.chips.chip import Chip, ChipInstance
from neuroport.copies.axis import with_copies
from neuroport.copies.given import outermost
from neuroport.elaborate.arrays import population_arrays, projection_arrays, run_scalars
from neuroport.elaborate.bodies import events, histogram, population_body, projection_bodies
from neuroport.elaborate.chances import above_one
from neuroport.elaborate.finish import HORIZON, trimmed, with_histories, with_horizon
from neuroport.elaborate.hoist import hoisted
from neuroport.elaborate.memory import refuse_too_large, refuse_too_large_program
from neuroport.elaborate.plan import items, planned
from neuroport.elaborate.ports import made_ports, room_for_ports
from neuroport.elaborate.samples import sample_records
from neuroport.elaborate.state import Elaboration
from neuroport.elaborate.stimuli import batch_size, elaborate_stimulus
from neuroport.elaborate.values import Materialiser
from neuroport.errors import InvalidInput, RunFailed
from neuroport.network.identifiers import check_names
from neuroport.network.network import Network
from neuroport.network.results import StateRecord
from neuroport.numerics import units
from neuroport.numerics.given import checked_seed
from neuroport.numerics.steps import MOST
from neuroport.program.ir import Numbers
from neuroport.program.machine import Derived, Injection, Program, Record, Series
from neuroport.program.plan import Item, Plan, total_steps
from neuroport.program.switchboard import Switchboard
from neuroport.program.verify import verified


@verified
def elaborate(
    network: Network,
    chip: Chip,
    instance: ChipInstance | None = None,
    protocol: tuple[Item, ...] | None = None,
    steps: int | None = None,
) -> Program:
    """Make the real program of a network for a chip: of a specimen, or without one of the chip as it was designed.

    All have the same arrays, types and bodies; only numbers differ. The chip matters only through its mismatch and its
    precision. `protocol`: the items that will be run, where these are not those of the network; `steps`: how many they
    take, where that is known. Raises InvalidInput with every problem found; nothing large is allocated before the
    network is known to fit into memory.
    """
    return program_of(with_arrays(network, chip, instance, protocol), steps)


def experiment(network: Network, chip: Chip, instance: ChipInstance | None = None) -> tuple[Program, Plan]:
    """The real program of a network (see `elaborate`), and how it is to be run."""
    made = with_arrays(network, chip, instance, None)
    program = program_of(made)
    return program, planned(network, program, made.materialiser)


def with_arrays(
    network: Network, chip: Chip, instance: ChipInstance | None, protocol: tuple[Item, ...] | None
) -> Elaboration:
    """A network with its arrays; see `elaborate`."""
    network = replace(network, seed=checked_seed(network.seed, "the network's seed", network.place))
    check_names(network)
    refuse_too_large(network)
    dt = units.coherent(network.dt.number, network.dt.unit)[0]
    one = instances.designed(chip) if instance is None else instance
    made = Elaboration(network, chip, one, Materialiser(network), dt, batch_size(network), protocol)
    _make_arrays(made)
    return made


def _make_arrays(made: Elaboration) -> None:
    """All but the arrays for constant parts, which bodies bring with them."""
    run_scalars(made)
    first = 0
    for population in made.network.populations:
        population_arrays(made, population, first)
        first += population.size
    for projection in made.network.projections:
        projection_arrays(made, projection)
    room_for_ports(made)
    made.stop_on_problems()


def _of_copies(program: Program) -> list[Mapping[str, Numbers]]:
    """The parameters of the copies that differ most, where these have their own."""
    found: list[Mapping[str, Numbers]] = []
    for values in outermost(program).values():
        with suppress(RunFailed):  # told where each copy gets its values
            found.append(Switchboard(program).checked(values).values)
    return found


def _record(made: Elaboration, record: StateRecord) -> Record:
    """What an executor samples of a state, or of some of its neurons."""
    every = made.materialiser.steps(record.every, f"record of {record.of}")
    return Record(record.of, every, neurons=None if record.part is None else record.part.neurons)


def program_of(made: Elaboration, steps: int | None = None) -> Program:
    """The program, now that its arrays are made. `steps`: how many the items that will be run take, where known."""
    network = made.network
    projections = tuple(projection_bodies(made, p) for p in network.projections)
    triggered = tuple(events(made))
    populations = tuple(population_body(made, p) for p in network.populations)
    stimuli = [elaborate_stimulus(s, network, made.materialiser) for s in network.stimuli]
    readouts = tuple(histogram(made, r) for r in network.histograms)
    records = tuple(_record(made, record) for record in network.record.states)
    records += sample_records(network, made.materialiser)
    program = Program(
        name=network.name,
        dt=made.dt,
        seed=network.seed,
        chip=made.chip.name,
        integer=False,
        precision="float32" if made.chip.arithmetic == "float32" else "float64",
        arrays=made.arrays,
        populations=populations,
        projections=projections,
        events=triggered,
        readouts=readouts,
        records=records,
        injections=tuple(s for s in stimuli if isinstance(s, Injection)),
        series=tuple(s for s in stimuli if isinstance(s, Series)),
        tables={},
        derived=(),
        constants=made.values,
        designed=made.designed,
        ports=made_ports(made),
        per_copy=made.per_copy,
        place=network.place,
    )
    program = hoisted(made, program)
    made.stop_on_problems()
    derived = tuple(Derived(name, expr) for name, expr in made.derived if made.arrays[name].dynamic)
    program = replace(program, derived=derived, report=(*made.report, *made.materialiser.report))
    program = with_histories(with_copies(program, made.copies))
    protocol = items(network, program) if made.protocol is None else made.protocol
    steps = total_steps(protocol) if steps is None else steps
    if steps > MOST:
        text = f"the protocol takes {Decimal(steps):.3g} steps, and steps are numbered to 2^62; make it shorter"
        raise InvalidInput.one(network.protocol[0].place if network.protocol else network.place, text)
    told = above_one(populations, made.values, program.series, protocol, made.dt, _of_copies(program))
    program = replace(program, report=(*program.report, *told))
    program = trimmed(with_horizon(program, max(HORIZON, steps)))
    refuse_too_large_program(network, program, protocol)
    return program
