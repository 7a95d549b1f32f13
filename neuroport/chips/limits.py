"""What fits on a chip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from neuroport.chips.chip import DIVISION, Chip
from neuroport.errors import Place, Problem
from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import Apply, Body, Expr, Let, Random, Read, Send, Temp, expressions, walk
from neuroport.program.machine import Program, Projection


def check_limits(program: Program, chip: Chip, models: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """Everything about a program that does not fit on a chip. `models`: the neuron model of each population."""
    limits, found = chip.limits, list[Problem]()
    neurons = sum(p.size for p in program.populations)
    cores = -(-neurons // limits.neurons_per_core)
    if limits.cores is not None and cores > limits.cores:
        text = (
            f"the network has {neurons} neurons, which need {cores} cores of {limits.neurons_per_core}; "
            f"chip '{chip.name}' has {limits.cores} cores. Make it smaller or choose another chip"
        )
        found.append(Problem(program.place, text))
    if limits.models is not None:
        for population, model in (models or {}).items():
            if model not in limits.models:
                text = (
                    f"population '{population}' has neurons of model '{model}'; chip '{chip.name}' has only "
                    f"{', '.join(limits.models)}"
                )
                found.append(Problem(program.population(population).place, text))
    for projection in program.projections:
        found.extend(Problem(projection.place, text) for text in _projection_limits(program, projection, chip))
    if limits.synapses_per_core is not None:
        found.extend(Problem(program.place, text) for text in _synapse_limit(program, chip))
    found.extend(_refractory(program, chip))
    if limits.functions is not None:
        found.extend(_functions(program, chip.name, limits.functions))
    return tuple(found)


def _projection_limits(program: Program, projection: Projection, chip: Chip) -> list[str]:
    name, limits = projection.name, chip.limits
    found: list[str] = []
    if limits.max_axonal_delay is not None and projection.delay > limits.max_axonal_delay:
        found.append(
            f"projection '{name}' has a delay of {projection.delay} steps; chip '{chip.name}' allows at most "
            f"{limits.max_axonal_delay}. Shorten it or use a longer dt"
        )
    longest = projection.longest_delay
    if limits.max_dendritic_delay is not None and longest > limits.max_dendritic_delay:
        found.append(
            f"projection '{name}' has a dendritic delay of {longest} steps; chip '{chip.name}' allows at most "
            f"{limits.max_dendritic_delay}. Shorten it or use a longer dt"
        )
    written = program.stored(by=name)
    if not limits.plasticity and written:
        found.append(
            f"projection '{name}' changes {', '.join(sorted(written))}; chip '{chip.name}' has static synapses only. "
            f"Use the synapse model 'static' or another chip"
        )
    if not limits.graded and any(isinstance(s, Send) for s in projection.step):
        found.append(
            f"projection '{name}' sends in every step, not only at spikes; chip '{chip.name}' sends spikes only. "
            f"Send in on_pre, or choose another chip"
        )
    return found


def _synapse_limit(program: Program, chip: Chip) -> list[str]:
    most = chip.limits.synapses_per_core or 0
    total = sum(p.synapses for p in program.projections)
    available = most * (chip.limits.cores or 0)
    if not available or total <= available:
        return []
    return [f"the network has {total} synapses; chip '{chip.name}' has room for {available}. Connect fewer pairs"]


def _refractory(program: Program, chip: Chip) -> list[Problem]:
    """A parameter named t_ref, or whose name contains "refractory", counts steps of rest."""
    longest = chip.limits.max_refractory
    if longest is None:
        return []
    found: list[Problem] = []
    for array in program.arrays.values():
        variable = array.name.rsplit(".", 1)[-1]
        rests = "refractory" in variable or variable == "t_ref"
        if array.role == "parameter" and rests and array.initial.size:
            values = program.per_copy.get(array.name, array.initial)
            steps = float(values.max() if array.designed is None else array.designed[1])
            if steps > longest:
                text = (
                    f"{array.name} is {steps:g} steps; chip '{chip.name}' allows at most {longest}. "
                    f"Shorten it or use a longer dt"
                )
                found.append(Problem(array.place, text))
    return found


def _functions(program: Program, chip: str, known: tuple[str, ...]) -> Iterator[Problem]:
    """Functions of what changes during a run that a chip without tables for them cannot calculate."""
    owners = {p.name: ("population", p.place) for p in program.populations}
    owners |= {p.name: ("projection", p.place) for p in program.projections}
    missing: dict[str, dict[str, Place | None]] = {}
    for owned in program.bodies():
        for name, place in _looked_up(owned.body, program):
            if name not in known:
                missing.setdefault(owned.owner, {}).setdefault(name, place)
    for owner, names in missing.items():
        kind, place = owners[owner]
        line = next(iter(names.values()))
        where = f" ({line.short})" if line else ""
        has = f"of these only {', '.join(known)}" if known else "no tables for that"
        text = f"{kind} '{owner}' calculates {', '.join(names)} of what changes during a run{where}; chip '{chip}' has "
        yield Problem(place, f"{text}{has}. Use another model or another chip")


def _looked_up(body: Body, program: Program) -> Iterator[tuple[str, Place | None]]:
    """The functions in a body that a chip looks up, with their lines: curves and quotients by what changes."""
    changing: set[str] = set()
    for stmt in body:
        for part in (part for expr in expressions((stmt,)) for part in walk(expr)):
            if isinstance(part, Apply) and part.fn == "div" and _changes(part.args[1], program, changing):
                yield DIVISION, stmt.place
            elif isinstance(part, Apply) and FUNCTIONS[part.fn].curve is not None:
                yield part.fn, stmt.place
        if isinstance(stmt, Let) and _changes(stmt.value, program, changing):
            changing.add(stmt.name)


def _changes(expr: Expr, program: Program, changing: set[str]) -> bool:
    """Whether an expression has other values as a run goes on. `changing`: the local names that have."""
    return any(
        (isinstance(part, Read) and program.arrays[part.array].role != "parameter")
        or (isinstance(part, Temp) and part.name in changing)
        or isinstance(part, Random)
        for part in walk(expr)
    )
