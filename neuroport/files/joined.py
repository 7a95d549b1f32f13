"""Where a projection joins a synapse model and neurons: units of what it reads and sends that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.errors import Problem
from neuroport.files.context import Context
from neuroport.language import dimensions
from neuroport.language.dimensions import Sent
from neuroport.network.model import NeuronModel
from neuroport.network.objects import Population, Projection
from neuroport.numerics import units


def check_units(context: Context) -> None:
    """Note what does not fit together, a mistake of a rule once for all projections that have it."""
    read: dict[tuple[int, ...], tuple[tuple[Problem, ...], tuple[Sent, ...]]] = {}
    seen: set[Problem] = set()
    for item in context.projections.values():
        source, target = _end(context, item, "source"), _end(context, item, "target")
        if item is None or source is None or target is None:
            continue
        twin = context.projections.get(item.twin.of) if item.twin else None
        models = item.synapse, source.neuron, target.neuron, twin.synapse if twin else None
        key = tuple(map(id, models))
        if key not in read:
            read[key] = dimensions.of_projection(*models)
        problems, sent = read[key]
        for problem in problems:
            if problem not in seen:
                context.report.add(problem.place, f"{problem.text}; {_between(item, source, target)}")
        seen.update(problems)
        context.report.extend(_unlike(item, source, target, sent))


def _end(context: Context, item: Projection | None, end: str) -> Population | None:
    return context.populations.get(getattr(item, end)) if item is not None else None


def _between(item: Projection, source: Population, target: Population) -> str:
    """What pre and post are."""
    where = f" ({item.place})" if item.place else ""
    return f"pre is '{source.neuron.name}' and post '{target.neuron.name}' in projection '{item.name}'{where}"


def _unlike(item: Projection, source: Population, target: Population, sent: tuple[Sent, ...]) -> Iterator[Problem]:
    """What is sent to inputs of another unit."""
    for each in sent:
        population = source if each.back else target
        name = item.input if each.input == "target" and not each.back else each.input
        unit = _unit(population.neuron, name)
        if unit and dimensions.mismatch(each.dimension, units.powers(unit)):
            value = f"{each.value}, which {dimensions.told(each.dimension)}{f' ({each.place})' if each.place else ''}"
            to = f"input '{name}' of '{population.name}', which {dimensions.told(units.powers(unit))}"
            text = (
                f"projection '{item.name}' sends {value}, to {to}; send to an input of the same unit, or correct a unit"
            )
            yield Problem(item.place, text)


def _unit(neuron: NeuronModel, name: str) -> str:
    return next((item.unit for item in neuron.inputs if item.name == name), "")
