"""From a program to what is to be built in PyGeNN, and that as text. Nothing here needs PyGeNN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from neuroport.backends.generated import kind_of, storage
from neuroport.backends.genn import bounds, places, queues, reach
from neuroport.backends.genn.batch import parted
from neuroport.backends.genn.code import GennIdentifiers, Writer, c_type, draws
from neuroport.backends.genn.literals import real, unsigned
from neuroport.backends.genn.model import (
    Borrowed,
    Model,
    Neurons,
    Parameter,
    Synapses,
    Update,
    Variable,
)
from neuroport.backends.genn.printing import printed
from neuroport.backends.genn.scopes import NeuronScope, Scope, SynapseScope, UpdateScope
from neuroport.program.ir import Body, Read, Send, stored, walk
from neuroport.program.machine import Array, Event, Population, Program, Projection, Readout, Series
from neuroport.program.names import LENGTH

What = Literal["dendritic", "element"]


def emit(program: Program, keyed: bool = False, summed: frozenset[str] = frozenset()) -> Model:
    """All groups of a program with their code, of copies as a batch.

    keyed: each copy has a seed of its own. summed: the arrays of contributions to sums over copies (see `contributed`).
    """
    return _Emitter(program, keyed, summed).model()


def written_out(program: Program) -> Model:
    """All groups of a program of one copy or of a batch, in which what GeNN has no form for is written out first."""
    found = parted(program)
    return emit(found.program, summed=found.summed)


def text(program: Program, batch: bool = False) -> str:
    """The generated models, for reading. batch: copies are one."""
    if program.copies > 1 and not batch:
        from neuroport.copies.unbatch import unbatch

        program = unbatch(program)
    return "\n\n".join(printed(group) for group in written_out(program).groups()) + "\n"


def writable(program: Program) -> set[str]:
    """Scalars that may change while the network runs."""
    names = {d.array for d in program.derived} | {LENGTH}
    return names | {
        a.name for a in program.arrays.values() if a.at == "scalar" and (a.dynamic or a.role != "parameter" or a.own)
    }


def uniform(program: Program) -> set[str]:
    """Arrays of synapses that no body assigns to and that hold one number: it need not be read for every synapse.

    Those that hold another one on another specimen of the chip are not among them, so that all have one text. Those of
    64-bit integers are not among them, because GeNN cuts dynamic parameters to 32 bits.
    """
    found = set()
    changed = program.stored()
    for projection in (p for p in program.projections if p.synapses):
        for array in program.arrays.values():
            fixed = array.at == "synapse" and array.name not in changed and array.designed is None and not array.mirror
            if array.owner == projection.name and fixed:
                dtype = storage(array, program)
                if dtype.kind in "fi" and dtype != np.int64 and bool(np.all(array.initial == array.initial.flat[0])):
                    found.add(array.name)
    return found


class _Emitter:
    def __init__(self, program: Program, keyed: bool, summed: frozenset[str]) -> None:
        self.program, self.keyed, self.summed = program, keyed, summed
        self.changing = writable(program)
        self.uniform = uniform(program)
        self.open = reach.open_to_others(program, self.uniform)
        self.seen = reach.read_by_synapses(program)
        self.remembered = reach.remembered(program)
        self.late, self.changed_late = reach.after_step(program)
        self.first = places.first_elements(program)
        self.shifted = any(self.first.values())
        self.reached = {send.input for _, send in bounds.sends(program)}
        self.groups = GennIdentifiers()
        self.neurons: dict[str, NeuronScope] = {}
        self.synapses: dict[str, SynapseScope] = {}
        self.done = Model(self.groups.fresh("network"), bounds.scalar(program), program.copies)

    @property
    def batch(self) -> bool:
        """Whether the program has copies."""
        return self.program.copies > 1

    def model(self) -> Model:
        for population in self.program.populations:
            self._population(population)
        for projection in self.program.projections:
            if projection.synapses and self._used(projection):
                self._projection(projection)
        for event in self.program.events:
            if event.over == "synapse" and event.owner not in self.synapses:
                continue
            self._event(event)
        for population in self.program.populations:
            self._single(self.neurons[population.name])
        for readout in self.program.readouts:
            if self._read_late(readout):
                self._bit(readout)
        queues.part(self.done)
        self.done.shared_sums = self.program.integer and queues.share_sums(self.done)
        return self.done

    def _used(self, projection: Projection) -> bool:
        """Whether a projection has anything to do."""
        return any(self._bodies(projection)) or any(
            self.program.arrays[name].owner == projection.name for name in self.open
        )

    def _bodies(self, projection: Projection) -> list[Body]:
        """All bodies of a projection, those of its events too."""
        return [*projection.bodies, *(e.body for e in self.program.events if e.owner == projection.name)]

    def _variables(self, owner: str, at: str, names: GennIdentifiers) -> list[tuple[str, Variable]]:
        """Variables for all arrays of an object."""
        found = []
        apart = self.uniform | self.open
        for array in self.program.arrays.values():
            if array.owner == owner and array.at == at and array.role != "input" and array.name not in apart:
                short = array.name.removeprefix(f"{owner}.")
                ident = names(short, "own", array.name)
                constant, ctype = array.role == "parameter", c_type(storage(array, self.program))
                each = self.program.copies > 1 and array.own
                found.append((array.name, Variable(ident, ctype, "array", array.name, constant, each=each)))
        return found

    def _open(self, scope: NeuronScope | SynapseScope, owner: str) -> None:
        """Arrays of the group for what events of others need of an object."""
        for array in self.program.arrays.values():
            if array.owner == owner and array.name in self.open:
                short = array.name.removeprefix(f"{owner}.")
                ctype, each = c_type(storage(array, self.program)), scope.each(array.name)
                scope.open[array.name] = scope.array("array", array.name, ctype, short, each)
                scope.variables[array.name] = f"{scope.open[array.name]}[{scope.index(each)}]"

    # ---------------------------------------------------------------------------------------------------- populations

    def _population(self, population: Population) -> None:
        group = Neurons(
            self.groups(population.name.replace("#", "_copy"), "population", population.name),
            population.name,
            size=population.size,
            spiking=population.spiking,
        )
        scope = NeuronScope(self.program, group, self.changing)
        scope.shifted, scope.keyed, scope.summed = self.shifted, self.keyed, self.summed
        self.neurons[population.name] = scope
        self.done.neurons.append(group)
        for name, variable in self._variables(population.name, "neuron", scope.names):
            scope.variables[name] = variable.ident
            group.variables.append(variable)
        self._open(scope, population.name)
        for name in (n for n in scope.open if n in self.seen):
            ident = scope.names.fresh(f"seen_{scope.open[name]}")
            scope.seen[name] = ident
            ctype = c_type(storage(self.program.arrays[name], self.program))
            group.variables.append(Variable(ident, ctype, "array", name, each=self.batch))
        writer = Writer(self.program, scope, scope.names)
        self._remember(scope, population, writer)
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
        for event in (e for e in self.program.events if e not in self.late):
            if event.every_step and event.over == "neuron" and event.owner == population.name:
                writer.body(event.body)
        writer.lines += [f"{seen} = {scope.variables[name]};" for name, seen in scope.seen.items()]
        for readout in self.program.readouts:
            if readout.population == population.name:
                ident = scope.names(f"bit_{readout.name}", "bit", readout.name)
                group.variables.append(Variable(ident, "uint8_t", "bit", readout.name, each=self.batch))
                if not self._read_late(readout):
                    writer.body(())
                    writer.lines.append(f"{ident} = {writer.condition(readout.bit)} ? 1 : 0;")
        group.code = writer.text()

    def _remember(self, scope: NeuronScope, population: Population, writer: Writer) -> None:
        """Keep what the last step left where events of synapses read it later."""
        for array in (self.program.arrays[name] for name in sorted(self.remembered)):
            if array.owner == population.name:
                short, ctype = array.name.removeprefix(f"{array.owner}."), c_type(storage(array, self.program))
                past = scope.past[array.name] = scope.array("past", array.name, ctype, f"{short}_past", each=True)
                place = f"{writer.row(0, array.history)} * {unsigned(population.size)} + id"
                place = scope.of_copy(place, array.history * population.size)
                writer.lines.append(f"{past}[{place}] = {scope.own(array.name)};")

    def _input(self, array: Array, scope: NeuronScope, group: Neurons, writer: Writer) -> None:
        """A local with the sum of what synapses sent to an input."""
        short = array.name.removeprefix(f"{array.owner}.")
        kind = kind_of(array.type, self.program)
        ctype = writer.type(kind)
        ident = scope.names(short, "own", array.name)
        scope.variables[array.name] = ident
        if array.name in self.reached:
            received = scope.names(f"in_{short}", "input", array.name)
            group.inputs[received] = array.name
            if bounds.rounds(self.program, array.name):
                self._exact(received, array.name, scope, writer)
            writer.lines.append(f"{ctype} {ident} = ({ctype}){received};")
        else:
            writer.lines.append(f"{ctype} {ident} = 0;")

    def _exact(self, received: str, name: str, scope: NeuronScope, writer: Writer) -> None:
        """Note the first step in which a sum of whole numbers is too large to be exact in floating point."""
        failed, most = scope.counter(name, "failed"), real(float(bounds.DOUBLE), "float64")
        outside = f"({received} >= {most} || {received} <= (-{most})) && {failed} == 0"
        writer.lines.append(f"if ({outside}) {failed} = {writer.step()} + 1;")

    def _by_hand(self, inputs: list[Array], scope: NeuronScope, writer: Writer) -> None:
        """What was written to inputs by hand for this step."""
        owner = inputs[0].owner
        late = scope.parameter(Parameter(scope.names("late", "is late", owner), "int32_t", "late", owner, True))
        writer.lines.append(f"if ({late} != 0) {{")
        for array in inputs:
            ctype = writer.type(kind_of(array.type, self.program))
            wanted = f"by_hand_{array.name.removeprefix(f'{owner}.')}"
            given = scope.array("late", array.name, "int64_t" if ctype.startswith("int") else ctype, wanted, each=True)
            writer.lines += [
                f"    {scope.variables[array.name]} += ({ctype}){given}[{scope.index(True)}];",
                f"    {given}[{scope.index(True)}] = 0;",
            ]
        writer.lines.append("}")

    def _stimuli(self, array: Array, scope: NeuronScope, group: Neurons, writer: Writer) -> None:
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
            group.variables.append(Variable(cursor, "uint32_t", "cursor", array.name, each=self.batch))
            lines += [
                f"while ({cursor} < {first}[id + 1] && {steps}[{cursor}] <= {writer.step()}) {{",
                f"    if ({steps}[{cursor}] == step) {ident} += ({ctype}){values}[{cursor}];",
                f"    {cursor} += 1;",
                "}",
            ]
        for series in (s for s in self.program.series if s.input == array.name):
            row = scope.names(f"row_{series.name}", "row", series.name)
            shown = f"{row} >= 0"
            if series.order == "time":
                shown = self._row(series, row, scope, writer)
            elif self.batch:
                row = f"{scope.array('rows', series.name, 'int32_t', row, each=True)}[batch]"
                shown = f"{row} >= 0"
            else:
                scope.parameter(Parameter(row, "int32_t", "row", series.name, True))
            table = scope.array("series", series.name, c_type(storage(array, self.program)), series.name)
            guard = f"if ({shown}) " if shown else ""
            lines.append(f"{guard}{ident} += ({ctype}){table}[(int64_t){row} * {group.size} + id];")

    def _row(self, series: Series, row: str, scope: NeuronScope, writer: Writer) -> str:
        """Calculate the row of a series in time; the condition that there is one."""
        value = writer.step() if series.hold == 1 else f"{writer.step()} / {unsigned(series.hold)}"
        if series.start is not None:
            if self.batch:
                first = f"{scope.array('starts', series.name, 'int32_t', f'start_{series.name}', each=True)}[batch]"
            else:
                ident = scope.names(f"start_{series.name}", "start", series.name)
                first = scope.parameter(Parameter(ident, "int32_t", "start", series.name, False))
            value = f"{value} + (uint64_t){first}"
        rows = len(series.table)
        if series.loop:
            writer.lines.append(f"const uint64_t {row} = ({value}) % {unsigned(rows)};")
            return ""
        writer.lines.append(f"const uint64_t {row} = {value};")
        return f"{row} < {unsigned(rows)}"

    # ---------------------------------------------------------------------------------------------------- projections

    def _projection(self, projection: Projection) -> None:
        sends = [s for body in projection.bodies for s in body if isinstance(s, Send)]
        group = Synapses(
            self.groups(projection.name.replace("#", "_copy"), "projection", projection.name),
            projection.name,
            source=self.neurons[projection.source].group.name,
            target=self.neurons[projection.target].group.name,
            delay=projection.delay,
            post_input=self._target(projection.target, [s.input for s in sends if s.to == "post"]),
            pre_input=self._target(projection.source, [s.input for s in sends if s.to == "pre"]),
        )
        scope = SynapseScope(self.program, group, self.changing, projection, self.neurons)
        scope.uniform, scope.shifted, scope.keyed = self.uniform, self.shifted, self.keyed
        scope.summed = self.summed
        self.synapses[projection.name] = scope
        self.done.synapses.append(group)
        for name, variable in self._variables(projection.name, "synapse", scope.names):
            scope.variables[name] = variable.ident
            group.variables.append(variable)
        self._open(scope, projection.name)
        if projection.dendritic is not None and projection.dendritic.any():
            longest = projection.longest_delay
            group.slots = longest + 1
            self._constant(scope, group, "dendritic", "uint8_t" if longest < 256 else "uint16_t")
        elif projection.dendritic is not None:
            self._constant(scope, group, "dendritic", "uint8_t")
        if any(map(draws, self._bodies(projection))) and self.first[projection.name] is None:
            scope.element_variable = self._constant(scope, group, "element", "uint64_t")
        group.step = self._code(scope, projection.step)
        group.arrive = self._code(scope, projection.arrive)
        group.post_code = self._code(scope, projection.post_body)

    def _constant(self, scope: SynapseScope, group: Synapses, what: What, ctype: str) -> Variable:
        variable = Variable(scope.names(what, what, group.owner), ctype, what, group.owner, constant=True)
        scope.variables[what] = variable.ident
        group.variables.append(variable)
        return variable

    def _target(self, population: str, inputs: Sequence[str]) -> str | None:
        """The identifier of the one input that is sent to."""
        if not inputs:
            return None
        return self.neurons[population].names.given["input", inputs[0]]

    def _code(self, scope: Scope, body: Body) -> str:
        writer = Writer(self.program, scope, scope.names)
        scope.names.given.pop(("gamma",), None)
        writer.body(body)
        return writer.text()

    # --------------------------------------------------------------------------------------------------------- events

    def _event(self, event: Event, late: bool = False) -> None:
        """The update of an event; late: one of its own for the end of a step, where it needs the number of the step."""
        owner = self._object(event.owner)
        wanted = f"{event.owner.replace('#', '_copy')}_{event.name}{'_late' if late else ''}"
        group = Update(
            self.groups.fresh(wanted),
            event.owner,
            target=owner.group.name,
            over=event.over,
            event=event.name,
            totals=event.totals,
            renewed=tuple(sorted(stored(event.body) & reach.mirrored(self.program))),
        )
        writes = stored(event.body)
        scope = UpdateScope(self.program, group, self.changing, owner, self._object, writes, event.once)
        writer = Writer(self.program, scope, scope.names, late=late)
        writer.body(event.body)
        group.code = writer.text()
        after_step = event.every_step and (event.over == "synapse" or event in self.late)
        twice = after_step and writer.timed
        group.every_step, group.triggered = late if twice else after_step, not late
        if group.references or group.borrowed:
            scope.anchor()
            self.done.updates.append(group)
        for population in self.neurons.values():
            self._show(population, group, stored(event.body) & population.seen.keys())
        if twice and not late:
            self._event(event, late=True)

    def _show(self, population: NeuronScope, event: Update, names: set[str]) -> None:
        """Let synapses see what an event assigned."""
        if not names:
            return
        group = Update(
            self.groups.fresh(f"{population.group.name}_seen"),
            population.group.owner,
            target=population.group.name,
            event=event.event,
            every_step=event.every_step,
            triggered=event.triggered,
        )
        scope = UpdateScope(self.program, group, self.changing, population, self._object, set())
        lines = []
        for name in sorted(names):
            ctype = c_type(storage(self.program.arrays[name], self.program))
            source = scope.borrowed(name, population, "")
            ident = population.seen[name]
            seen = scope.reference(ident, ctype, ident, name, False, group.target, self.batch)
            lines.append(f"{seen} = {source}[{scope.index(scope.each(name))}];")
        group.code = "\n".join(lines)
        self.done.updates.append(group)

    def _single(self, population: NeuronScope) -> None:
        """Let synapses of other populations see what the only neuron of this one has."""
        owner = population.group.owner
        seen = {
            (array.name, synapses.group.name, array)
            for synapses in self.synapses.values()
            for array in synapses.group.arrays
            if array.kind == "single" and self.program.arrays[array.name].owner == owner
        }
        if not seen:
            return
        wanted = self.groups.fresh(f"{population.group.name}_modulates")
        group = Update(wanted, owner, target=population.group.name, every_step=True, triggered=False, shows=True)
        scope = UpdateScope(self.program, group, self.changing, population, self._object, set())
        lines = []
        for name, synapses, array in sorted(seen, key=lambda item: item[:2]):
            ident = scope.names(array.ident, "shown", name, synapses)
            group.borrowed.append(Borrowed(ident, array.type, array.ident, name, synapses))
            lines.append(f"{ident}[{scope.of_copy('0', 1)}] = {scope.own(name)};")
        scope.anchor()
        group.code = "\n".join(lines)
        self.done.updates.append(group)

    def _object(self, name: str) -> NeuronScope | SynapseScope:
        return self.neurons[name] if name in self.neurons else self.synapses[name]

    def _read_late(self, readout: Readout) -> bool:
        """Whether a readout looks at what an event changes after the neurons' step."""
        return any(isinstance(e, Read) and e.array in self.changed_late for e in walk(readout.bit))

    def _bit(self, readout: Readout) -> None:
        """The bits of a readout, after the events of the step."""
        owner = self.neurons[readout.population]
        group = Update(
            self.groups.fresh(f"{readout.name.replace('#', '_copy')}_bit"),
            readout.population,
            target=owner.group.name,
            every_step=True,
            triggered=False,
        )
        scope = UpdateScope(self.program, group, self.changing, owner, self._object, set())
        writer = Writer(self.program, scope, scope.names, late=True)
        value = writer.condition(readout.bit)
        kept = owner.names(f"bit_{readout.name}", "bit", readout.name)
        bit = scope.reference("bit", "uint8_t", kept, "", False, owner.group.name, self.batch)
        writer.lines.append(f"{bit} = {value} ? 1 : 0;")
        group.code = writer.text()
        self.done.updates.append(group)
