"""The state of a network between two steps: what GeNN and the host hold of it, as every executor has it, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn.homes import Homes
from neuroport.backends.genn.model import Synapses
from neuroport.backends.genn.rings import Rings
from neuroport.backends.genn.values import Values
from neuroport.program.ir import Real
from neuroport.program.machine import Array, Program, Series
from neuroport.program.past import lags_delivered, packed, rows_read, unpacked
from neuroport.program.state import Raw, State, raw

Indices = NDArray[np.int64]


class Saved:
    """Parts of a State of the program as it was given, taken and put back."""

    def __init__(self, given: Program, values: Values, homes: Homes, rings: Rings) -> None:
        self._given, self._values, self._homes, self._rings = given, values, homes, rings

    # --------------------------------------------------------------------------------------------------------- taken

    def arrays(self) -> dict[str, Raw]:
        """All arrays but inputs."""
        return {name: self._values.read(name) for name, a in self._given.arrays.items() if a.role != "input"}

    def inputs(self) -> dict[str, Raw]:
        """What has arrived at inputs for the coming steps."""
        return {name: self._arrived(a) for name, a in self._given.arrays.items() if a.role == "input"}

    def histories(self) -> dict[str, Raw]:
        """What arrays of neurons were, as far back as somebody reads it."""
        return {name: raw(self._values.before(name, rows)) for name, rows in rows_read(self._given).items()}

    def spikes(self) -> dict[str, tuple[Indices, Indices]]:
        """Spikes that are still delivered."""
        return {name: packed(self._rings.spikes(name, most)) for name, most in lags_delivered(self._given).items()}

    def tables(self) -> dict[str, Raw]:
        """Of series whose tables were replaced."""
        return {s.name: self._table(s) for s in self._given.series if s.name in self._values.replaced}

    def apart(self) -> dict[str, Raw]:
        """What is on its way to inputs, of every group, and what was written by hand."""
        sent = {_part(group, name): raw(self._rings.sent(group)) for name, group in self._senders()}
        return sent | self._values.written_by_hand()

    def _arrived(self, array: Array) -> Raw:
        total = np.zeros((array.slots, *array.initial.shape))
        for synapses in self._homes.delayed.get(array.name, ()):
            sent = self._rings.sent(synapses)[: array.slots]
            total[: len(sent)] += sent
        rows = total if isinstance(array.type, Real) else total.astype(np.int64)
        rows[0] = self._values.read(array.name)
        return rows

    def _senders(self) -> list[tuple[str, Synapses]]:
        return [(name, group) for name, groups in self._homes.delayed.items() for group in groups]

    def _table(self, series: Series) -> Raw:
        held: NDArray[np.generic] = self._homes.tables[series.name].view
        return raw(held.reshape(series.table.shape))

    # ------------------------------------------------------------------------------------------------------ put back

    def load(self, state: State, changed: Mapping[str, Raw]) -> None:
        """Hold the arrays of a state that may be `changed`, what is on its way, what was, and the tables of series."""
        for name, values in changed.items():
            self._values.write(name, values)
        for name, rows in state.histories.items():
            self._values.remember(name, rows)
        self._load_inputs(state)
        for name, most in lags_delivered(self._given).items():
            self._rings.deliver(name, unpacked(state.spikes[name], most))
        self._load_stimuli(state)

    def _load_inputs(self, state: State) -> None:
        """Let what has arrived be on its way: from every group where it is known by group, else from the longest."""
        mine = {} if self._given.integer else self.apart()
        known = {n: rows.shape for n, rows in mine.items()} == {n: rows.shape for n, rows in state.apart.items()}
        apart = state.apart if known else {}
        for name, groups in self._homes.delayed.items():
            later = state.inputs[name].copy()
            later[0] = 0
            longest = max(groups, key=lambda group: group.slots)
            for group in groups:
                self._rings.send(group, apart.get(_part(group, name), later if group is longest else later[:0]))
        for name in self._homes.by_hand:
            self._values.give(name, apart.get(name, state.inputs[name])[0])

    def _load_stimuli(self, state: State) -> None:
        """The tables of all series; injections are looked for from the start of their lists."""
        for series in self._given.series:
            self._values.load_series(series.name, state.tables.get(series.name, series.table))
        self._values.replaced = set(state.tables)
        for cursor in self._homes.cursors:
            cursor.view[...] = cursor.init_values
            cursor.push_to_device()


def _part(group: Synapses, name: str) -> str:
    """What a group sends to an input, by the names of the projection and of its variable."""
    return f"{group.owner.partition('~')[0]}.{name.partition('.')[2]}"
