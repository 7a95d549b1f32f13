"""neuroport compile: the forms that a network takes on its way to an executor, as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import (
    chip_options,
    chosen_chip,
    echo_table,
    genn_option,
    load_network,
    memory_option,
    set_option,
)

if TYPE_CHECKING:
    from neuroport.program.machine import Port, Program

FORMS = ("network", "program", "integer", "emulator", "genn", "report")


class Form(click.Choice[str]):
    """One of FORMS, or a backend that shows what it makes of a program."""

    def __init__(self) -> None:
        super().__init__(FORMS)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The form's name."""
        from neuroport import backends

        if value not in FORMS and value in backends.names() and hasattr(backends.load(value), "source"):
            return value
        return super().convert(value, param, ctx)


@click.command("compile")
@click.argument("net", metavar="NET")
@click.option("--emit", type=Form(), default="report", show_default=True, help="Which form to print.")
@chip_options
@genn_option
@memory_option
@set_option
def compile_command(
    net: str,
    emit: str,
    chip: str | None,
    mismatch: tuple[str, ...],
    chip_seed: int | None,
    chip_instance: str | None,
    genn: tuple[str, ...],
    sets: tuple[str, ...],
) -> None:
    """Lower a network and print one of its forms.

    network: the network file with everything that --set changed. program: the machine in real numbers. integer: the
    same in the chip's integers. emulator: the code that it compiles. genn: the models for GeNN. report: what lowering
    has to tell. Any other backend by its name, if it shows what it makes of a program.
    """
    if genn and emit != "report":
        raise click.UsageError("--genn says what genn does on a GPU, which --emit report shows; leave it out here.")
    network = load_network(net, sets)
    if emit == "network":
        from neuroport.files import writer

        click.echo(writer.to_yaml(network), nl=False)
        return
    from neuroport import backends
    from neuroport.api.compile import lower, specimen
    from neuroport.api.foresee import described, foreseen
    from neuroport.errors import Unsupported
    from neuroport.program import printer

    deviating = chosen_chip(network, chip, mismatch, chip_instance, chip_seed is not None)
    chosen, instance = specimen(network, deviating, chip_seed, chip_instance)
    if emit == "integer" and not chosen.integer:
        raise Unsupported(
            f"chip '{chosen.name}' calculates in {chosen.arithmetic}, so there is no integer program; "
            f"name a chip that calculates with integers: --chip generic16"
        )
    program = lower(network, chosen, instance, quantised=emit != "program")
    if emit in ("program", "integer"):
        click.echo(printer.text(program), nl=False)
    elif emit != "report":
        click.echo(_source(emit, program), nl=False)
    else:
        from neuroport.backends.genn import parallelism

        spans = parallelism.spans(program, parallelism.asked(genn))
        click.echo(f"{network.name} on {chosen.name}")
        report(program, spans)
        found = foreseen(network, chosen, instance, [backends.load("emulator")])
        if found is not None:
            click.echo(f"memory on the emulator: {described(found)}")


def report(program: Program, spans: Mapping[str, Any]) -> None:
    """What lowering has to tell: a table with a line per array, one with a line per port, and all else.

    spans: of every projection what GeNN does with spikes on a GPU.
    """
    from neuroport.program import lowering

    arrays, rest = lowering.arrays(program.report), lowering.others(program.report)
    echo_table(arrays.columns, arrays.rows)
    ports = [_port(port, program) for port in program.ports]
    echo_table(("port", "direction", "of", "size", "type", "unit", "lowest", "highest", "step"), ports)
    if program.projections:
        echo_table(("projection", "synapses", "bytes each", "MiB", "spikes on a GPU"), _memory(program, spans))
    if program.copies > 1:
        echo_table(("copies", "genn on a GPU"), [[program.copies, _on_a_gpu(program)]])
    echo_table(rest.columns, rest.rows)
    if not (arrays.rows or ports or rest.rows):
        click.echo("nothing to report")


def _memory(program: Program, spans: Mapping[str, Any]) -> list[list[Any]]:
    """A line for each projection: what its synapses take while the emulator runs them, and what GeNN does on a GPU."""
    from neuroport.backends.emulator import Emulator

    return [
        [m.projection, m.synapses, f"{m.each:.3g}", f"{m.nbytes / 2**20:.3g}", str(spans.get(m.projection, "-"))]
        for m in Emulator().memory(program)
    ]


def _on_a_gpu(program: Program) -> str:
    """How GeNN has the copies on a GPU, whether or not there is one here."""
    from neuroport.api.executor import BATCH, WRITTEN_OUT
    from neuroport.backends.genn import batch

    why = batch.obstacle(program)
    return BATCH if why is None else f"{WRITTEN_OUT}: {why}"


def _port(port: Port, program: Program) -> list[Any]:
    """A line of the table; the step is that between the numbers that a chip holds."""
    from neuroport.program.ir import Int

    kind = None if port.direction == "spikes" else program.arrays[port.target].type
    step = f"{2.0**-kind.frac:.3g}" if program.integer and isinstance(kind, Int) else "-"
    low, high = ("-", "-") if port.range is None else port.range
    of = port.use, port.of, port.size, port.type, port.unit or "-"
    return [port.name, *of, low, high, step]


def _source(backend: str, program: Program) -> str:
    """What a backend makes of a program."""
    from neuroport import backends

    source: Callable[[Program], str] = getattr(backends.load(backend), "source")  # noqa: B009  it is optional
    return source(program)
