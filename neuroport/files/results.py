"""Readouts and recording out of YAML nodes."""

from __future__ import annotations

import ast
from typing import Any

from neuroport.files import models
from neuroport.files.context import Context
from neuroport.files.parts import NEURONS_ONLY, part_of, split_part
from neuroport.language.syntax import calls
from neuroport.network.objects import Population, Projection
from neuroport.network.results import MAX_UNITS, Readout, Recording, Samples, StateHistogram, StateRecord
from neuroport.numerics import units
from neuroport.numerics.parts import Part, named
from neuroport.numerics.units import Quantity, quoted
from neuroport.yaml import quantities
from neuroport.yaml.fields import found
from neuroport.yaml.nodes import MapNode, Node, ScalarNode


def readout(context: Context, name: str, at: Node, node: Node) -> Readout | None:
    """One readout, or None with its problems in the report."""
    report = context.report
    what = f"readout '{name}'"
    outer = report.mapping(node, what, ("histogram", "samples"))
    if isinstance(node, MapNode) and len(outer) != 1 and len(node.entries) == len(outer):
        report.add(node, f"{what} must have one of the keys histogram, samples; found {', '.join(outer) or 'none'}")
    if len(outer) != 1:
        return None
    if "samples" in outer:
        return _samples(context, name, at, outer["samples"])
    return _histogram(context, name, at, outer["histogram"])


def _samples(context: Context, name: str, at: Node, node: Node) -> Samples | None:
    report = context.report
    before = len(report.problems)
    what = f"readout '{name}'"
    entries = report.mapping(node, f"samples of {what}", ("of", "every", "from", "to", "reduce"), ("of",))
    text = report.text(entries.get("of"), f"of of {what}")
    of, inside = (None, None) if text is None else split_part(text)
    pair = None if of is None else context.variable(entries["of"], f"of of {what}", of)
    part: Part | None = None
    if pair is not None and isinstance(pair[0], Population):
        part = part_of(report, entries["of"], f"of of {what}", inside, pair[0].size)
    if pair is not None and not isinstance(pair[0], Population):
        report.add(entries["of"], f"{what} samples a variable of a population; {quoted(of or '')} is of a projection")
    every = quantities.duration(report, entries.get("every"), f"every of {what}", context.dt, 1)
    start = quantities.duration(report, entries.get("from"), f"from of {what}", context.dt, 0)
    stop = quantities.duration(report, entries.get("to"), f"to of {what}", context.dt, 1)
    reduce: Any = report.choice(entries.get("reduce"), f"reduce of {what}", ("mean", "sum", "last"))
    start = start or Quantity(0, "step")
    if stop is not None and context.dt is not None and len(report.problems) == before:
        ends = [units.convert(end, "step", context.dt) for end in (start, stop)]
        if ends[0] >= ends[1]:
            text = f"to of {what} must be after from; found {units.show(start)} and {units.show(stop)}"
            report.add(entries["to"], text)
    if of is None or pair is None or len(report.problems) > before:
        return None
    step = every or Quantity(1, "step")
    return Samples(
        name=name, of=of, every=step, start=start, stop=stop, reduce=reduce or "mean", part=part, place=at.place
    )


def _histogram(context: Context, name: str, at: Node, node: Node) -> StateHistogram | None:
    report = context.report
    before = len(report.problems)
    what = f"readout '{name}'"
    keys = ("population", "state", "every", "phase")
    entries = report.mapping(node, f"histogram of {what}", keys, keys[:3])
    population_name, part = context.neurons(entries.get("population"), f"population of {what}")
    population = context.populations.get(population_name or "")
    every = quantities.duration(report, entries.get("every"), f"every of {what}", context.dt, 1)
    phase = quantities.duration(report, entries.get("phase"), f"phase of {what}", context.dt, 0)
    if population and (len(part) if part else population.size) > MAX_UNITS:
        text = f"{what} counts joint states of at most {MAX_UNITS} neurons; "
        whole = f"population '{population.name}' has {population.size}, name some of them: {population.name}[0:10]"
        text += f"{named(population.name, part)} are {len(part)}" if part else whole
        report.add(entries["population"], text)
    state_node = entries.get("state")
    if state_node is None:
        return None
    if not isinstance(state_node, ScalarNode) or not state_node.text.strip():
        report.add(state_node, f"state of {what} must be a condition such as 'x < 50'; found {found(state_node)}")
        return None
    state = models.expression(report, state_node)
    if population and state.tree is not None:
        model = population.neuron
        known = [item.name for item in model.states] + [item.name for item in model.parameters]
        words = calls()
        for word in ast.walk(state.tree):
            if isinstance(word, ast.Name) and word.id not in known and word.id not in words:
                report.unknown(state_node, "variable", word.id, known, f" in the state of {what}")
    if every and phase and context.dt and units.steps(phase, context.dt) >= units.steps(every, context.dt):
        text = f"phase of {what} must be shorter than every; found {units.show(phase)} and {units.show(every)}"
        report.add(entries["phase"], text)
    if population is None or every is None or len(report.problems) > before:
        return None
    return StateHistogram(
        name=name,
        population=population.name,
        state=state,
        every=every,
        phase=phase or Quantity(0, "step"),
        part=part,
        place=at.place,
    )


def recording(context: Context, node: Node | None) -> Recording:
    """What to record; parts with problems are left out."""
    report = context.report
    entries = report.mapping(node, "record", ("spikes", "states", "weights", "topology"))
    spikes = entries.get("spikes")
    names: list[str] = []
    parts: list[tuple[str, Part]] = []
    if isinstance(spikes, ScalarNode) and spikes.value == "all":
        names = list(context.populations)
    elif not (isinstance(spikes, ScalarNode) and spikes.value == "none"):
        for item in report.items(spikes, "spikes of record"):
            name, part = context.neurons(item, "spikes of record")
            if name is not None and name not in names:
                names.append(name)
                parts += [] if part is None else [(name, part)]
            elif name is not None and (part, name) != (dict(parts).get(name), name):
                report.add(item, f"spikes of record names '{name}' twice; name all of its neurons once")
    weights = _records(context, entries.get("weights"), "weights of record", "projection")
    topology: Any = report.choice(entries.get("topology"), "topology of record", ("all", "none"))
    if topology == "none" and weights:
        text = "topology of record leaves all synapses out of the trace, and 'weights' samples some of them; "
        report.add(entries["topology"], f"{text}leave one of the two out")
    return Recording(
        spikes=tuple(names),
        parts=tuple(parts),
        states=_records(context, entries.get("states"), "states of record", "population"),
        weights=weights,
        topology=topology or "all",
    )


def _records(context: Context, node: Node | None, what: str, kind: str) -> tuple[StateRecord, ...]:
    report = context.report
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return ()
    if not isinstance(node, MapNode):
        report.add(node, f"{what} must be a mapping from OBJECT.VARIABLE to a time; found {found(node)}")
        return ()
    result: list[StateRecord] = []
    for key, at, inner in node.values():
        every = quantities.duration(report, inner, f"the interval of {quoted(key)} in {what}", context.dt, 1)
        of, inside = split_part(key)
        pair = context.variable(at, what, of)
        if pair is None or every is None:
            continue
        if isinstance(pair[0], Population) != (kind == "population"):
            other = "weights" if kind == "population" else "states"
            report.add(at, f"{what} takes variables of a {kind}; move {quoted(key)} to '{other}'")
            continue
        if inside is not None and isinstance(pair[0], Projection):
            report.add(at, f"{what}: {NEURONS_ONLY}; record {quoted(of)} whole")
            continue
        if any(record.of == of for record in result):
            report.add(at, f"{what} has {quoted(of)} twice; name all of its neurons once, such as {of}[0:3, 7]")
            continue
        part = part_of(report, at, what, inside, pair[0].size) if isinstance(pair[0], Population) else None
        result.append(StateRecord(of=of, every=every, part=part, place=at.place))
    return tuple(result)
