"""Write a program as the text of one self-contained module, which `native` compiles.

The text depends on the models, not on sizes, connectivity, parameter values or seeds: those are arguments, so that one
compiled module serves a parameter sweep. Every body becomes one function; `run` calls them in the order of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from neuroport.backends.emulator.body import Writer
from neuroport.backends.emulator.factors import common_factor, without_factor
from neuroport.backends.emulator.function import Definition, Function, Helper
from neuroport.backends.emulator.layout import AHEAD, ROWS_AHEAD, Argument, Entry, Module, Part, ring_of_sums
from neuroport.backends.emulator.levels import Level, Levels
from neuroport.backends.emulator.lines import Block, Line, printed
from neuroport.backends.emulator.numbers import NUMBER, kind_of
from neuroport.backends.emulator.prelude import prelude, reserved
from neuroport.backends.emulator.values import Site
from neuroport.backends.generated import Identifiers
from neuroport.backends.turns import Row, Turn, turns
from neuroport.copies.axis import is_own
from neuroport.program.ir import Body, Expr, Real, Send, Temp, reads
from neuroport.program.laws import Jumps
from neuroport.program.machine import Event, Population, Program, Projection, Readout, Series, Total
from neuroport.program.rows import Rows
from neuroport.program.wiring import Kernel

LARGE = 2**15
"""Synapses of a full matrix that is computed two rows at a time: with 16 bits they leave the first cache."""

LONG = 32
"""Neurons of a matrix without its diagonal from which on it has no indices: what fills no register gains little."""

SHORT = 64
"""Synapses of a kernel's run up to which their number stands in the text: longer loops gain nothing by that."""

SUFFIX = {
    "array": "",
    "scalar": "",
    "history": "_past",
    "table": "",
    "flags": "_fired",
    "words": "_fired_words",
    "spikes": "_spikes",
    "spike_count": "_spike_count",
    "spike_steps": "_kept_steps",
    "spike_neurons": "_kept_neurons",
    "rows": "_rows",
    "post": "_post",
    "columns": "_columns",
    "column_synapse": "_column_synapse",
    "column_pre": "_column_pre",
    "element": "_element",
    "entry": "_entry",
    "column_entry": "_column_entry",
    "template": "_template",
    "runs": "_runs",
    "row_post": "_row_post",
    "row_entry": "_row_entry",
    "run_post": "_run_post",
    "run_entry": "_run_entry",
    "run_width": "_run_width",
    "first_column": "_first_column",
    "entry_step": "_entry_step",
    "entries": "_entries",
    "first_entry": "_first_entry",
    "law": "_law",
    "divisor": "_divisor",
    "drawn_numbers": "_numbers",
    "seen": "_seen",
    "drawn": "_drawn",
    "dendritic": "_dendritic",
    "places": "_places",
    "twin": "_twin",
    "histogram": "_histogram",
    "counted": "_counted",
    "record_steps": "_sample_steps",
    "record_values": "_samples",
    "record_places": "_sampled",
    "injection_steps": "_steps",
    "injection_neurons": "_neurons",
    "injection_values": "_values",
    "series_table": "_table",
    "series_schedule": "_schedule",
    "size": "_size",
    "delay": "_delay",
    "hold": "_hold",
    "loop": "_loop",
    "every": "_every",
    "record_every": "_sample_every",
    "start": "_start",
    "frames": "_frames",
    "starts": "_starts",
    "first": "_first",
    "copies": "copies",
    "width": "width",
    "terms": "terms",
    "sums": "sums",
    "whole_sums": "whole_sums",
    "ctl": "ctl",
    "overflow": "overflow",
    "laps": "laps",
    "keys": "keys",
}


SYNAPSE_KINDS = (
    *("delay", "rows", "post", "columns", "column_synapse", "column_pre", "element", "dendritic", "places", "twin"),
    "first_column",
)
"""What a projection has."""
KERNEL_KINDS = (
    *("entry", "column_entry", "template", "runs", "row_post", "row_entry", "run_post", "run_entry"),
    *("run_width", "entry_step", "entries", "first_entry"),
)
"""What a projection has besides whose synapses share the entries of a kernel."""
LAW_KINDS = ("law", "divisor", "drawn_numbers", "seen", "drawn")
"""What a projection has besides whose synapses are not stored."""


def module_text(program: Program) -> str:
    """The generated module, for reading."""
    return emit(program).text


def emit(program: Program, timed: bool = False) -> Module:
    """Generate the module of a program; `timed`: with times of the parts of a step."""
    return Emitter(program, timed, ("runtime_copies",) if program.copies > 1 else ()).module()


def _has_totals(program: Program) -> bool:
    """Whether some event is preceded by sums, or largest values, over elements."""
    return any(event.totals for event in program.events)


class Emitter:
    """Collects the parts of one module; more: the runtime modules that it has besides `runtime`."""

    def __init__(self, program: Program, timed: bool = False, more: tuple[str, ...] = ()) -> None:
        self.program, self.timed = program, timed
        self.more = (*more, "runtime_totals") if _has_totals(program) else more
        if any(p.redrawn for p in program.projections):
            self.more += ("runtime_rows",)
        self.parts: dict[Part, int] = {}
        self.names = Identifiers(set(reserved(*self.more)))
        self.control: dict[tuple[str, str], int] = {}
        self.constants: dict[tuple[str, str], str] = {}
        self.ints: dict[tuple[str, str], int] = {}
        self.reals: dict[tuple[str, str], int] = {}
        self.numbers: dict[str, dict[Any, int]] = {"stream": {}, "counter": {}}
        self.definitions: list[Definition] = []
        self.written: dict[str, Definition] = {}
        for topic in ("item_start", "pause", "error_array", "error_element"):
            self._control(topic, "")
        self._name_everything()

    # -------------------------------------------------------------------------------------------------- identifiers

    def _name_everything(self) -> None:
        """Choose all argument names first, so that no local variable can take one."""
        program = self.program
        for name, array in program.arrays.items():
            self._identifier("scalar" if array.single else "array", name)
            if array.history:
                self._identifier("history", name)
        for name in program.tables:
            self._identifier("table", name)
        for population in program.populations:
            for kind in "size first flags words spikes spike_count spike_steps spike_neurons".split():
                self._identifier(kind, population.name)
        for projection in program.projections:
            besides = (KERNEL_KINDS if projection.shares else ()) + (LAW_KINDS if projection.redrawn else ())
            for kind in (*SYNAPSE_KINDS, *besides):
                self._identifier(kind, projection.name)
        for kinds, objects in (
            ("every histogram counted", [r.name for r in program.readouts]),
            ("record_every record_steps record_values record_places", [r.name for r in program.records]),
            ("injection_steps injection_neurons injection_values", [i.name for i in program.injections]),
            ("hold loop start starts frames series_table series_schedule", [s.name for s in program.series]),
        ):
            for name in objects:
                for kind in kinds.split():
                    self._identifier(kind, name)

    def _identifier(self, kind: str, name: str) -> str:
        if not name:
            return SUFFIX[kind]
        prefix = "table_" if kind == "table" else ""
        return self.names(f"{prefix}{name.replace('.', '_')}{SUFFIX[kind]}", kind, name)

    def _control(self, topic: str, name: str) -> str:
        """The constant that is the index of one control word."""
        key = (topic, name)
        if key not in self.control:
            self.control[key] = len(self.control)
            wanted = (f"{name.replace('.', '_')}_{topic}" if name else topic).upper()
            self.constants[key] = self.names(wanted, "control", topic, name)
        return self.constants[key]

    def _index_of(self, kind: str, of: int | str) -> int:
        """The number of a random stream, or of an array whose values outside its range are counted."""
        numbers = self.numbers[kind]
        return numbers.setdefault(of, len(numbers))

    # -------------------------------------------------------------------------------------------------------- parts

    def _start(self, load: Callable[[Argument], str] | None = None) -> Function:
        return Function(Identifiers(outside=self.names.taken), self._identifier, self._index_of, load)

    def _writer(self, function: Function, place: Site, event: Event | None = None) -> Writer:
        levels = Levels(self.program, place.fixed, once=event is not None and event.once)
        return Writer(self.program, function, place, levels)

    def _finish(self, wanted: str, doc: str, function: Function, *loops: Line) -> Helper:
        """Put a function together and add it to the module, unless one that differs only in names is there."""
        lines = printed(function.around(*loops), 1)
        shape = function.shape(lines)
        if shape not in self.written:
            self.written[shape] = Definition(self.names.fresh(wanted), function.signature(), lines)
            self.definitions.append(self.written[shape])
        self.written[shape].docs.setdefault(doc)
        return Helper(self.written[shape].ident, tuple(function.arguments), function.may_fail)

    def _neuron_place(self, population: Population, function: Function) -> Site:
        element = "np.uint64(i)"
        if any(p.first_element for p in self.program.populations):
            element += f" + np.uint64({function.use('first', population.name)})"
        return Site(own="i", element=element, source=population.name)

    def _population(self, population: Population) -> Helper:
        function = self._start()
        size = function.use("size", population.name)
        writer = self._writer(function, self._neuron_place(population, function))
        writer.body(population.body)
        for name in population.inputs:
            writer.assign(name, writer.nothing(name))
        loop = Block(f"for i in range({size}):", writer.inner())
        doc = f"One step of every neuron of population {population.name}."
        return self._finish(f"{population.name}_neurons", doc, function, loop)

    def _synapse_place(self, projection: Projection, fixed: str) -> Site:
        return Site(
            own="0" if projection.redrawn else "syn",
            pre="i",
            post="j",
            element="@" + projection.name,
            fixed=fixed,
            source=projection.source,
            target=projection.target,
            dendritic=projection.name if projection.dendritic is not None else "",
            kernel="" if not projection.shares else "k" if isinstance(projection.wiring, Kernel) else projection.name,
        )

    def _twin(self, projection: Projection, function: Function) -> str:
        """The index of synapse `syn` in the twin projection."""
        match twin_order(projection):
            case "same":
                return "syn"
            case "transposed":
                rows = function.use("size", projection.source)
                return f"j * np.uint64({rows}) + np.uint64(i)"
            case _:
                return "@" + projection.name

    def _all_but_diagonal(self, projection: Projection) -> bool:
        """Whether rows need no indices because each is all neurons but that of its number."""
        return all_but_diagonal(projection)

    def _drawn_row(self, projection: Projection, function: Function, writer: Writer) -> list[Line]:
        """The inner loop over the synapses of presynaptic neuron i, which are drawn before."""
        law, numbers, drawn = (function.use(kind, projection.name) for kind in ("law", "drawn_numbers", "drawn"))
        assert isinstance(projection.wiring, Rows)
        if isinstance(projection.wiring.law, Jumps):
            call = f"redraw_jumps(i, {law}, {function.use('divisor', projection.name)}, {numbers}, {drawn})"
        else:
            call = f"redraw_choice(i, {law}, {numbers}, {function.use('seen', projection.name)}, {drawn})"
        inner: list[Line] = [f"j = {drawn}[nth]", *writer.inner()]
        return [*writer.row(), f"number = {call}", Block("for nth in range(number):", inner)]

    def _row(self, projection: Projection, function: Function, writer: Writer) -> list[Line]:
        """The inner loop over the synapses of presynaptic neuron i; a full matrix needs no indices."""
        if projection.redrawn:
            return self._drawn_row(projection, function, writer)
        if full_matrix(projection):
            columns = function.use("size", projection.target)
            return [
                *writer.row(),
                f"first = np.uint64(i) * np.uint64({columns})",
                Block(f"for nth in range({columns}):", ["j = np.uint64(nth)", "syn = first + j", *writer.inner()]),
            ]
        if self._all_but_diagonal(projection):
            columns = function.use("size", projection.target)
            below = ["j = np.uint64(nth)", "syn = first + j", *writer.inner()]
            above = ["syn = first + np.uint64(i + nth)", "j = np.uint64(i + nth + 1)", *writer.inner()]
            return [
                *writer.row(),
                f"first = np.uint64(i) * np.uint64({columns} - 1)",
                Block("for nth in range(i):", below),
                Block(f"for nth in range({columns} - 1 - i):", above),
            ]
        if isinstance(projection.wiring, Kernel):
            return self._kernel_row(projection, function, writer)
        rows = function.use("rows", projection.name)
        target = [] if writer.place.places else [self._target(projection, function)]
        inner: list[Line] = ["syn = first + np.uint64(nth)", *target, *writer.inner()]
        return [
            *writer.row(),
            f"first = np.uint64({rows}[i])",
            Block(f"for nth in range({rows}[i + 1] - {rows}[i]):", inner),
        ]

    def _target(self, projection: Projection, function: Function) -> str:
        """The line that gives the target of the synapse of the number `nth` of a row."""
        if in_a_block(projection):
            return f"j = np.uint64(nth + {function.use('first_column', projection.name)})"
        return f"j = {function.use('post', projection.name)}[syn]"

    def _kernel_row(self, projection: Projection, function: Function, writer: Writer) -> list[Line]:
        """The inner loops over the runs of presynaptic neuron i, and over the synapses of each."""
        kinds = ("rows", "template", "runs", "row_post", "row_entry", "run_post", "run_entry")
        rows, template, runs, row_post, row_entry, run_post, run_entry = (
            function.use(kind, projection.name) for kind in kinds
        )
        assert isinstance(projection.wiring, Kernel)
        known = projection.wiring.width <= SHORT
        width = str(projection.wiring.width) if known else function.use("run_width", projection.name)
        step = "" if projection.wiring.step == 1 else f" * {function.use('entry_step', projection.name)}"
        synapse: list[Line] = [
            "j = begin_j + np.uint64(nth)",
            f"k = begin_k + np.uint64(nth{step})",
            "syn = first + np.uint64(nth)",
            *writer.inner(),
        ]
        run: list[Line] = [
            f"begin_j = np.uint64(np.int64({row_post}[i]) + np.int64({run_post}[run]))",
            f"begin_k = np.uint64(np.int64({row_entry}[i]) + np.int64({run_entry}[run]))",
            Block(f"for nth in range({width}):", synapse),
            f"first = first + np.uint64({width})",
        ]
        return [
            *writer.row(),
            f"first = np.uint64({rows}[i])",
            f"shape = np.int64({template}[i])",
            Block(f"for run in range({runs}[shape], {runs}[shape + 1]):", run),
        ]

    def _all_rows(self, projection: Projection, event: Event | None, since: int = 1) -> Helper:
        """The `step` body or an event of a projection: every synapse."""
        function = self._start()
        size = function.use("size", projection.source)
        place = self._synapse_place(projection, "pre")
        place.since = since
        if event:
            place.twin = self._twin(projection, function)
        writer = self._writer(function, place, event)
        body = event.body if event else projection.step
        if event is None and projection.row_condition is not None:
            with writer.at("row"):
                writer.put(Block(f"if not {writer.boolean(projection.row_condition)}:", ["continue"]))
            body = tuple(
                replace(s, guard=None) if isinstance(s, Send) and s.guard == projection.row_condition else s
                for s in body
            )
        writer.body(body)
        row = self._row(projection, function, writer)
        if event is None and _in_pairs(self.program, projection):
            loops = self._pairs_of_rows(projection, function, row)
        else:
            loops = [Block(f"for i in range({size}):", row)]
        if event:
            doc = f"Event {event.name} of every synapse of projection {projection.name}."
            return self._finish(f"{projection.name}_{event.name}", doc, function, *loops)
        doc = f"What every synapse of projection {projection.name} does in every step."
        return self._finish(f"{projection.name}_step", doc, function, *loops)

    def _pairs_of_rows(self, projection: Projection, function: Function, last: list[Line]) -> list[Line]:
        """A full matrix, two rows at a time, so that sums of its target are loaded and stored half as often.

        last: the lines of row i, for the last of an odd number of rows.
        """
        size, columns = function.use("size", projection.source), function.use("size", projection.target)
        places = [replace(self._synapse_place(projection, "pre"), own=f"syn_{k}", pre=f"i_{k}") for k in (1, 2)]
        one, other = (self._writer(function, place) for place in places)
        for writer in (one, other):
            writer.body(projection.step)
        inner = ["j = np.uint64(nth)", "syn_1 = first_1 + j", *one.inner(), "syn_2 = first_2 + j", *other.inner()]
        pair: list[Line] = [
            "i_1 = 2 * pair",
            *one.row(),
            "i_2 = i_1 + 1",
            *other.row(),
            f"first_1 = np.uint64(i_1) * np.uint64({columns})",
            f"first_2 = np.uint64(i_2) * np.uint64({columns})",
            Block(f"for nth in range({columns}):", inner),
        ]
        odd = Block(f"if ({size} & 1) != 0:", [f"i = {size} - 1", *last])
        return [Block(f"for pair in range({size} >> 1):", pair), odd]

    def _arrive(self, projection: Projection) -> Helper:
        function = self._start()
        delay = function.use("delay", projection.name)
        spikes, count = function.use("spikes", projection.source), function.use("spike_count", projection.source)
        function.header.put(
            f"past = (t - {delay}) & ({spikes}.shape[0] - 1)", Block(f"if {count}[past] == 0:", ["return"])
        )
        rows = self._arriving(projection, function, projection.arrive)
        factor = common_factor(projection.arrive)
        if factor is not None:
            simpler = self._arriving(projection, function, without_factor(projection.arrive))
            one = f"if {function.use('scalar', factor.scalar.array)} == {factor.one}:"
            rows = [Block(one, simpler), Block("else:", rows)]
        spike = [*self._ahead(projection, function), f"i = np.int64({spikes}[past, spike])", *rows]
        loop = Block(f"for spike in range({count}[past]):", spike)
        doc = f"Spikes of population {projection.source} reach the synapses of projection {projection.name}."
        return self._finish(f"{projection.name}_arrive", doc, function, loop)

    def _arriving(self, projection: Projection, function: Function, body: Body) -> list[Line]:
        """The lines of a row whose presynaptic neuron has spiked."""
        place = self._synapse_place(projection, "pre")
        computed = projection.shares or projection.redrawn
        indexed = not (computed or full_matrix(projection) or self._all_but_diagonal(projection))
        if projection.redrawn:
            law = function.use("law", projection.name)
            place.element = f"np.uint64(i) * np.uint64({law}[1]) + np.uint64({law}[2]) + np.uint64(j)"
        place.places = projection.name if indexed and delayed_input(self.program, projection) else ""
        writer = self._writer(function, place)
        writer.body(body)
        return self._row(projection, function, writer)

    def _ahead(self, projection: Projection, function: Function) -> list[Line]:
        """The lines that ask for all that the row of a coming spike reads of its synapses, and for where it begins."""
        if isinstance(projection.wiring, Kernel) or projection.redrawn:
            return []
        of_synapses = [one.ident for one in function.arguments if self._of_synapses(projection, one)]
        if not of_synapses:
            return []
        spikes, count = function.use("spikes", projection.source), function.use("spike_count", projection.source)
        rows = function.use("rows", projection.name)
        begin, row = (f"{spikes}[past, spike + {ahead}]" for ahead in (2 * ROWS_AHEAD, ROWS_AHEAD))
        return [
            Block(f"if spike + {2 * ROWS_AHEAD} < {count}[past]:", [f"prefetch({rows}, np.int64({begin}))"]),
            Block(
                f"if spike + {ROWS_AHEAD} < {count}[past]:",
                [f"prefetch_row({ident}, {rows}, {row})" for ident in of_synapses],
            ),
        ]

    def _of_synapses(self, projection: Projection, argument: Argument) -> bool:
        """Whether an argument is an array with a value for every synapse."""
        if argument.kind == "array":
            array = self.program.arrays[argument.name]
            return array.at == "synapse" and array.owner == projection.name and self.program.copies == 1
        return argument.kind in ("post", "dendritic", "places", "entry") and argument.name == projection.name

    def _post(self, projection: Projection) -> Helper:
        function = self._start()
        spikes, count = function.use("spikes", projection.target), function.use("spike_count", projection.target)
        columns = function.use("columns", projection.name)
        synapse, pre = function.use("column_synapse", projection.name), function.use("column_pre", projection.name)
        function.header.put(f"past = (t - 1) & ({spikes}.shape[0] - 1)", Block(f"if {count}[past] == 0:", ["return"]))
        place = self._synapse_place(projection, "post")
        place.kernel = place.kernel and "k"
        writer = self._writer(function, place)
        writer.body(projection.post_body)
        ahead = [
            f"prefetch({argument.ident}, {synapse}[entry + {AHEAD}])"
            for argument in function.arguments
            if argument.kind == "array" and self._of_synapses(projection, argument)
        ]
        kernel = [f"k = {function.use('column_entry', projection.name)}[entry]"] if projection.shares else []
        inner = [
            "entry = first + np.uint64(nth)",
            *ahead,
            f"syn = {synapse}[entry]",
            f"i = {pre}[entry]",
            *kernel,
            *writer.inner(),
        ]
        column = [
            f"j = np.int64({spikes}[past, spike])",
            *writer.row(),
            f"first = np.uint64({columns}[j])",
            Block(f"for nth in range({columns}[j + 1] - {columns}[j]):", inner),
        ]
        loop = Block(f"for spike in range({count}[past]):", column)
        doc = f"Spikes of population {projection.target} go back to the synapses of projection {projection.name}."
        return self._finish(f"{projection.name}_post", doc, function, loop)

    def _event(self, event: Event, since: int) -> Helper:
        """An event that sees the state left so many steps before: by the one before, or by the one that ends."""
        if event.over == "kernel":
            return self._entries(event, since)
        if event.over == "synapse":
            return self._all_rows(self.program.projection(event.owner), event, since)
        function = self._start()
        size = function.use("size", event.owner)
        writer = self._writer(function, self._neuron_place(self.program.population(event.owner), function), event)
        writer.body(event.body)
        loop = Block(f"for i in range({size}):", writer.inner())
        doc = f"Event {event.name} of every neuron of population {event.owner}."
        return self._finish(f"{event.owner}_{event.name}", doc, function, loop)

    # ------------------------------------------------------------------------------------------- entries of a kernel

    def _entries(self, event: Event, since: int) -> Helper:
        """An event over the entries of a kernel: in turns, sums over synapses and then what is computed of entries."""
        projection, function = self.program.projection(event.owner), self._start()
        known: dict[Expr | str, Row] = {}
        lines: list[Line] = []
        for turn in turns(event.body):
            synapses = self._synapse_place(projection, "pre")
            synapses.since, synapses.twin = since, f"@{projection.name}"
            adding = self._writer(function, synapses)
            lines += self._added(projection, function, adding, turn, known)
            lines.append(self._of_entries(projection, function, event, turn, known))
        doc = f"Event {event.name} of every entry of the kernel of projection {projection.name}."
        return self._finish(f"{projection.name}_{event.name}", doc, function, *lines)

    def _added(
        self, projection: Projection, function: Function, adding: Writer, turn: Turn, known: dict[Expr | str, Row]
    ) -> list[Line]:
        """The lines that make the sums over synapses of a turn, in rows that are known from now on."""
        adding.rows = dict(known)
        adding.levels.lets |= {name: _level_of(row) for name, row in known.items() if isinstance(name, str)}
        cleared: list[Line] = []
        for found, x in turn.sums.items():
            row = Row(len(known), isinstance(found.type, Real), adding.levels.of(x) == "copy")
            known[found] = row
            cleared.append(adding.add_to(row, x))
        if not turn.sums:
            return []
        numbers = f"{function.use('entries', projection.name)}{self._times_copies(function)}"
        rows = Block(
            f"for i in range({function.use('size', projection.source)}):", self._row(projection, function, adding)
        )
        return [Block(f"for nth in range({numbers}):", cleared), rows]

    def _times_copies(self, function: Function) -> str:
        return f" * {function.use('width')}" if self.program.copies > 1 else ""

    def _of_entries(
        self, projection: Projection, function: Function, event: Event, turn: Turn, known: dict[Expr | str, Row]
    ) -> Block:
        """The loop over entries of a turn, after which its names that later turns read are known."""
        element = f"np.uint64(k) + np.uint64({function.use('first_entry', projection.name)})"
        place = Site(own="k", element=element, source=projection.source, kernel="k", twin=f"@{projection.name}")
        writer = self._writer(function, place, event)
        writer.rows = dict(known)
        writer.levels.lets |= {name: _level_of(row) for name, row in known.items() if isinstance(name, str)}
        writer.levels.sums |= {found: _level_of(row) for found, row in known.items() if not isinstance(found, str)}
        writer.body(tuple(turn.body))
        for name, value in turn.kept.items():
            row = Row(len(known), isinstance(value.type, Real), writer.levels.lets[name] == "copy")
            known[name] = row
            writer.keep(row, Temp(name, value.type))
        return Block(f"for k in range({function.use('entries', projection.name)}):", writer.inner())

    def _totals(self, event: Event, caller: Function) -> list[str]:
        """The lines that reduce over elements before an event."""
        return [self._total(event, total, caller) for total in event.totals]

    def _total(self, event: Event, total: Total, caller: Function) -> str:
        arrays = f"{caller.use('array', total.of)}, {caller.use('array', total.into)}"
        several = self.program.copies > 1 and is_own(self.program.arrays[total.of])
        width = caller.use("width") if several else "1"
        if total.axis == "incoming" and full_matrix(self.program.projection(event.owner)):
            return f"{total.op}_columns({arrays})"
        index = {"incoming": "post", "outgoing": "rows"}.get(total.axis)
        more = [caller.use(index, event.owner)] if index else []
        return f"{total.op}_{total.axis}({', '.join([arrays, *more, width])})"

    def _readout(self, readout: Readout) -> Helper:
        function = self._start()
        counts = function.use("histogram", readout.name)
        writer = self._writer(function, self._neuron_place(self.program.population(readout.population), function))
        writer.put(f"joint = 2 * joint + np.int64({writer.boolean(readout.bit)})")
        each = Block(f"for i in range({function.use('size', readout.population)}):", writer.inner())
        if readout.neurons is not None:
            counted = function.use("counted", readout.name)
            each = Block(f"for k in range({counted}.shape[0]):", [f"i = {counted}[k]", *writer.inner()])
        doc = f"Count the joint state of population {readout.population}, neuron 0 most significant."
        return self._finish(f"{readout.name}_count", doc, function, "joint = 0", each, f"{counts}[joint] += 1")

    # ---------------------------------------------------------------------------------------------------------- run

    def _before(self, run: Function, population: Population) -> list[Line]:
        """Lines before what a population does in a step."""
        return []

    def _after_event(self, run: Function) -> list[Line]:
        """Lines after an event of every step."""
        return []

    def _end(self, run: Function, may_fail: bool) -> list[Line]:
        """The last lines of a step."""
        return [Block("if ctl[ERROR_ARRAY] >= 0:", ["return k"])] if may_fail else []

    def _histories(self) -> list[str]:
        """Arrays whose past some body reads."""
        program = self.program
        used = {read.array for read in program.reads() if read.lag != 0}
        return [name for name in program.arrays if name in used and program.arrays[name].history]

    def _stimuli(self, run: Function, population: Population) -> list[str]:
        """Injections and series into the inputs of one population."""
        lines = []
        program = self.program
        for injection in (i for i in program.injections if program.arrays[i.input].owner == population.name):
            acc = run.use("array", injection.input)
            pointer = self._control("next", injection.name)
            steps, neurons, values = (
                run.use(f"injection_{what}", injection.name) for what in ("steps", "neurons", "values")
            )
            lines.append(f"inject(t, {acc}, {steps}, {neurons}, {values}, ctl, {pointer})")
        series = [s for s in program.series if program.arrays[s.input].owner == population.name]
        return lines + [self._series(run, s) for s in series]

    def _series(self, run: Function, series: Series) -> str:
        """The line that adds what a series gives in this step."""
        of_copies = "_of_copies" if self.program.copies > 1 else ""
        acc, table = run.use("array", series.input), run.use("series_table", series.name)
        hold = run.use("hold", series.name)
        if series.order == "time":
            loop, start = run.use("loop", series.name), run.use("starts" if of_copies else "start", series.name)
            return f"add_series{of_copies}(t, {acc}, {table}, {hold}, {loop}, {start})"
        schedule, frames = run.use("series_schedule", series.name), run.use("frames", series.name)
        return f"add_scheduled{of_copies}(t, item_step, {acc}, {table}, {hold}, {frames}, {schedule})"

    def _spikes(self, run: Function, name: str) -> list[str]:
        """The lines that list the spikes of a population in this step, and record them."""
        spikes, count = run.use("spikes", name), run.use("spike_count", name)
        words = run.use("words", name)
        steps, neurons = run.use("spike_steps", name), run.use("spike_neurons", name)
        return [
            f"collect(t, {words}, {spikes}, {count}, ctl, {self._control('total', name)})",
            f"keep(t, {spikes}, {count}, {steps}, {neurons}, ctl, {self._control('filled', name)}, PAUSE)",
        ]

    def _step(self, run: Function) -> list[Line]:
        """The lines of one step."""
        program = self.program
        step: list[Line] = []
        may_fail = False

        def call(what: str, of: str, helper: Helper, condition: str = "") -> None:
            nonlocal may_fail
            may_fail |= helper.may_fail
            line = helper.call(run)
            add(what, of, [Block(f"if {condition}:", [line])] if condition else [line])

        def add(what: str, of: str, lines: Sequence[Line]) -> None:
            step.extend([*lines, *self._lap(run, Part(what, of))] if lines else [])

        spiking = {p.name for p in program.populations if p.spiking}
        for name in self._histories():
            past = run.use("history", name)
            add("history", program.arrays[name].owner, [f"remember(t - 1, {run.use('array', name)}, {past})"])
        for projection in program.projections:
            if projection.step:
                call("every step", projection.name, self._all_rows(projection, None))
        for projection in program.projections:
            if projection.arrive and projection.source in spiking:
                call("arriving spikes", projection.name, self._arrive(projection))
        for projection in program.projections:
            if projection.post_body and projection.target in spiking:
                call("postsynaptic spikes", projection.name, self._post(projection))
        for population in program.populations:
            step += self._before(run, population)
            add("stimuli", population.name, self._stimuli(run, population))
            if population.body or population.inputs:
                call("neurons", population.name, self._population(population))
            if population.spiking:
                add("spikes", population.name, self._spikes(run, population.name))
        for event in program.events:
            if event.every_step:
                add("events", event.owner, self._totals(event, run))
                call("events", event.owner, self._event(event, since=0))
                step += self._after_event(run)
        for readout in program.readouts:
            due = f"due(t, ctl, {self._control('due', readout.name)}, {run.use('every', readout.name)})"
            call("readouts", readout.population, self._readout(readout), due)
        for record in program.records:
            name = record.name
            steps, values = run.use("record_steps", name), run.use("record_values", name)
            when = f"ctl, {self._control('sample_due', name)}, {run.use('record_every', name)}"
            array = run.use("array", record.array)
            filled = self._control("samples", name)
            taken = f"{array}, {steps}, {values}, {when}, {filled}, PAUSE"
            if record.neurons is None:
                add("recording", record.array, [f"sample(t, {taken})"])
            else:
                add("recording", record.array, [f"sample_some({run.use('record_places', name)}, t, {taken})"])
        return step + self._end(run, may_fail)

    def _lap(self, run: Function, part: Part) -> list[str]:
        """The line that takes the time of a part of a step."""
        if not self.timed:
            return []
        number = self.parts.setdefault(part, len(self.parts))
        return [f"since = lap({run.use('laps', '')}, {number}, since)"]

    def _entry(self, ident: str, doc: str, function: Function, lead: str, lines: list[Line]) -> Entry:
        """Add a function that Python calls; numbers reach it in the arrays `ints` and `reals`."""
        kept = tuple(a for a in function.arguments if a.kind != "ctl")
        signature = ", ".join([lead, "ctl", "ints", "reals", *(a.ident for a in kept)])
        self.definitions.append(Definition(ident, signature, printed(lines, 1), {doc: None}))
        head = tuple(Argument(kind, "", kind) for kind in ("ctl", "ints", "reals"))
        return Entry(ident, head + kept)

    def _load(self, argument: Argument) -> str:
        """The number of an argument, out of the array in which it reaches generated code."""
        key = (argument.kind, argument.name)
        kind = "i8"
        if argument.kind == "scalar":
            kind = kind_of(self.program.arrays[argument.name].type, self.program)
        if kind == "f":
            return f"reals[{self.reals.setdefault(key, len(self.reals))}]"
        source = f"ints[{self.ints.setdefault(key, len(self.ints))}]"
        if kind == "i8":
            return source
        return f"{NUMBER[kind]}({source})" if kind in NUMBER else f"({source} != 0)"

    def module(self) -> Module:
        """Write everything."""
        program = self.program
        run = self._start(self._load)
        step = self._step(run)
        begin: list[Line] = [Block("if ctl[PAUSE] != 0:", ["return k"]), "t = t0 + k", "item_step = t - item_start"]
        lines: list[Line] = [
            "item_start = ctl[ITEM_START]",
            *(["since = cycles()"] if self.timed else []),
            Block("for k in range(steps):", [*begin, *step]),
            "return steps",
        ]
        doc = "Compute up to `steps` steps from step t0; returns how many (fewer when a buffer is full or one failed)."
        entry = self._entry("run", doc, run, "t0, steps", lines)
        events = []
        for number, event in enumerate(program.events):
            helper = self._event(event, since=1)
            trigger = self._start(self._load)
            lines = ["item_step = t - ctl[ITEM_START]", *self._totals(event, trigger), helper.call(trigger)]
            doc = f"Trigger event {event.name} of {event.owner} before step t."
            events.append(self._entry(f"trigger_{number}", doc, trigger, "t", lines))
        head = [
            prelude(program.precision, *self.more).rstrip(),
            "",
            "# Indices of the control words.",
            *(f"{self.constants[key]} = {index}" for key, index in self.control.items()),
        ]
        text = "\n".join(head) + "\n" + "".join(f"\n\n{definition.text()}\n" for definition in self.definitions)
        return Module(
            text=text,
            run=entry,
            events=tuple(events),
            control=dict(self.control),
            ints=tuple(self.ints),
            reals=tuple(self.reals),
            streams=tuple(self.numbers["stream"]),
            counters=tuple(self.numbers["counter"]),
            parts=tuple(self.parts),
        )


def _level_of(row: Row) -> Level:
    """How often a number in a row is there."""
    return "copy" if row.own else "element"


def delayed_input(program: Program, projection: Projection) -> str:
    """The input whose sums arriving spikes add to late, if they read and send nothing else by target or delay."""
    body = projection.arrive
    sends = {(s.input, s.delay) for s in body if isinstance(s, Send) and s.to == "post"}
    if len(sends) != 1 or any(r.at == "post" or r.lag == "synapse" for r in reads(body)):
        return ""
    ((name, delay),) = sends
    sums = ring_of_sums(program.arrays[name], projection.target_size)
    return name if delay == "synapse" and projection.dendritic is not None and sums <= 2**31 else ""


def _in_pairs(program: Program, projection: Projection) -> bool:
    """Whether rows of a full matrix are computed two at a time: each changes its own synapses only.

    Of large matrices of whole numbers: memory is what takes their time. Others are not worth building a longer text.
    """
    if not program.integer or program.copies > 1 or projection.row_condition is not None:
        return False
    if projection.synapses < LARGE:
        return False
    sends = any(isinstance(stmt, Send) and stmt.to == "post" for stmt in projection.step)
    return sends and full_matrix(projection) and all(read.at != "twin" for read in reads(projection.step))


def full_matrix(projection: Projection) -> bool:
    """Whether every presynaptic neuron has exactly one synapse to every postsynaptic one, in order."""
    full = projection.source_size * projection.target_size
    if projection.shares or projection.redrawn or projection.synapses == 0 or projection.synapses != full:
        return False
    pre, post = np.divmod(np.arange(projection.synapses), projection.target_size)
    return bool((projection.pre == pre).all() and (projection.post == post).all())


def all_but_diagonal(projection: Projection) -> bool:
    """Whether every neuron has one synapse to each of as many but that of its number, in order, and enough of them."""
    size = projection.source_size
    if projection.shares or size < LONG or size != projection.target_size or projection.synapses != size * (size - 1):
        return False
    pre, nth = np.divmod(np.arange(projection.synapses), size - 1)
    return bool((projection.pre == pre).all() and (projection.post == nth + (nth >= pre)).all())


def in_a_block(projection: Projection) -> bool:
    """Whether the neurons that have synapses have one to each of the same neighbours, in order, and enough of them.

    It is so of a full matrix between parts of populations, and of what a thread has of it.
    """
    if projection.shares or not projection.synapses:
        return False
    width = int(np.diff(projection.indptr).max())
    if width < LONG or np.any(np.diff(projection.indptr) % width):
        return False
    post = projection.wiring.kept
    neighbours = post[0] + np.arange(width)
    return bool((post[:width] == neighbours).all() and (post.reshape(-1, width) == neighbours).all())


def twin_order(projection: Projection) -> Literal["same", "transposed", "any"]:
    """Whether a synapse's twin has the same number, the number of the transposed full matrix, or any."""
    twin = projection.twin
    if twin is None or np.array_equal(twin, np.arange(projection.values)):
        return "same"
    if full_matrix(projection) and np.array_equal(twin, projection.post * projection.source_size + projection.pre):
        return "transposed"
    return "any"
