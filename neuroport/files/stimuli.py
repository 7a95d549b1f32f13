"""Stimuli, read out of YAML nodes and written; what the kinds say stands in neuroport.stimuli."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import neuroport.stimuli as stimuli
from neuroport.files.context import Context, input_of, not_added
from neuroport.network.stimuli import Stimulus
from neuroport.numerics.parts import named
from neuroport.yaml.arrays import Sink
from neuroport.yaml.nodes import MapNode, Node


def stimulus(context: Context, name: str, at: Node, node: Node) -> Stimulus | None:
    """One stimulus, or None with its problems in the report."""
    report, kinds = context.report, stimuli.ALL
    before = len(report.problems)
    what = f"stimulus '{name}'"
    entries = report.mapping(node, what, (*kinds, "population", "input"), ("population",))
    keys = [key for key in kinds if key in entries]
    if len(keys) != 1:
        if isinstance(node, MapNode):
            report.add(at, f"{what} must have one of the keys {', '.join(kinds)}; found {', '.join(keys) or 'none'}")
        return None
    population_name, part = context.neurons(entries.get("population"), f"population of {what}")
    population = context.populations.get(population_name or "")
    cells = population if population is None or part is None else replace(population, size=len(part))
    input_name = input_of(context, entries.get("input"), at, what, population) if population else None
    inputs = {item.name: item for item in population.neuron.inputs} if population else {}
    target = inputs.get(input_name or "")
    if target is not None and target.reduce == "max":
        report.add(entries.get("input", at), f"{what} {not_added(target, population_name or '')}")
        return None
    inner = entries[keys[0]]
    entry = stimuli.Entry(report, name, at, inner, cells, target, context.dt, context.folder, part)
    made: Stimulus | None = kinds[keys[0]].read(entry)
    return made if target and len(report.problems) == before else None


def written_stimulus(item: Stimulus, sink: Sink) -> dict[str, Any]:
    """A stimulus as it stands in a file."""
    key = stimuli.key(item)
    inner = stimuli.ALL[key].write(item, sink, f"stimuli/{item.name}")
    return {key: inner, "population": named(item.population, item.part), "input": item.input}
