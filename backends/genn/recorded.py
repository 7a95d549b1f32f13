"""What the network did: spikes, which GeNN records, samples of arrays, and counts of what readouts saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn.build import Built
from neuroport.backends.genn.homes import Homes
from neuroport.backends.genn.model import Model
from neuroport.backends.genn.values import Clock, Values
from neuroport.program.executor import Capture
from neuroport.program.machine import Program

Indices = NDArray[np.int64]
NEVER = 2**63 - 1


class Recorded:
    """What was recorded and not yet taken, and what is counted. room: steps of spikes that GeNN keeps.

    counts: spikes by population and copy. histograms: (copies, states) of every readout. readouts: the active ones.
    """

    def __init__(
        self, program: Program, model: Model, built: Built, homes: Homes, values: Values, clock: Clock, room: int
    ) -> None:
        self._program, self._model, self._built = program, model, built
        self._homes, self._values, self._clock, self._room = homes, values, clock, room
        self._copies = program.copies
        self.counts = {p.name: np.zeros(self._copies, np.int64) for p in program.populations if p.spiking}
        self._kept: dict[str, list[tuple[Indices, Indices]]] = {}
        self._samples: dict[str, list[tuple[int, NDArray[Any]]]] = {r.name: [] for r in program.records}
        self._collected = 0
        self.readouts: tuple[str, ...] = ()
        self.activate(())
        self.histograms = {
            r.name: np.zeros((self._copies, r.states(program.population(r.population).size)), np.int64)
            for r in program.readouts
        }

    def keep(self, populations: Sequence[str]) -> None:
        """Keep the spikes of these, and not only how many they are."""
        wanted = set(populations)
        self._kept = {p.name: [] for p in self._program.populations if p.spiking and p.name in wanted}

    def activate(self, readouts: Sequence[str]) -> None:
        """Count and sample these from the coming step on."""
        self.readouts = tuple(readouts)
        self._active = tuple(r for r in self._program.readouts if r.name in readouts)
        self._sampling = tuple(r for r in self._program.records if r.readout in readouts)

    def full(self) -> int:
        """The step before which GeNN's recording has to be collected."""
        return self._collected + self._room

    def begin_at(self, step: int) -> None:
        """Steps begin there; what was recorded before is gone."""
        self._collected = step

    def next_look(self) -> int:
        """The step after which something is to be recorded or counted."""
        step, done = self._clock.step, self._clock.item_step
        looks = [step // r.every * r.every + r.every for r in self._program.records if not r.readout]
        rhythms = [(r.every, r.phase) for r in self._active] + [(r.every, r.phase) for r in self._sampling]
        looks += [step + (phase - done) % every + 1 for every, phase in rhythms if phase < every]
        return min(looks, default=NEVER)

    def look(self, t: int) -> None:
        """Count and record after step t."""
        done = t - self._clock.item_start
        for readout in self._active:
            if done % readout.every == readout.phase:
                bits = self._homes.bits[readout.name]
                bits.pull_from_device()
                seen = bits.current_view.reshape(self._copies, -1)
                seen = seen if readout.neurons is None else seen[:, readout.neurons]
                powers = 2 ** np.arange(seen.shape[1])[::-1]
                self.histograms[readout.name][np.arange(self._copies), (seen != 0) @ powers] += 1
        due = [r for r in self._program.records if not r.readout and (t + 1) % r.every == 0]
        for record in [*due, *(r for r in self._sampling if done % r.every == r.phase)]:
            self._samples[record.name].append((t, record.of(self._values.read(record.array))))

    def collect(self) -> None:
        """Take over the spikes that GeNN has recorded since the last call."""
        step = self._clock.step
        if step == self._collected:
            return
        if self.counts:
            self._built.genn.pull_recording_buffers_from_device()
        rows = np.arange(self._collected, step) % self._room
        for population in self._model.neurons:
            if not population.spiking:
                continue
            kept = self._built.genn._runtime.get_array(self._built.neurons[population.name], "recordSpk")
            words = np.frombuffer(kept.host_view, np.uint32).reshape(self._room, -1)[rows]
            steps, neurons = spikes_in(words)
            if self._copies > 1:
                steps, neurons, copies = of_copies(steps, neurons, words.shape[1] // self._copies, self._copies)
                self.counts[population.owner] += np.bincount(copies, minlength=self._copies)
            else:
                self.counts[population.owner] += len(steps)
            if population.owner in self._kept and len(steps):
                self._kept[population.owner].append((steps + self._collected, neurons))
        self._collected = step

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""
        self.collect()
        capture = Capture()
        none = np.zeros(0, np.int64)
        for name, parts in self._kept.items():
            capture.spikes[name] = (
                np.concatenate([none, *(p[0] for p in parts)]),
                np.concatenate([none, *(p[1] for p in parts)]),
            )
            self._kept[name] = []
        for record in self._program.records:
            samples, self._samples[record.name] = self._samples[record.name], []
            values = (
                np.array([v for _, v in samples]) if samples else record.of(self._values.read(record.array))[None][:0]
            )
            capture.records[record.name] = (np.array([t for t, _ in samples], np.int64), values)
        return capture


def spikes_in(words: NDArray[np.uint32]) -> tuple[Indices, Indices]:
    """The set bits of words (steps, words of 32 neurons), lowest first: their rows and neurons, sorted."""
    flat = words.ravel()
    places = np.flatnonzero(flat != 0)  # of truth values: several times as fast as of numbers
    rows, columns = np.divmod(places, max(words.shape[1], 1))
    bits = np.unpackbits(flat[places].astype("<u4").view(np.uint8), bitorder="little")
    at, bit = np.divmod(np.flatnonzero(bits.view(np.bool_)), 32)
    return rows[at], 32 * columns[at] + bit


def of_copies(steps: Indices, places: Indices, words: int, copies: int) -> tuple[Indices, Indices, Indices]:
    """Spikes of a batch, by step and number, from places in the words of all copies, so many for each; their copies."""
    copy, neurons = np.divmod(places, 32 * words)
    numbers = neurons * copies + copy
    order = np.lexsort((numbers, steps))
    return steps[order], numbers[order], copy[order]
