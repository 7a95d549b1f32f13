"""What is told of a neuron or synapse model: its own texts, and what its users have to know of units."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neuroport.network.model import Block, Input, Modulator, NeuronModel, Parameter, SpikeTrace, State, SynapseModel
from neuroport.network.values import Distribution, Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.pages import Cell, Lines, Page, Part, Table, Text
from neuroport.pages.plain import shown

Model = NeuronModel | SynapseModel
NONE = "-"
WHEN = {
    "step": "in every step",
    "on_pre": "when a presynaptic spike arrives",
    "on_post": "one step after a postsynaptic spike",
}
"""When the blocks of a synapse run."""
UNIT_OF_THE_INPUT = (
    "What arrives counts in the unit of the input that the projection names: with lif, a weight of 1 at `jump` adds "
    "1 mV, and at `i` 1 nA."
)


def kind(model: Model) -> str:
    """ "neuron" or "synapse"."""
    return "neuron" if isinstance(model, NeuronModel) else "synapse"


def page(model: Model, networks: tuple[str, ...] | None = None) -> Page:
    """All that is told of a model; `networks`: the names of those that use it, where that is known."""
    parts: list[Part] = [
        Text(f"{kind(model)} model, from {model.place.file}" if model.place else f"{kind(model)} model"),
        Text(f"source: {model.source}" if model.source else ""),
        Text(f"notice: {model.notice}" if model.notice else ""),
        Lines("equations", model.equations),
        Table(
            ("parameter", "unit", "default", "range", "set in a run", "deviates as"),
            tuple(map(_parameter, model.parameters)),
        ),
        *(_of_neuron(model) if isinstance(model, NeuronModel) else _of_synapse(model)),
        Text(f"events: {', '.join(name for name, _ in model.on_event)}" if model.on_event else ""),
    ]
    if networks is not None:
        parts.append(Text(f"used by {', '.join(networks) or 'no network that comes with neuroport'}"))
    return Page(model.name, model.title, tuple(parts))


def _of_neuron(model: NeuronModel) -> Iterator[Part]:
    yield Table(("input", "unit", "range", "a weight of 1 adds"), tuple(map(_input, model.inputs)))
    yield _states(model)
    times = f" {model.spike_count} times" if model.spike_count else ""
    yield Text(f"spikes{times} where {model.spike.text}" if model.spike else "does not spike")


def _of_synapse(model: SynapseModel) -> Iterator[Part]:
    yield Table(("trace", "of", "decays by", "grows by", "range"), tuple(map(_trace, model.traces)))
    yield Table(("modulator", "unit"), tuple((m.name, unit(m)) for m in model.modulators))
    yield _states(model)
    rows = tuple(sends(model))
    yield Table(("sends", "to", "when", f"a weight of {_one(model)} adds"), rows)
    if rows:
        yield Text(UNIT_OF_THE_INPUT)


def _one(model: SynapseModel) -> str:
    return amount(model.weight.unit)


def amount(unit: str) -> str:
    """The number 1 of the coherent system, for what has this unit."""
    coherent = units.coherent_unit(unit)
    return f"1 {coherent}" if coherent else "1"


def _states(model: Model) -> Table:
    rows = tuple(_state(state) for state in model.states)
    return Table(("variable", "unit", "at first", "range", "word", "deviates as"), rows)


def _parameter(of: Parameter) -> tuple[Cell, ...]:
    default = "must be given" if of.default is None else value(of.default)
    return of.name, unit(of), default, interval(of.range), "yes" if of.dynamic else NONE, of.kind or NONE


def _state(of: State) -> tuple[Cell, ...]:
    first = "0" if of.init is None else value(of.init)
    name = f"{of.name} (the weight)" if of.weight else of.name
    return name, unit(of), first, interval(of.range), of.variable_class, of.kind or NONE


def _input(of: Input) -> tuple[Cell, ...]:
    name = of.name if of.reduce == "sum" else f"{of.name} (the largest)"
    return name, unit(of), interval(of.range), amount(of.unit)


def _trace(of: SpikeTrace) -> tuple[Cell, ...]:
    grows = of.increment.text if of.mode == "add" else f"to {of.increment.text}"
    return f"{of.side}.{of.name}", f"{of.side}synaptic spikes", of.decay.text, grows, interval(of.range)


def unit(of: Parameter | State | Input | Modulator) -> str:
    """In which unit a number stands; "-" for pure ones, and whole ones are told."""
    return f"{of.unit}, whole".lstrip(", ") if of.type == "int" else of.unit or NONE


def interval(limits: tuple[float, float] | None) -> str:
    """A range, "-" where there is none."""
    return NONE if limits is None else f"{shown(_plain(limits[0]))} to {shown(_plain(limits[1]))}"


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def value(of: Value) -> str:
    """A value that a model has by itself."""
    if isinstance(of, Quantity):
        return units.show(of)
    if isinstance(of, Distribution):
        return f"{of.kind}({', '.join(f'{name}={units.show(argument)}' for name, argument in of.arguments)})"
    return "an array"


# --------------------------------------------------------------------------------------------------------------- sends


def sends(model: SynapseModel) -> Iterator[tuple[Cell, ...]]:
    """What the synapse sends, where to, when, and what of it a weight of one comes to."""
    name, found = model.weight.name, False
    for block, when in WHEN.items():
        for call in _calls(getattr(model, block)):
            found = True
            only = next((ast.unparse(k.value) for k in call.keywords if k.arg == "when"), "")
            where, what = call.args
            to = ast.unparse(where)
            to = "the input" if to == "target" else f"{to} of the source"
            yield ast.unparse(what), to, f"{when} where {only}" if only else when, per_one(what, name)
    if not found:
        yield name, "the input", WHEN["on_pre"], "1"


def _calls(block: Block) -> Iterator[ast.Call]:
    for statement in block.tree:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("send", "send_back"):
                yield node


def per_one(value: ast.expr, weight: str) -> str:
    """An expression where the weight is 1."""
    match value:
        case ast.Name(id=name) if name == weight:
            return "1"
        case ast.BinOp(left=ast.Name(id=name), op=ast.Mult(), right=other) if name == weight:
            return ast.unparse(other)
        case ast.BinOp(left=other, op=ast.Mult(), right=ast.Name(id=name)) if name == weight:
            return ast.unparse(other)
    return ast.unparse(_WithOne(weight).visit(ast.parse(ast.unparse(value), mode="eval")).body)


class _WithOne(ast.NodeTransformer):
    def __init__(self, weight: str) -> None:
        self.weight = weight

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(1) if node.id == self.weight else node
