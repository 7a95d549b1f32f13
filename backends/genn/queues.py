"""Ways around faults of GeNN 5.4 in how populations keep their past, and in how sums are shared.

It merges the spike counters of populations that must be kept apart.

A population has delay slots for its variables, and its spikes are queued in as many slots only where a projection with
an axonal delay delivers them. GeNN merges the code that clears the counters of all populations with equally many slots,
queued or not, and then writes beyond the counters of those that are not. So no two such populations may have the same
number of slots.

And it does not say where the slots of a population begin, which is then what memory holds by chance, if there is
nothing else that its initialisation code has to do: no inputs, no spikes that go anywhere, and values that come from
here. So a population without inputs gets a variable that is initialised.
"""

from __future__ import annotations

from neuroport.backends.genn.model import Model, Neurons, Synapses, Variable

NOTHING = "const bool delivered = true;"


def part(model: Model) -> None:
    """Change numbers of slots, or queue spikes, until no two populations are merged wrongly; let slots begin at 0."""
    while (clash := _clash(model)) is not None:
        late = _late(model, clash)
        if late:
            max(late, key=lambda s: s.slots).slots += 1
        else:
            next(s for s in model.synapses if s.source == clash.name and s.delay > 1).arrive = NOTHING
    for neurons in model.neurons:
        if _slots(model, neurons) > 1 and not neurons.inputs:
            neurons.variables.append(Variable("begun", "uint8_t", "anchor", neurons.owner, constant=True))


def share_sums(model: Model) -> bool:
    """Whether groups that send to one input may have one array of sums: not where only some of them send late into it.

    GeNN gives it the form that the first of them needs.
    """
    late: dict[tuple[str, str | None, int], set[bool]] = {}
    for s in model.synapses:
        late.setdefault((s.target, s.post_input, s.slots), set()).add("addToPostDelay" in s.step + s.arrive)
    return all(len(forms) == 1 for forms in late.values())


def _clash(model: Model) -> Neurons | None:
    """A population without a queue and with as many slots as one with a queue."""
    queued = {_slots(model, n) for n in model.neurons if _queued(model, n)}
    return next((n for n in model.neurons if not _queued(model, n) and 1 < _slots(model, n) in queued), None)


def _queued(model: Model, neurons: Neurons) -> bool:
    return any(s.source == neurons.name and s.delay > 1 and s.arrive for s in model.synapses)


def _late(model: Model, neurons: Neurons) -> list[Synapses]:
    """The synapses that read the past of this population."""
    return [s for s in model.synapses if s.target == neurons.name and any(r.past for r in s.post)]


def _slots(model: Model, neurons: Neurons) -> int:
    axonal = [s.delay for s in model.synapses if s.source == neurons.name]
    return max([1, *axonal, *(s.slots + 1 for s in _late(model, neurons))])
