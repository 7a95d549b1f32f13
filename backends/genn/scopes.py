"""What the code of a group may name: its variables, parameters and arrays, and those of others that it refers to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.generated import fits, integer_dtype, kind_of, storage
from neuroport.backends.genn import places
from neuroport.backends.genn.code import GennIdentifiers, Row, c_type
from neuroport.backends.genn.literals import unsigned
from neuroport.backends.genn.model import (
    ArrayKind,
    Borrowed,
    GlobalArray,
    Group,
    Neurons,
    Parameter,
    Reference,
    Synapses,
    Update,
    Variable,
)
from neuroport.copies.axis import ELEMENT_SHIFT
from neuroport.program.ir import Read, Send
from neuroport.program.machine import Program, Projection
from neuroport.program.names import ITEM_STEP


class Scope:
    """What the code of one group may name (neuroport.backends.genn.code.Site, but for `own` and `far`)."""

    def __init__(self, program: Program, group: Group, changing: set[str]) -> None:
        self.program, self.group, self.changing = program, group, changing
        self.names = GennIdentifiers()
        self.uniform: set[str] = set()
        self.shifted = False
        self.once = False
        self.summed: frozenset[str] = frozenset()
        self.keyed = False
        """Whether copies of a batch draw with keys of their own."""
        self.open: dict[str, str] = {}
        """Arrays that events of others need, which are arrays of the group."""
        self.copy: str | None = "batch" if program.copies > 1 else None
        """In a batch, the copy that this code computes: GeNN's own word. None where it computes what all share."""

    def one_for_all(self, array: str) -> str:
        """The number that an array of synapses holds everywhere."""
        ctype = c_type(storage(self.program.arrays[array], self.program))
        wanted = array.rsplit(".", 1)[-1]
        return self.parameter(Parameter(self.names(wanted, "own", array), ctype, "uniform", array, True))

    def array(self, kind: ArrayKind, name: str, ctype: str, wanted: str, each: bool = False) -> str:
        """The identifier of an array of the group, which it gets if it has not got it yet; each: of every copy."""
        for known in self.group.arrays:
            if known.kind == kind and known.name == name:
                return known.ident
        ident = self.names(wanted, kind, name)
        self.group.arrays.append(GlobalArray(ident, ctype, kind, name, each and self.program.copies > 1))
        return ident

    def each(self, array: str) -> bool:
        """Whether every copy of a batch has an array for itself."""
        return self.program.copies > 1 and self.program.arrays[array].own

    def contribution(self, array: str) -> bool:
        """Whether an array has what copies contribute to a sum: copy 0 gets the whole of what it is given."""
        return array in self.summed

    def of_copy(self, index: str, size: int, each: bool = True) -> str:
        """Where something of this copy lies in an array that has so much of every copy."""
        if not each or self.program.copies == 1:
            return index
        if self.copy is None:
            raise ValueError("what is computed once for all copies needs something of one of them")
        return self.copy if size == 1 else f"{self.copy} * {unsigned(size)} + {index}"

    def parameter(self, parameter: Parameter) -> str:
        """Give the group a parameter if it has not got it yet."""
        if parameter not in self.group.parameters:
            self.group.parameters.append(parameter)
        return parameter.ident

    def scalar(self, array: str) -> str:
        """A number of the whole group."""
        wanted = array.rsplit(".", 1)[-1]
        if array == ITEM_STEP:
            return f"{self.array('wide', array, 'int64_t', 'item_start')}[0]"
        declared = self.program.arrays[array]
        kind = kind_of(declared.type, self.program)
        if self.each(array):
            held = self.array("wide", array, c_type(storage(declared, self.program)), wanted, each=True)
            text = f"{held}[{self.of_copy('0', 1)}]"
            return text if kind in ("i8", "f") else f"(int32_t){text}"
        changes = array in self.changing
        if kind == "i8" and (changes or not fits(32, int(declared.initial), int(declared.initial))):
            return f"{self.array('wide', array, 'int64_t', wanted)}[0]"
        number = "double" if self.program.precision == "float64" or declared.wide else "float"
        ctype = {"i8": "int64_t", "f": number}.get(kind, "int32_t")
        return self.parameter(Parameter(self.names(wanted, "scalar", array), ctype, "scalar", array, changes))

    def table(self, name: str) -> str:
        """A table."""
        table = self.program.tables[name]
        dtype = integer_dtype(int(table.min(initial=0)), int(table.max(initial=0)))
        return self.array("table", name, c_type(dtype), name)

    def key(self, stream: int) -> str:
        """The key of a random stream."""
        ident = self.array("keys", "", "uint64_t", "keys", each=self.keyed)
        if stream not in self.group.streams:
            self.group.streams.append(stream)
        place = self.group.streams.index(stream)
        return f"{ident}[{unsigned(place * self.program.copies)} + {self.copy}]" if self.keyed else f"{ident}[{place}]"

    def counter(self, array: str, kind: str) -> str:
        """Where overflows are counted or the failing step is noted.

        On a GPU every neuron and every synapse has a thread, and GeNN's language has no atomic addition: so each counts
        for itself. The failing step is one number: all threads that write at the same time write the same one.
        """
        short = array.rsplit(".", 1)[-1]
        if kind == "failed":
            return f"{self.array('failed', array, 'uint64_t', f'failed_{short}')}[0]"
        each = self.program.copies > 1 and self.copy is not None
        return f"{self.array('overflow', array, 'uint32_t', f'overflow_{short}', each)}[{self.index(each)}]"

    def index(self, each: bool = False) -> str:
        """The place of this neuron or synapse in arrays; each: in those that have something of every copy."""
        raise ValueError("no place in arrays here")

    def later_copy(self, element: str) -> str:
        """The number of this copy's random draw, from that of copy 0; copies with keys of their own have equal ones."""
        if self.program.copies == 1 or self.keyed or self.copy is None:
            return element
        return f"({element} + (uint64_t){self.copy} * {unsigned(2**ELEMENT_SHIFT)})"

    def own(self, array: str) -> str:
        """The variable or array element of this neuron or synapse."""
        raise ValueError(f"'{array}' cannot be used here")

    def far(self, read: Read, row: Row) -> str:
        """What belongs to another neuron or synapse."""
        raise ValueError(f"'{read.array}' cannot be read here")

    def element(self) -> str:
        """The number that keys this neuron's or synapse's random draws."""
        raise ValueError("nothing is drawn here")

    def first(self) -> str:
        """By how much the numbers of random elements are larger than usual."""
        return f"{self.array('element', self.group.owner, 'uint64_t', 'first_element')}[0]"

    def send(self, send: Send, value: str) -> str:
        """The statement that sends a value."""
        raise ValueError(f"nothing can be sent to '{send.input}' here")


class NeuronScope(Scope):
    """A population: its variables, and its inputs as locals."""

    def __init__(self, program: Program, group: Neurons, changing: set[str]) -> None:
        super().__init__(program, group, changing)
        self.neurons = group
        self.variables: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        """Variables with what synapses see of arrays that are open to others."""
        self.past: dict[str, str] = {}
        """Arrays with what events of synapses see of earlier steps."""

    def own(self, array: str) -> str:
        """The variable or array element of this neuron or synapse."""
        return self.variables[array]

    @property
    def size(self) -> int:
        """How many places an array has, of one copy."""
        return self.neurons.size

    def index(self, each: bool = False) -> str:
        """The place of this neuron or synapse in arrays; each: in those that have something of every copy."""
        return self.of_copy("id", self.size, each)

    def anchor(self, each: bool) -> Variable:
        """Some variable, of every copy or of all."""
        return _anchor(self.neurons, self.names, each, self.program.copies > 1)

    def element(self) -> str:
        """The number that keys this neuron's or synapse's random draws."""
        return self.later_copy(self.usual_element(self.first))

    def usual_element(self, first: Callable[[], str]) -> str:
        """The number of a neuron's random draws; `first` gives what the first neuron has."""
        return f"((uint64_t)id + {first()})" if self.shifted else "(uint64_t)id"


class SynapseScope(Scope):
    """A projection: its variables, and references to those of the two populations."""

    def __init__(
        self,
        program: Program,
        group: Synapses,
        changing: set[str],
        projection: Projection,
        neurons: dict[str, NeuronScope],
    ) -> None:
        super().__init__(program, group, changing)
        self.synapses = group
        self.projection, self.neurons = projection, neurons
        self.variables: dict[str, str] = {}
        self.element_variable: Variable | None = None
        self._twins: list[tuple[NDArray[np.int64], Variable]] = []

    def own(self, array: str) -> str:
        """The variable or array element of this neuron or synapse."""
        return self.one_for_all(array) if array in self.uniform else self.variables[array]

    def far(self, read: Read, row: Row) -> str:
        """What belongs to another neuron or synapse."""
        if read.at == "single":
            ctype = c_type(storage(self.program.arrays[read.array], self.program))
            held = self.array("single", read.array, ctype, read.array.rsplit(".", 1)[-1], each=True)
            return f"{held}[{self.of_copy('0', 1)}]"
        late = read.lag == "synapse" and self.projection.dendritic is not None
        population = self.projection.source if read.at == "pre" else self.projection.target
        references = self.synapses.pre if read.at == "pre" else self.synapses.post
        short = read.array.rsplit(".", 1)[-1]
        ident = self.names(f"{read.at}_{short}{'_then' if late else ''}", read.at, read.array, str(late))
        ctype = c_type(storage(self.program.arrays[read.array], self.program))
        home = self.neurons[population]
        target = home.seen.get(read.array) or home.own(read.array)
        reference = Reference(ident, ctype, target, read.array, past=late)
        if reference not in references:
            references.append(reference)
        return f"{ident}[{self.variables['dendritic']}]" if late else ident

    @cached_property
    def size(self) -> int:
        """How many places an array has, of one copy."""
        return places.count(self.projection)

    def index(self, each: bool = False) -> str:
        """The place of this neuron or synapse in arrays; each: in those that have something of every copy."""
        return self.of_copy("id_syn", self.size, each)

    def element(self) -> str:
        """The number that keys this neuron's or synapse's random draws."""
        known = self.element_variable
        return self.later_copy(self.usual_element(self.first) if known is None else known.ident)

    def usual_element(self, first: Callable[[], str]) -> str:
        """The number of a synapse's random draws, where that follows from its neurons."""
        more = f" + {first()}" if self.shifted else ""
        return f"((uint64_t)id_pre * {self.projection.target_size} + id_post{more})"

    def twin(self, where: NDArray[np.int64], other: str) -> Variable:
        """The constant with the places of the twins in another projection; copies of it have the same."""
        for known, variable in self._twins:
            if np.array_equal(known, where):
                return variable
        ctype = "uint16_t" if where.max(initial=0) < 2**16 else "uint32_t"
        variable = Variable(self.names.fresh("twin"), ctype, "twin", self.projection.name, True, other)
        self._twins.append((where, variable))
        self.synapses.variables.append(variable)
        return variable

    def anchor(self, each: bool) -> Variable:
        """Some variable, of every copy or of all."""
        return _anchor(self.synapses, self.names, each, self.program.copies > 1)

    def send(self, send: Send, value: str) -> str:
        """The statement that sends a value."""
        if send.to == "pre":
            return f"addToPre((scalar){value});"
        if send.delay == "synapse" and "dendritic" in self.variables:
            return f"addToPostDelay((scalar){value}, {self.variables['dendritic']});"
        return f"addToPost((scalar){value});"


class UpdateScope(Scope):
    """An event: references to the variables of its object, and to what it needs of others."""

    def __init__(
        self,
        program: Program,
        group: Update,
        changing: set[str],
        owner: NeuronScope | SynapseScope,
        others: Callable[[str], NeuronScope | SynapseScope],
        writes: set[str],
        once: bool = False,
    ) -> None:
        super().__init__(program, group, changing)
        self.update, self.owner, self.others, self.writes, self.once = group, owner, others, writes, once
        self.uniform, self.shifted, self.keyed = owner.uniform, owner.shifted, owner.keyed
        self.summed = owner.summed
        if once:
            self.copy = None

    def own(self, array: str) -> str:
        """The variable or array element of this neuron or synapse."""
        if array in self.uniform:
            return self.one_for_all(array)
        home = self.others(self.program.arrays[array].owner)
        if array in home.open:
            return f"{self.borrowed(array, home, '')}[{self.index(self.each(array))}]"
        ctype = c_type(storage(self.program.arrays[array], self.program))
        short, constant = array.rsplit(".", 1)[-1], array not in self.writes
        return self.reference(short, ctype, home.variables[array], array, constant, home.group.name, self.each(array))

    def reference(
        self, wanted: str, ctype: str, target: str, name: str, constant: bool, group: str, each: bool = False
    ) -> str:
        """The name of a variable of a group; each: of every copy."""
        ident = self.names(wanted, "own", name)
        reference = Reference(ident, ctype, target, name, constant, group=group, each=each)
        if reference not in self.update.references:
            self.update.references.append(reference)
        return ident

    def far(self, read: Read, row: Row) -> str:
        """What belongs to another neuron or synapse."""
        if read.array in self.uniform:
            return self.one_for_all(read.array)
        home, each = self.others(self.program.arrays[read.array].owner), self.each(read.array)
        if isinstance(home, NeuronScope) and isinstance(read.lag, int) and read.lag > 0:
            rows, size = self.program.arrays[read.array].history, home.size
            place = self.of_copy(f"{row(read.lag, rows)} * {unsigned(size)} + id_{read.at}", rows * size, each)
            return f"{self._past(read, home)}[{place}]"
        if isinstance(home, NeuronScope):
            index = "0" if read.at == "single" else f"id_{read.at}"
            return f"{self.borrowed(read.array, home, f'{read.at}_')}[{self.of_copy(index, home.size, each)}]"
        place = self.of_copy(self._twin(home.projection), home.size, each)
        return f"{self.borrowed(read.array, home, 'twin_')}[{place}]"

    def borrowed(self, array: str, home: NeuronScope | SynapseScope, prefix: str) -> str:
        """The name of an array of a group."""
        return self._borrowed(self.names(prefix + array.rsplit(".", 1)[-1], "borrowed", array), array, home, home.open)

    def _past(self, read: Read, home: NeuronScope) -> str:
        """The name of the array with what an array of neurons was."""
        wanted = f"{read.at}_{read.array.rsplit('.', 1)[-1]}_past"
        return self._borrowed(self.names(wanted, "past", read.array), read.array, home, home.past)

    def _borrowed(self, ident: str, array: str, home: NeuronScope | SynapseScope, of: dict[str, str]) -> str:
        ctype = c_type(storage(self.program.arrays[array], self.program))
        borrowed = Borrowed(ident, ctype, of[array], array, home.group.name)
        if borrowed not in self.update.borrowed:
            self.update.borrowed.append(borrowed)
        return ident

    def _twin(self, other: Projection) -> str:
        """The place of the corresponding synapse of another projection."""
        if not isinstance(self.owner, SynapseScope):
            raise ValueError(f"neurons have no twins in '{other.name}'")
        mine = self.owner.projection
        where = places.of_twins(mine, other)
        if np.array_equal(where, places.of_synapses(mine)):
            return "id_syn"
        row = places.stride(other)
        if np.array_equal(where, mine.post * row + mine.pre):
            return f"id_post * {row} + id_pre"
        return self._constant(self.owner.twin(where, other.name))

    def _constant(self, variable: Variable) -> str:
        """A constant of every synapse."""
        group = self.owner.group.name
        return self.reference(variable.holds, variable.type, variable.ident, variable.ident, True, group, variable.each)

    def anchor(self) -> None:
        """Refer to some variable, since GeNN finds by these what an update is for, and whether each copy does it."""
        each = self.program.copies > 1 and not self.once
        if not self.update.references or (each and not any(r.each for r in self.update.references)):
            self._constant(self.owner.anchor(each))

    def index(self, each: bool = False) -> str:
        """The place of this neuron or synapse in arrays; each: in those that have something of every copy."""
        word = "id" if isinstance(self.owner, NeuronScope) else "id_syn"
        return self.of_copy(word, self.owner.size, each)

    def element(self) -> str:
        """The number that keys this neuron's or synapse's random draws."""
        if isinstance(self.owner, SynapseScope) and self.owner.element_variable is not None:
            return self.later_copy(self._constant(self.owner.element_variable))
        return self.later_copy(self.owner.usual_element(self.first))


def _anchor(group: Neurons | Synapses, names: GennIdentifiers, each: bool, batch: bool) -> Variable:
    """Some variable of a group: in a batch, one of every copy or one of all, and else any."""
    found = next((v for v in group.variables if not batch or v.each == each), None)
    if found is None:
        found = Variable(names.fresh("anchor"), "uint8_t", "anchor", group.owner, True, each=each)
        group.variables.append(found)
    return found
