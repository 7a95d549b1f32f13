"""The blocks of a synapse model as bodies of a program."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from neuroport.elaborate.partners import lacking
from neuroport.elaborate.state import Elaboration
from neuroport.errors import Problem, with_text
from neuroport.language.check import synapse_allowed
from neuroport.language.lower import Lowering
from neuroport.language.names import Modulation, Side, SynapseNames, Twin
from neuroport.network.objects import Projection
from neuroport.program.ir import INT, REAL, Apply, Body, Expr, Int, Read, Real, Send
from neuroport.program.sent import Form, as_sent


def synapse_names(made: Elaboration, projection: Projection, triggered: bool = False) -> SynapseNames:
    """What names stand for in a synapse's blocks; triggered ones see its twin, too."""
    obj = made.objects[projection.name]
    ends = []
    for end in (projection.source, projection.target):
        ends.append(Side(end, made.network.population(end).neuron, made.objects[end].constants))
    twin = None
    if projection.twin is not None and triggered:
        of = projection.twin.of
        known = made.objects.get(of)
        twin = Twin(of, made.network.projection(of).synapse, known.constants) if known else Twin(of)
    return SynapseNames(
        projection.synapse, projection.name, obj.constants, made.dt, ends[0], ends[1], projection.input,
        made.delay(projection), twin, made.spiked, _modulators(made, projection),
    )  # fmt: skip


def _modulators(made: Elaboration, projection: Projection) -> dict[str, Modulation]:
    found = {name: made.network.population(source.population) for name, source in projection.modulators}
    variables = {name: source.variable for name, source in projection.modulators}
    return {name: Modulation(p.name, p.neuron, variables[name]) for name, p in found.items()}


def synapse_bodies(made: Elaboration, projection: Projection) -> dict[str, Body]:
    """The bodies of step, on_pre and on_post; their problems are noted."""
    model = projection.synapse
    dendritic = projection.is_late
    bodies: dict[str, Body] = {}
    refused = False
    made.problems += lacking(made, projection, synapse_names(made, projection))
    for name, block in (("step", model.step), ("on_pre", model.on_pre), ("on_post", model.on_post)):
        names = synapse_names(made, projection)
        lowering = Lowering(names, projection.name, name, synapse_allowed(name), dendritic, made.copies)
        lowering.block(block)
        made.problems += lowering.problems
        refused = refused or bool(lowering.problems)
        _needs_spikes(made, projection, name, bool(block.tree))
        bodies[name] = lowering.finish()
    if not refused and not any(isinstance(s, Send) for body in bodies.values() for s in body):
        bodies["on_pre"] = (_default_send(made, projection, dendritic), *bodies["on_pre"])
    bodies["on_pre"] = _as_often(bodies["on_pre"], made, projection, "pre")
    bodies["on_post"] = _as_often(bodies["on_post"], made, projection, "post")
    through = _through_circuit(made, projection)
    return {name: as_sent(body, through) for name, body in bodies.items()}


def _as_often(body: Body, made: Elaboration, projection: Projection, side: Literal["pre", "post"]) -> Body:
    """What a spike sends, as often as the neuron spiked in its step; the largest of equal values is one of them."""
    end = projection.source if side == "pre" else projection.target
    name = made.network.population(end).neuron.spike_count
    count = synapse_names(made, projection).side(side, name, lagged=False) if name else None
    if count is None:
        return body

    def sent(send: Send) -> Send:
        added = made.arrays[send.input].reduce == "sum"
        return replace(send, value=times(send.value, count)) if added else send

    return tuple(sent(stmt) if isinstance(stmt, Send) else stmt for stmt in body)


def times(value: Expr, count: Expr) -> Expr:
    """A value for each of so many spikes."""
    real = isinstance(value.type, Real)
    factor = Apply("to_real", (count,), REAL) if real else count
    return Apply("mul", (factor, value), REAL if real else INT)


def _through_circuit(made: Elaboration, projection: Projection) -> Form:
    """A learned weight that deviates leaves multiplied by its circuit's factor."""
    name = projection.synapse.weight.name
    full = f"{projection.name}.{name}"
    factor = made.objects[projection.name].factors.get(name)
    if factor is None:
        return lambda read: read
    times = Read(factor, "own", REAL)
    return lambda read: Apply("mul", (read, times), REAL) if read.array == full else read


def _needs_spikes(made: Elaboration, projection: Projection, block: str, used: bool) -> None:
    end = {"on_pre": projection.source, "on_post": projection.target}.get(block)
    if used and end is not None and made.network.population(end).neuron.spike is None:
        text = f"'{block}' of synapse model '{projection.synapse.name}' never runs: population '{end}' does not spike"
        made.problems.append(Problem(projection.place, text))


def _default_send(made: Elaboration, projection: Projection, dendritic: bool) -> Send:
    """`send(target, weight)`, which starts on_pre when a model sends nothing."""
    _needs_spikes(made, projection, "on_pre", True)
    names = synapse_names(made, projection)
    weight = names.variable(projection.synapse.weight.name)
    target = names.input("target", back=False)
    assert weight is not None
    assert target is not None
    value: Expr = Read(weight.array, "own", weight.type)
    if isinstance(target.type, Real) and isinstance(weight.type, Int):
        value = Apply("to_real", (value,), REAL)
    elif isinstance(target.type, Int) and isinstance(weight.type, Real):
        text = (
            f"input '{projection.input}' takes ints, but the weight of '{projection.name}' is real; let its model say "
        )
        text += f"send(target, int(round({projection.synapse.weight.name}))), or make the input real"
        made.problems.append(Problem(projection.place, text))
    place = with_text(projection.synapse.place, f"send(target, {projection.synapse.weight.name})")
    return Send(target.array, value, None, "post", "synapse" if dendritic else 0, place)
