"""How much there was to do in each part of the steps of a run."""

from __future__ import annotations

from collections.abc import Mapping

from neuroport.backends.emulator.layout import Part
from neuroport.program.machine import Program


def work(program: Program, part: Part, steps: int, spikes: Mapping[str, int]) -> tuple[float, str]:
    """How much there was to do in a part of so many steps, and of what.

    Synaptic events are the spikes times the mean number of synapses of a neuron.
    """
    sizes = {p.name: p.size * program.copies for p in program.populations}
    match part.what:
        case "every step":
            return float(program.projection(part.of).synapses * program.copies * steps), "synapse and step"
        case "arriving spikes":
            projection = program.projection(part.of)
            per_spike = projection.synapses / max(1, projection.source_size)
            return spikes[projection.source] * per_spike, "synaptic event"
        case "postsynaptic spikes":
            projection = program.projection(part.of)
            per_spike = projection.synapses / max(1, projection.target_size)
            return spikes[projection.target] * per_spike, "synaptic event"
        case "neurons" | "spikes":
            return float(sizes[part.of] * steps), "neuron and step"
        case _:
            return float(steps), "step"
