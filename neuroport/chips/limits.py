"""What fits on a chip."""

from __future__ import annotations

from collections.abc import Mapping

from neuroport.chips.chip import Chip
from neuroport.errors import Problem
from neuroport.program.ir import Send
from neuroport.program.machine import Program, stored


def check_limits(program: Program, chip: Chip, models: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """Everything about a program that does not fit on a chip. `models`: the neuron model of each population."""
    limits, found = chip.limits, list[str]()
    neurons = sum(p.size for p in program.populations)
    cores = -(-neurons // limits.neurons_per_core)
    if limits.cores is not None and cores > limits.cores:
        found.append(
            f"the network has {neurons} neurons, which need {cores} cores of {limits.neurons_per_core}; "
            f"chip '{chip.name}' has {limits.cores} cores. Make it smaller or choose another chip"
        )
    if limits.models is not None:
        for population, model in (models or {}).items():
            if model not in limits.models:
                found.append(
                    f"population '{population}' has neurons of model '{model}'; chip '{chip.name}' has only "
                    f"{', '.join(limits.models)}"
                )
    for projection in program.projections:
        found.extend(_projection_limits(program, projection.name, chip))
    if limits.synapses_per_core is not None:
        found.extend(_synapse_limit(program, chip))
    found.extend(_refractory(program, chip))
    return tuple(Problem(None, text) for text in found)


def _projection_limits(program: Program, name: str, chip: Chip) -> list[str]:
    projection, limits = program.projection(name), chip.limits
    found: list[str] = []
    if limits.max_axonal_delay is not None and projection.delay > limits.max_axonal_delay:
        found.append(
            f"projection '{name}' has a delay of {projection.delay} steps; chip '{chip.name}' allows at most "
            f"{limits.max_axonal_delay}. Shorten it or use a longer dt"
        )
    longest = int(projection.dendritic.max(initial=0)) if projection.dendritic is not None else 0
    if limits.max_dendritic_delay is not None and longest > limits.max_dendritic_delay:
        found.append(
            f"projection '{name}' has a dendritic delay of {longest} steps; chip '{chip.name}' allows at most "
            f"{limits.max_dendritic_delay}. Shorten it or use a longer dt"
        )
    events = [e.body for e in program.events if e.owner == name]
    written = stored([projection.step, projection.arrive, projection.post_body, *events])
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


def _refractory(program: Program, chip: Chip) -> list[str]:
    """A parameter named t_ref, or whose name contains "refractory", counts steps of rest."""
    longest = chip.limits.max_refractory
    if longest is None:
        return []
    found: list[str] = []
    for array in program.arrays.values():
        variable = array.name.rsplit(".", 1)[-1]
        rests = "refractory" in variable or variable == "t_ref"
        if array.role == "parameter" and rests and array.initial.size:
            steps = float(array.initial.max() if array.designed is None else array.designed[1])
            if steps > longest:
                found.append(
                    f"{array.name} is {steps:g} steps; chip '{chip.name}' allows at most {longest}. "
                    f"Shorten it or use a longer dt"
                )
    return found
