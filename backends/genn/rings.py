"""GeNN's own rings by step: what is on its way to inputs, spikes that are still delivered, what variables were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn.build import NUMPY, Built
from neuroport.backends.genn.model import Model, Synapses

Indices = NDArray[np.int64]


class Rings:
    """The rings of a network in GeNN. They turn with every step, whatever its number: `turns` counts from the start.

    In a batch, what is of neurons here has an axis of copies behind, and a neuron's number is that of spikes.
    """

    def __init__(self, built: Built, model: Model) -> None:
        self._built, self._model, self._copies = built, model, model.copies
        self.turns = 0

    # ------------------------------------------------------------------------------------------ on its way to inputs

    def sums(self, synapses: Synapses) -> bool:
        """Whether a group has sums of its own; others share those of the first that sends to their input."""
        return self._private(synapses, "denDelay") is not None

    def sent(self, synapses: Synapses) -> NDArray[Any]:
        """What a group has sent with a delay, (slots, neurons): row k is due after k steps."""
        delayed = self._private(synapses, "denDelay")
        delayed.pull_from_device()
        return self._shown(self._sums(synapses, delayed)[:, self._coming(synapses)])

    def send(self, synapses: Synapses, rows: NDArray[Any]) -> None:
        """Let that be on its way, as `sent` gives it, and nothing else."""
        delayed = self._private(synapses, "denDelay")
        sums = self._sums(synapses, delayed)
        sums[:] = 0
        sums[:, self._coming(synapses)[: len(rows)]] = self._held(rows[: synapses.slots])
        delayed.push_to_device()

    def _sums(self, synapses: Synapses, delayed: Any) -> NDArray[Any]:
        kept: NDArray[Any] = np.frombuffer(delayed.host_view, NUMPY[self._model.scalar])
        return kept.reshape(self._copies, synapses.slots, -1)

    def _shown(self, rows: NDArray[Any]) -> NDArray[Any]:
        """What GeNN has, (copies, rows, neurons), as a program has it."""
        return np.moveaxis(rows, 0, -1) if self._copies > 1 else rows[0]

    def _held(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The other way."""
        return np.moveaxis(rows, -1, 0) if self._copies > 1 else rows[None]

    def _coming(self, synapses: Synapses) -> Indices:
        """Where the sums of the coming steps are: GeNN goes on by one slot before it adds."""
        return np.asarray((self.turns + 1 + np.arange(synapses.slots)) % synapses.slots)

    # --------------------------------------------------------------------------------------------------- past steps

    def past(self, variable: Any, rows: int) -> NDArray[Any]:
        """What a variable of neurons was before the last step, (rows, neurons), the latest first."""
        variable.pull_from_device()
        ring = self._ring(variable)
        return self._shown(ring[:, self._gone(ring.shape[1], 1, rows)])

    def remember(self, variable: Any, rows: NDArray[Any]) -> None:
        """Let it have been that, as far back as it is kept."""
        variable.pull_from_device()
        ring = self._ring(variable)
        kept = rows[: ring.shape[1] - 1]
        ring[:, self._gone(ring.shape[1], 1, len(kept))] = self._held(kept)
        variable.push_to_device()

    def _ring(self, variable: Any) -> NDArray[Any]:
        """A delayed variable, (copies, slots, neurons)."""
        view: NDArray[Any] = variable.view
        return view.reshape(self._copies, -1, view.shape[-1])

    def spikes(self, population: str, lags: int) -> list[Indices]:
        """Which neurons spiked in the last step and in those before it, by lag."""
        counts, neurons = next(self._queues(population))
        slots, places = self._gone(counts.shape[1], 0, lags), np.arange(neurons.shape[2])
        spiked = [np.nonzero(places < counts[:, slot, None]) for slot in slots]
        numbers = [
            neurons[copy, slot, place].astype(np.int64) * self._copies + copy
            for slot, (copy, place) in zip(slots, spiked, strict=True)
        ]
        return [np.sort(of_lag) for of_lag in numbers]  # on a GPU they come in any order

    def deliver(self, population: str, by_lag: Sequence[Indices]) -> None:
        """Let these have spiked, and no others."""
        for counts, neurons in self._queues(population):
            counts[:] = 0
            for slot, spiked in zip(self._gone(counts.shape[1], 0, len(by_lag)), by_lag, strict=True):
                for c in range(self._copies):
                    mine = spiked[spiked % self._copies == c] // self._copies
                    counts[c, slot] = len(mine)
                    neurons[c, slot, : len(mine)] = mine
        for array in self._spike_arrays(population):
            array.push_to_device()

    def _gone(self, slots: int, first: int, rows: int) -> Indices:
        """Where that is which was so many steps before the last one, and before that."""
        return np.asarray((self.turns - first - np.arange(rows)) % slots)

    def _queues(self, population: str) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
        """How many neurons spiked, (copies, slots), and which, (copies, slots, neurons), wherever GeNN has it."""
        arrays = list(self._spike_arrays(population))
        for array in arrays:
            array.pull_from_device()
        for counts, neurons in zip(arrays[::2], arrays[1::2], strict=True):
            of_slots = np.frombuffer(counts.host_view, np.uint32).reshape(self._copies, -1)
            yield of_slots, np.frombuffer(neurons.host_view, np.uint32).reshape(*of_slots.shape, -1)

    def _spike_arrays(self, population: str) -> Iterator[Any]:
        """The counts and the neurons of every queue. Groups that share a queue have it in the first one of them."""
        names = {neurons.name for neurons in self._model.neurons if neurons.owner == population}
        for synapses in self._model.synapses:
            ends = {"trg": synapses.target, "src": synapses.source}
            if synapses.source == synapses.target:
                del ends["trg"]
            for end in (end for end, group in ends.items() if group in names):
                if (counts := self._private(synapses, f"{end}SpkCnt")) is not None:
                    yield from (counts, self._private(synapses, f"{end}Spk"))

    def _private(self, synapses: Synapses, name: str) -> Any:
        """One of GeNN's own arrays, where this group has it."""
        try:
            return self._built.genn._runtime.get_array(self._built.synapses[synapses.name], name)
        except (IndexError, RuntimeError):
            return None
