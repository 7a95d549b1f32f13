"""Which neuron's variable each modulator of a projection's synapses is, read out of YAML nodes."""

from __future__ import annotations

from neuroport.files.context import Context, label
from neuroport.files.parts import part_of, split_part
from neuroport.language import dimensions
from neuroport.network.model import Modulator, State, SynapseModel
from neuroport.network.objects import Population, Source
from neuroport.numerics import units
from neuroport.numerics.units import quoted, suggestion
from neuroport.yaml.fields import listing
from neuroport.yaml.nodes import Node


def read_modulators(
    context: Context, node: Node | None, at: Node, what: str, model: SynapseModel
) -> tuple[tuple[str, Source], ...]:
    """A source for each modulator of the model, in its order; those with problems are left out."""
    known = {modulator.name: modulator for modulator in model.modulators}
    given: dict[str, Source] = {}
    mentioned = set()
    for name, key, inner in context.report.named(node, f"modulators of {what}", "modulators"):
        mentioned.add(name)
        if name not in known:
            none = f"synapse model '{model.name}' has no modulator {quoted(name)}"
            context.report.add(key, f"modulators of {what}: {none}; {suggestion(name, list(known))}{listing(known)}")
        elif source := _source(context, inner, f"modulator '{name}' of {what}", known[name]):
            given[name] = source
    for name in known:
        if name not in mentioned:
            text = f"{what} lacks modulator '{name}' of synapse model '{model.name}'; add 'modulators: {{{name}: "
            context.report.add(at, f"{text}POPULATION.VARIABLE}}', of a population of one neuron")
    return tuple((name, given[name]) for name in known if name in given)


def _source(context: Context, node: Node, what: str, modulator: Modulator) -> Source | None:
    text = context.report.text(node, what)
    if text is None:
        return None
    name, dot, _ = text.partition(".")
    if dot and "[" not in name and name not in context.populations:
        context.report.unknown(node, "population", name, list(context.populations), f" as {what}")
        return None
    full, inside = split_part(text)
    owner, state = context.variable(node, what, full if dot and "." in full else text) or (None, None)
    if not isinstance(owner, Population) or state is None:
        return None
    before = len(context.report.problems)
    if owner.size == 1:
        part_of(context.report, node, what, inside, 1)  # which can be no other than the one neuron
    if len(context.report.problems) > before:
        return None
    wrong = _wrong(owner, state, modulator)
    if wrong:
        context.report.add(node, f"{what} {wrong}")
        return None
    return Source(population=owner.name, variable=state.name, place=node.place)


def _wrong(owner: Population, state: State, modulator: Modulator) -> str:
    """Why a variable cannot be a modulator, and what to do."""
    full = f"{owner.name}.{state.name}"
    if owner.size != 1:
        several = f"{label(owner)} has {owner.size} neurons, and all synapses see one number"
        return f"cannot be {full}: {several}; name a population of size 1, to which these neurons can send"
    if modulator.type == "int" and state.type == "real":
        return f"is an int, and {full} is real; declare the variable `type: int`, or the modulator without it"
    if modulator.unit and state.unit and units.powers(modulator.unit) != units.powers(state.unit):
        its, has = (dimensions.told(units.powers(unit)) for unit in (modulator.unit, state.unit))
        return f"{its}, and {full} {has}; name a variable of the same unit, or correct a unit"
    return ""
