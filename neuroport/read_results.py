"""Readouts, metrics and recording out of YAML nodes."""

from __future__ import annotations

import ast
from typing import Any

from neuroport import read_model, read_values
from neuroport.fields import found
from neuroport.network import Metric, Population, Projection, Recording, StateHistogram, StateRecord
from neuroport.reading import Context
from neuroport.syntax import CALLS
from neuroport.units import quoted
from neuroport.values import Quantity
from neuroport.yamlfile import Mapping, Node, Scalar

METRICS = ("dkl", "asymmetry", "angle", "rate", "mean", "sd", "min", "max", "values")
MAX_UNITS = 20


def histogram(context: Context, name: str, at: Node, node: Node) -> StateHistogram | None:
    """One readout, or None with its problems in the report."""
    report = context.report
    before = len(report.problems)
    what = f"readout '{name}'"
    outer = report.mapping(node, what, ("histogram",), ("histogram",))
    keys = ("population", "state", "every", "phase")
    entries = report.mapping(outer.get("histogram"), f"histogram of {what}", keys, keys[:3])
    population_name = report.reference(entries.get("population"), "population", context.populations)
    population = context.populations.get(population_name or "")
    every = read_values.duration(report, entries.get("every"), f"every of {what}", context.dt, 1)
    phase = read_values.duration(report, entries.get("phase"), f"phase of {what}", context.dt, 0)
    if population and population.size > MAX_UNITS:
        text = f"{what} counts joint states of at most {MAX_UNITS} neurons; "
        text += f"population '{population.name}' has {population.size}"
        report.add(entries["population"], text)
    state_node = entries.get("state")
    if state_node is None:
        return None
    if not isinstance(state_node, Scalar) or not state_node.text.strip():
        report.add(state_node, f"state of {what} must be a condition such as 'x < 50'; found {found(state_node)}")
        return None
    state = read_model.expression(report, state_node)
    if population and state.tree is not None:
        model = population.neuron
        known = [item.name for item in model.states] + [item.name for item in model.parameters]
        for part in ast.walk(state.tree):
            if isinstance(part, ast.Name) and part.id not in known and part.id not in CALLS:
                report.unknown(state_node, "variable", part.id, known, f" in the state of {what}")
    if population is None or every is None or len(report.problems) > before:
        return None
    return StateHistogram(
        name=name,
        population=population.name,
        state=state,
        every=every,
        phase=phase or Quantity(0, "step"),
        place=at.place,
    )


def metric(context: Context, name: str, at: Node, node: Node) -> Metric | None:
    """One metric, or None with its problems in the report."""
    report = context.report
    what = f"metric '{name}'"
    kinds = [key for key in node.entries if key in METRICS] if isinstance(node, Mapping) else []
    if len(kinds) != 1:
        have = ", ".join(kinds) or found(node)
        report.add(node, f"{what} must have one of the keys {', '.join(METRICS)}; found {have}")
        return None
    kind: Any = kinds[0]
    further = {"dkl": ("target", "floor"), "angle": ("to",)}.get(kind, ())
    entries = report.mapping(node, what, (kind, *further), (kind, *further[:1]))
    if kind == "dkl":
        return _divergence(context, name, at, entries)
    if kind == "rate":
        population = report.reference(entries[kind], "population", context.populations)
        return None if population is None else Metric(name=name, kind="rate", of=population, place=at.place)
    text = report.text(entries[kind], f"{kind} of {what}")
    if text is None:
        return None
    pair = context.variable(entries[kind], f"{kind} of {what}", text)
    if pair is None:
        return None
    if kind == "asymmetry":
        owner = pair[0]
        if not isinstance(owner, Projection) or owner.source != owner.target:
            report.add(
                entries[kind],
                f"asymmetry of {what} needs a projection from a population to itself; found {quoted(text)}",
            )
            return None
    if kind == "angle":
        return _angle(context, name, at, pair[0], text, entries["to"])
    return Metric(name=name, kind=kind, of=text, place=at.place)


def _angle(
    context: Context, name: str, at: Node, one: Population | Projection, of: str, node: Node
) -> Metric | None:
    report = context.report
    what = f"metric '{name}'"
    to = report.text(node, f"to of {what}")
    pair = None if to is None else context.variable(node, f"to of {what}", to)
    if to is None or pair is None:
        return None
    ends = [(p.source, p.target) for p in (one, pair[0]) if isinstance(p, Projection)]
    if len(ends) != 2 or ends[1] not in (ends[0], ends[0][::-1]):
        report.add(node, f"angle of {what} needs two projections between the same populations, in either direction")
        return None
    return Metric(name=name, kind="angle", of=of, target=to, place=at.place)


def _divergence(context: Context, name: str, at: Node, entries: dict[str, Node]) -> Metric | None:
    report = context.report
    what = f"metric '{name}'"
    readout_name = report.reference(entries["dkl"], "readout", context.readouts)
    floor = report.number(entries.get("floor"), f"floor of {what}", 0)
    target = report.text(entries.get("target"), f"target of {what}")
    if target is None or readout_name is None:
        return None
    target_name, _, target_field = target.partition(".")
    if target_name not in context.targets or target_field != "p":
        report.unknown(entries["target"], "target", target, [f"{known}.p" for known in context.targets], f" of {what}")
        return None
    readout = context.readouts[readout_name]
    population = context.populations.get(readout.population) if readout else None
    size = context.target_sizes().get(target_name)
    if population and size and population.size != size:
        text = f"{what} compares {population.size} neurons of readout '{readout_name}' with {size} units of target "
        report.add(entries["target"], f"{text}'{target_name}'; the numbers must be equal")
        return None
    return Metric(
        name=name,
        kind="dkl",
        of=readout_name,
        target=target,
        floor=0.5 if floor is None else floor,
        place=at.place,
    )


def recording(context: Context, node: Node | None) -> Recording:
    """What to record; parts with problems are left out."""
    report = context.report
    entries = report.mapping(node, "record", ("spikes", "states", "weights"))
    spikes = entries.get("spikes")
    names: list[str] = []
    if isinstance(spikes, Scalar) and spikes.value == "all":
        names = list(context.populations)
    elif not (isinstance(spikes, Scalar) and spikes.value == "none"):
        for item in report.items(spikes, "spikes of record"):
            name = report.reference(item, "population", context.populations)
            if name is not None and name not in names:
                names.append(name)
    return Recording(
        spikes=tuple(names),
        states=_records(context, entries.get("states"), "states of record", "population"),
        weights=_records(context, entries.get("weights"), "weights of record", "projection"),
    )


def _records(context: Context, node: Node | None, what: str, kind: str) -> tuple[StateRecord, ...]:
    report = context.report
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return ()
    if not isinstance(node, Mapping):
        report.add(node, f"{what} must be a mapping from OBJECT.VARIABLE to a time; found {found(node)}")
        return ()
    result = []
    for key, at, inner in node.values():
        every = read_values.duration(report, inner, f"the interval of {quoted(key)} in {what}", context.dt, 1)
        pair = context.variable(at, what, key)
        if pair is None or every is None:
            continue
        if isinstance(pair[0], Population) != (kind == "population"):
            other = "weights" if kind == "population" else "states"
            report.add(at, f"{what} takes variables of a {kind}; move {quoted(key)} to '{other}'")
            continue
        result.append(StateRecord(of=key, every=every, place=at.place))
    return tuple(result)
