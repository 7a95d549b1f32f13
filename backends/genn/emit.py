"""From a program to what is to be built in PyGeNN, and that as text. Nothing here needs PyGeNN."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from neuroport.backends.emulator.layout import integer_dtype, kind_of, storage
from neuroport.backends.genn import bounds, queues
from neuroport.backends.genn.code import RESERVED, Identifiers, Writer, c_type
from neuroport.backends.genn.model import (
    ArrayKind,
    GlobalArray,
    Group,
    Model,
    Neurons,
    Parameter,
    Reference,
    Synapses,
    Update,
    Variable,
)
from neuroport.program import (
    Array,
    Body,
    Event,
    Population,
    Program,
    Projection,
    Random,
    Read,
    Round,
    Send,
    Store,
    parts,
)

What = Literal["dendritic", "element"]


def emit(program: Program) -> Model:
    """All groups of a program, with their code."""
    return _Emitter(program).model()


def text(program: Program) -> str:
    """The generated models, for reading."""
    return "\n\n".join(_printed(group) for group in emit(program).groups()) + "\n"


def writable(program: Program) -> set[str]:
    """Scalars that may change while the network runs."""
    names = {d.array for d in program.derived} | {"run.T"}
    return names | {
        a.name for a in program.arrays.values() if a.at == "scalar" and (a.dynamic or a.role != "parameter")
    }


def uniform(program: Program) -> set[str]:
    """Arrays of synapses that no body assigns to and that hold one number: it need not be read for every synapse.

    Those of 64-bit integers are not among them, because GeNN cuts dynamic parameters to 32 bits.
    """
    found = set()
    for projection in (p for p in program.projections if p.synapses):
        bodies = [projection.step, projection.arrive, projection.post_body]
        bodies += [e.body for e in program.events if e.owner == projection.name]
        changed = set().union(*map(stored, bodies))
        for array in program.arrays.values():
            if array.owner == projection.name and array.at == "synapse" and array.name not in changed:
                dtype = storage(array, program)
                if dtype.kind in "fi" and dtype != np.int64 and bool(np.all(array.initial == array.initial[0])):
                    found.add(array.name)
    return found


def stored(body: Body) -> set[str]:
    """Arrays that a body assigns to."""
    return {s.array for s in body if isinstance(s, Store)}


def draws(bodies: Iterable[Body]) -> bool:
    """Whether the bodies need random numbers."""
    kinds = (e for body in bodies for e in parts(body))
    return any(isinstance(e, Random) or (isinstance(e, Round) and e.mode == "stochastic") for e in kinds)


class _Scope:
    """What the code of one group may name (neuroport.backends.genn.code.Place, but for `own` and `far`)."""

    def __init__(self, program: Program, group: Group, changing: set[str]) -> None:
        self.program, self.group, self.changing = program, group, changing
        self.names = Identifiers(set(RESERVED))
        self.uniform: set[str] = set()

    def one_for_all(self, array: str) -> str:
        """The number that an array of synapses holds everywhere."""
        ctype = c_type(storage(self.program.arrays[array], self.program))
        wanted = array.rsplit(".", 1)[-1]
        return self.parameter(Parameter(self.names(wanted, "own", array), ctype, "uniform", array, True))

    def array(self, kind: ArrayKind, name: str, ctype: str, wanted: str) -> str:
        """The identifier of an array of the group, which it gets if it has not got it yet."""
        for known in self.group.arrays:
            if known.kind == kind and known.name == name:
                return known.ident
        ident = self.names(wanted, kind, name)
        self.group.arrays.append(GlobalArray(ident, ctype, kind, name))
        return ident

    def parameter(self, parameter: Parameter) -> str:
        """Give the group a parameter if it has not got it yet."""
        if parameter not in self.group.parameters:
            self.group.parameters.append(parameter)
        return parameter.ident

    def scalar(self, array: str) -> str:
        """A number of the whole group."""
        wanted = array.rsplit(".", 1)[-1]
        if array == "run.item_step":
            return f"{self.array('wide', array, 'int64_t', 'item_start')}[0]"
        declared = self.program.arrays[array]
        kind = kind_of(declared.type, self.program)
        changes = array in self.changing
        if kind == "i8" and changes:
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
        ident = self.array("keys", "", "uint64_t", "keys")
        if stream not in self.group.streams:
            self.group.streams.append(stream)
        return f"{ident}[{self.group.streams.index(stream)}]"

    def counter(self, array: str, kind: str) -> str:
        """Where overflows are counted or the failing step is noted.

        On a GPU every neuron and every synapse has a thread, and GeNN's language has no atomic addition: so each counts
        for itself. The failing step is one number: all threads that write at the same time write the same one.
        """
        short = array.rsplit(".", 1)[-1]
        if kind == "failed":
            return f"{self.array('failed', array, 'uint64_t', f'failed_{short}')}[0]"
        return f"{self.array('overflow', array, 'uint32_t', f'overflow_{short}')}[{self.index()}]"

    def index(self) -> str:
        """The place of this neuron or synapse in arrays."""
        return "id"

    def own(self, array: str) -> str:
        raise ValueError(f"'{array}' cannot be used here")

    def far(self, read: Read) -> str:
        raise ValueError(f"'{read.array}' cannot be read here")

    def element(self) -> str:
        return "(uint64_t)id"

    def send(self, send: Send, value: str) -> str:
        raise ValueError(f"nothing can be sent to '{send.input}' here")


class _NeuronScope(_Scope):
    """A population: its variables, and its inputs as locals."""

    def __init__(self, program: Program, group: Neurons, changing: set[str]) -> None:
        super().__init__(program, group, changing)
        self.variables: dict[str, str] = {}

    def own(self, array: str) -> str:
        return self.variables[array]


class _SynapseScope(_Scope):
    """A projection: its variables, and references to those of the two populations."""

    def __init__(
        self,
        program: Program,
        group: Synapses,
        changing: set[str],
        projection: Projection,
        neurons: dict[str, _NeuronScope],
    ) -> None:
        super().__init__(program, group, changing)
        self.synapses = group
        self.projection, self.neurons = projection, neurons
        self.variables: dict[str, str] = {}

    def own(self, array: str) -> str:
        return self.one_for_all(array) if array in self.uniform else self.variables[array]

    def far(self, read: Read) -> str:
        late = read.lag == "synapse" and self.projection.dendritic is not None
        population = self.projection.source if read.at == "pre" else self.projection.target
        references = self.synapses.pre if read.at == "pre" else self.synapses.post
        short = read.array.rsplit(".", 1)[-1]
        ident = self.names(f"{read.at}_{short}{'_then' if late else ''}", read.at, read.array, str(late))
        ctype = c_type(storage(self.program.arrays[read.array], self.program))
        reference = Reference(ident, ctype, self.neurons[population].own(read.array), read.array, past=late)
        if reference not in references:
            references.append(reference)
        return f"{ident}[{self.variables['dendritic']}]" if late else ident

    def index(self) -> str:
        return "id_syn"

    def element(self) -> str:
        if "element" in self.variables:
            return self.variables["element"]
        return f"((uint64_t)id_pre * {self.projection.target_size} + id_post)"

    def send(self, send: Send, value: str) -> str:
        if send.to == "pre":
            return f"addToPre((scalar){value});"
        if send.delay == "synapse" and "dendritic" in self.variables:
            return f"addToPostDelay((scalar){value}, {self.variables['dendritic']});"
        return f"addToPost((scalar){value});"


class _UpdateScope(_Scope):
    """An event: references to the variables of its object."""

    def __init__(
        self, program: Program, group: Update, changing: set[str], owner: _NeuronScope | _SynapseScope, writes: set[str]
    ) -> None:
        super().__init__(program, group, changing)
        self.update, self.owner, self.writes = group, owner, writes

    def own(self, array: str) -> str:
        if array in self.owner.uniform:
            return self.one_for_all(array)
        ctype = "uint64_t" if array == "element" else c_type(storage(self.program.arrays[array], self.program))
        ident = self.names(array.rsplit(".", 1)[-1], "own", array)
        reference = Reference(ident, ctype, self.owner.variables[array], array, array not in self.writes)
        if reference not in self.update.references:
            self.update.references.append(reference)
        return ident

    def index(self) -> str:
        return self.owner.index()

    def element(self) -> str:
        if isinstance(self.owner, _NeuronScope):
            return "(uint64_t)id"
        if "element" in self.owner.variables:
            return self.own("element")
        return self.owner.element()


class _Emitter:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.changing = writable(program)
        self.uniform = uniform(program)
        self.reached = {send.input for _, send in bounds.sends(program)}
        self.groups = Identifiers(set(RESERVED))
        self.neurons: dict[str, _NeuronScope] = {}
        self.synapses: dict[str, _SynapseScope] = {}
        self.done = Model(self.groups.fresh("network"), bounds.scalar(program))

    def model(self) -> Model:
        for population in self.program.populations:
            self._population(population)
        for projection in self.program.projections:
            if projection.synapses and (
                projection.step or projection.arrive or projection.post_body or self._of(projection)
            ):
                self._projection(projection)
        for event in self.program.events:
            if event.over == "synapse" and event.owner not in self.synapses:
                continue
            inlined = event.over == "neuron" and event.every_step
            self._event(event, False)
            if event.every_step and not inlined:
                self._event(event, True)
        queues.part(self.done)
        return self.done

    def _of(self, projection: Projection) -> list[Body]:
        return [e.body for e in self.program.events if e.owner == projection.name]

    def _variables(self, owner: str, at: str, names: Identifiers) -> list[tuple[str, Variable]]:
        """Variables for all arrays of an object."""
        found = []
        for array in self.program.arrays.values():
            if array.owner == owner and array.at == at and array.role != "input" and array.name not in self.uniform:
                short = array.name.removeprefix(f"{owner}.")
                ident = names(short, "own", array.name)
                constant = array.role == "parameter"
                found.append(
                    (array.name, Variable(ident, c_type(storage(array, self.program)), "array", array.name, constant))
                )
        return found

    # ---------------------------------------------------------------------------------------------------- populations

    def _population(self, population: Population) -> None:
        group = Neurons(
            self.groups(population.name.replace("#", "_copy"), "population", population.name),
            population.name,
            size=population.size,
            spiking=population.spiking,
        )
        scope = _NeuronScope(self.program, group, self.changing)
        self.neurons[population.name] = scope
        self.done.neurons.append(group)
        for name, variable in self._variables(population.name, "neuron", scope.names):
            scope.variables[name] = variable.ident
            group.variables.append(variable)
        writer = Writer(self.program, scope, scope.names)
        inputs = [a for a in self.program.arrays.values() if a.role == "input" and a.owner == population.name]
        for array in inputs:
            self._input(array, scope, group, writer)
        if inputs:
            self._by_hand(inputs, scope, writer)
        for array in inputs:
            self._stimuli(array, scope, group, writer)
        if population.spiking:
            writer.lines.append("bool spiked = false;")
        writer.body(population.body)
        for event in self.program.events:
            if event.every_step and event.over == "neuron" and event.owner == population.name:
                writer.body(event.body)
        for readout in self.program.readouts:
            if readout.population == population.name:
                ident = scope.names(f"bit_{readout.name}", "bit", readout.name)
                group.variables.append(Variable(ident, "uint8_t", "bit", readout.name))
                writer.body(())
                writer.lines.append(f"{ident} = {writer.condition(readout.bit)} ? 1 : 0;")
        group.code = writer.text()

    def _input(self, array: Array, scope: _NeuronScope, group: Neurons, writer: Writer) -> None:
        """A local with the sum of what synapses sent to an input."""
        short = array.name.removeprefix(f"{array.owner}.")
        kind = kind_of(array.type, self.program)
        ctype = writer.type(kind)
        ident = scope.names(short, "own", array.name)
        scope.variables[array.name] = ident
        if array.name in self.reached:
            received = scope.names(f"in_{short}", "input", array.name)
            group.inputs[received] = array.name
            writer.lines.append(f"{ctype} {ident} = ({ctype}){received};")
        else:
            writer.lines.append(f"{ctype} {ident} = 0;")

    def _by_hand(self, inputs: list[Array], scope: _NeuronScope, writer: Writer) -> None:
        """What was written to inputs by hand for this step."""
        owner = inputs[0].owner
        late = scope.parameter(Parameter(scope.names("late", "is late", owner), "int32_t", "late", owner, True))
        writer.lines.append(f"if ({late} != 0) {{")
        for array in inputs:
            ctype = writer.type(kind_of(array.type, self.program))
            wanted = f"by_hand_{array.name.removeprefix(f'{owner}.')}"
            given = scope.array("late", array.name, "int64_t" if ctype.startswith("int") else ctype, wanted)
            writer.lines += [
                f"    {scope.variables[array.name]} += ({ctype}){given}[id];",
                f"    {given}[id] = 0;",
            ]
        writer.lines.append("}")

    def _stimuli(self, array: Array, scope: _NeuronScope, group: Neurons, writer: Writer) -> None:
        """What is injected into an input, and what series have for it, in this step."""
        short = array.name.removeprefix(f"{array.owner}.")
        kind = kind_of(array.type, self.program)
        ctype = writer.type(kind)
        ident = scope.variables[array.name]
        lines = writer.lines
        if any(i.input == array.name for i in self.program.injections):
            first = scope.array("first", array.name, "uint32_t", f"first_{short}")
            steps = scope.array("steps", array.name, "uint64_t", f"steps_{short}")
            values = scope.array("values", array.name, "int64_t" if kind != "f" else ctype, f"values_{short}")
            cursor = scope.names(f"next_{short}", "cursor", array.name)
            group.variables.append(Variable(cursor, "uint32_t", "cursor", array.name))
            lines += [
                f"while ({cursor} < {first}[id + 1] && {steps}[{cursor}] <= {writer.step()}) {{",
                f"    if ({steps}[{cursor}] == step) {ident} += ({ctype}){values}[{cursor}];",
                f"    {cursor} += 1;",
                "}",
            ]
        for series in self.program.series:
            if series.input == array.name:
                row = scope.names(f"row_{series.name}", "row", series.name)
                scope.parameter(Parameter(row, "int32_t", "row", series.name, True))
                dtype = storage(array, self.program)
                if dtype.kind == "i":
                    dtype = integer_dtype(int(series.table.min(initial=0)), int(series.table.max(initial=0)))
                table = scope.array("series", series.name, c_type(dtype), series.name)
                lines.append(f"if ({row} >= 0) {ident} += ({ctype}){table}[(int64_t){row} * {group.size} + id];")

    # ---------------------------------------------------------------------------------------------------- projections

    def _projection(self, projection: Projection) -> None:
        sends = [
            s
            for body in (projection.step, projection.arrive, projection.post_body)
            for s in body
            if isinstance(s, Send)
        ]
        group = Synapses(
            self.groups(projection.name.replace("#", "_copy"), "projection", projection.name),
            projection.name,
            source=self.neurons[projection.source].group.name,
            target=self.neurons[projection.target].group.name,
            delay=projection.delay,
            post_input=self._target(projection.target, [s.input for s in sends if s.to == "post"]),
            pre_input=self._target(projection.source, [s.input for s in sends if s.to == "pre"]),
        )
        scope = _SynapseScope(self.program, group, self.changing, projection, self.neurons)
        scope.uniform = self.uniform
        self.synapses[projection.name] = scope
        self.done.synapses.append(group)
        for name, variable in self._variables(projection.name, "synapse", scope.names):
            scope.variables[name] = variable.ident
            group.variables.append(variable)
        bodies = [projection.step, projection.arrive, projection.post_body, *self._of(projection)]
        if projection.dendritic is not None and projection.dendritic.any():
            longest = int(projection.dendritic.max())
            group.slots = longest + 1
            self._constant(scope, group, "dendritic", "uint8_t" if longest < 256 else "uint16_t", projection.name)
        elif projection.dendritic is not None:
            self._constant(scope, group, "dendritic", "uint8_t", projection.name)
        regular = np.array_equal(
            projection.element, (projection.pre * projection.target_size + projection.post).astype(np.uint64)
        )
        if not regular and draws(bodies):
            self._constant(scope, group, "element", "uint64_t", projection.name)
        group.step = self._code(scope, projection.step)
        group.arrive = self._code(scope, projection.arrive)
        group.post_code = self._code(scope, projection.post_body)

    def _constant(self, scope: _SynapseScope, group: Synapses, what: What, ctype: str, projection: str) -> None:
        ident = scope.names(what, what, projection)
        scope.variables[what] = ident
        group.variables.append(Variable(ident, ctype, what, projection, constant=True))

    def _target(self, population: str, inputs: Sequence[str]) -> str | None:
        """The identifier of the one input that is sent to."""
        if not inputs:
            return None
        return self.neurons[population].names.given["input", inputs[0]]

    def _code(self, scope: _Scope, body: Body) -> str:
        writer = Writer(self.program, scope, scope.names)
        scope.names.given.pop(("gamma",), None)
        writer.body(body)
        return writer.text()

    # --------------------------------------------------------------------------------------------------------- events

    def _event(self, event: Event, late: bool) -> None:
        owner: _NeuronScope | _SynapseScope = (
            self.neurons[event.owner] if event.over == "neuron" else self.synapses[event.owner]
        )
        wanted = f"{event.owner.replace('#', '_copy')}_{event.name}{'_late' if late else ''}"
        group = Update(
            self.groups.fresh(wanted),
            event.owner,
            target=owner.group.name,
            over=event.over,
            event=event.name,
            every_step=late,
        )
        scope = _UpdateScope(self.program, group, self.changing, owner, stored(event.body))
        writer = Writer(self.program, scope, scope.names, late=late)
        writer.body(event.body)
        group.code = writer.text()
        if group.references:
            self.done.updates.append(group)


# --------------------------------------------------------------------------------------------------------- printing


def _printed(group: Group) -> str:
    lines = []
    match group:
        case Neurons():
            lines.append(f"neurons {group.name}: {group.size}")
            lines += [f"  input {ident}: {name}" for ident, name in group.inputs.items()]
            lines += [_variable(v) for v in group.variables]
            codes = [("sim_code", group.code)]
        case Synapses():
            delay = f"axonal delay {group.delay - 1}, dendritic slots {group.slots}"
            lines.append(f"synapses {group.name}: {group.source} -> {group.target}, {delay}")
            if group.post_input:
                lines.append(f"  adds to {group.post_input} of the target")
            if group.pre_input:
                lines.append(f"  adds to {group.pre_input} of the source")
            lines += [_variable(v) for v in group.variables]
            lines += [f"  presynaptic {r.ident}: {r.type}, {r.name}" for r in group.pre]
            lines += [f"  postsynaptic {r.ident}: {r.type}, {r.name}" for r in group.post]
            codes = [
                ("synapse_dynamics_code", group.step),
                ("pre_spike_syn_code", group.arrive),
                ("post_spike_syn_code", group.post_code),
            ]
        case Update():
            when = "after every step" if group.every_step else "on its event"
            lines.append(f"update {group.name} of {group.owner}, {when}")
            lines += [
                f"  reference {r.ident}: {r.type}, {r.name}{' (read)' if r.constant else ''}" for r in group.references
            ]
            codes = [("update_code", group.code)]
        case _:
            raise TypeError(f"{type(group).__name__} is no group")
    for parameter in group.parameters:
        dynamic = " (dynamic)" if parameter.dynamic else ""
        lines.append(f"  parameter {parameter.ident}: {parameter.type}, {parameter.of} {parameter.name}{dynamic}")
    lines += [f"  array {a.ident}: {a.type}, {' '.join(filter(None, (a.kind, a.name)))}" for a in group.arrays]
    for title, code in codes:
        if code:
            lines += [f"  {title}", *(f"    {line}" for line in code.split("\n"))]
    return "\n".join(lines)


def _variable(variable: Variable) -> str:
    constant = " (constant)" if variable.constant else ""
    return f"  variable {variable.ident}: {variable.type}, {variable.holds} {variable.name}{constant}"
