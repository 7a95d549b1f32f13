"""Checking whole models on their own: names, types, what each block may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from neuroport.errors import Problem
from neuroport.language import counted, dimensions, foreign
from neuroport.language.blocks import once, over_entries, step_sum_problems
from neuroport.language.lower import Allowed, Lowering, Names
from neuroport.language.names import (
    BUILT_IN,
    ConstantNames,
    Constants,
    NeuronNames,
    Side,
    SynapseNames,
    Twin,
    declared_type,
)
from neuroport.language.syntax import words
from neuroport.network.model import Block, Expression, NeuronModel, Parameter, SynapseModel
from neuroport.program.ir import REAL, Type

TRIGGERED: Mapping[Literal["neuron", "synapse"], Allowed] = {
    "neuron": Allowed(sums="event", over="neuron"),
    "synapse": Allowed(sums="event", over="synapse"),
}
"""What a triggered block of a neuron or synapse model may do."""

FIXED = Allowed(random=False)
"""What an expression over parameters may do."""


def synapse_allowed(block: str) -> Allowed:
    """What a block of a synapse model may do."""
    match block:
        case "step":
            return Allowed(send=True, send_back=True, when=True, sums="step")
        case "on_pre":
            return Allowed(send=True, send_back=True)
        case "on_post":
            return Allowed(send_back=True)
        case _:
            return TRIGGERED["synapse"]


def check_neuron(model: NeuronModel) -> tuple[Problem, ...]:
    """Problems of a neuron model on its own: names, types, what each block may do."""
    problems = list(_name_clashes(model))
    constants, found = _constants(model.name, model.parameters, model.derived)
    problems += found
    names = NeuronNames(model, model.name, constants, 1.0)
    lowering = Lowering(names, model.name, "update")
    lowering.block(model.update)
    fired = lowering.spike(model.spike) if model.spike else None
    if model.spike is None and model.on_spike.text.strip():
        lowering.problems.append(Problem(model.on_spike.place, "on_spike without a 'spike' condition; add one"))
    lowering.block(model.on_spike, fired, "on_spike")
    lowering.block(model.after, key="after")
    wrong = counted.problems(model)
    problems += [*wrong, *(p for p in lowering.problems if p.place not in {other.place for other in wrong})]
    for event, block in model.on_event:
        names = NeuronNames(model, model.name, constants, 1.0, inputs=False)
        problems += _check_block(names, model.name, f"on_event {event}", block, TRIGGERED["neuron"], once(block, model))
    problems += dimensions.of_neuron(model)
    return tuple(problems)


def check_synapse(model: SynapseModel) -> tuple[Problem, ...]:
    """Problems of a synapse model on its own. What it reads of its neurons is checked where a projection uses it."""
    problems = list(_name_clashes(model))
    constants, found = _constants(model.name, model.parameters, model.derived)
    problems += found
    weights = [s.name for s in model.states if s.weight]
    if len(weights) != 1:
        shown = ", ".join(weights) or "none"
        text = f"synapse model '{model.name}' marks {shown} as its weight; mark exactly one variable `weight: true`"
        problems.append(Problem(model.place, text))
        return tuple(problems)
    for trace in model.traces:
        for expression in (trace.decay, trace.increment):
            lowering = Lowering(ConstantNames(constants, 1.0), model.name, f"trace {trace.name}", FIXED)
            lowering.value(expression)
            problems += lowering.problems
    for name, block in (("step", model.step), ("on_pre", model.on_pre), ("on_post", model.on_post)):
        names = SynapseNames(model, model.name, constants, 1.0, Side("pre"), Side("post"))
        problems += _check_block(names, model.name, name, block, synapse_allowed(name))
    for event, block in model.on_event:
        names = SynapseNames(model, model.name, constants, 1.0, Side("pre"), Side("post"), twin=Twin("twin"))
        problems += _check_block(
            *(names, model.name, f"on_event {event}", block, TRIGGERED["synapse"]),
            *(once(block, model), over_entries(block, model)),
        )
    problems += step_sum_problems(model)
    problems += dimensions.of_synapse(model)
    return tuple(problems)


def _check_block(
    names: Names,
    owner: str,
    name: str,
    block: Block,
    allowed: Allowed,
    once_for_all: bool = False,
    entries: bool = False,
) -> list[Problem]:
    """Problems of a block, told as for a network of several copies whose synapses share kernels."""
    lowering = Lowering(names, owner, name, allowed, dendritic=True, copies=2, once=once_for_all, entries=entries)
    lowering.block(block)
    return lowering.problems


def _constants(
    owner: str, parameters: Iterable[Parameter], derived: Iterable[tuple[str, Expression]]
) -> tuple[Constants, list[Problem]]:
    types: dict[str, Type] = {p.name: declared_type(p) for p in parameters}
    problems: list[Problem] = []
    for name, expression in derived:
        lowering = Lowering(ConstantNames(Constants(owner, dict(types)), 1.0), owner, f"derived {name}", FIXED)
        value = lowering.value(expression)
        problems += lowering.problems
        types[name] = value.type if value is not None else REAL
    return Constants(owner, types), problems


def _name_clashes(model: NeuronModel | SynapseModel) -> Iterable[Problem]:
    """Names declared twice in a model, or taken by the language."""
    declared = [(p.name, p.place) for p in model.parameters]
    declared += [(name, e.place) for name, e in model.derived]
    declared += [(s.name, s.place) for s in model.states]
    if isinstance(model, NeuronModel):
        declared += [(i.name, i.place) for i in model.inputs]
    else:
        declared += [(t.name, t.place) for t in model.traces]
        declared += [(m.name, m.place) for m in model.modulators]
    seen: set[str] = set()
    reserved = {*BUILT_IN, *words(), "target", "spiked"}
    for name, place in declared:
        if name in seen:
            yield Problem(place, f"'{name}' is declared twice in model '{model.name}'; names must differ")
        if name in reserved:
            yield Problem(place, f"'{name}' is a word of the model language; choose another name")
        elif foreign.is_reserved(name):
            text = f"'{name}' is a word of Python's syntax, which the model language has; choose another name"
            yield Problem(place, f"{text}, such as {name}_")
        seen.add(name)
