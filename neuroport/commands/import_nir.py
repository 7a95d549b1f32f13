"""neuroport import: a network file of a NIR graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import echo_json, echo_table, json_option
from neuroport.commands.run import Progress
from neuroport.commands.stopping import Stopping

if TYPE_CHECKING:
    from neuroport.nir.choices import Choice
    from neuroport.nir.network import Line


@click.command("import", short_help="Write a network file of a NIR graph, as other tools store networks.")
@click.argument("file", metavar="FILE.nir")
@click.option("-o", "--output", metavar="OUT.yaml", help="The network file.")
@click.option("--check", is_flag=True, help="Only tell what becomes of every node; write nothing.")
@click.option("--dt", metavar="TIME", help="The step, '0.1 ms' [default: follows from the graph, or is guessed].")
@click.option("--time-unit", type=click.Choice(["s", "ms"]), help="The unit of times in the graph.")
@click.option("--integrate", type=click.Choice(["euler", "exact"]), help="How equations become steps.")
@click.option("--current", type=click.Choice(["previous", "updated"]), help="The current that v takes in a step.")
@click.option("--reset", type=click.Choice(["value", "subtract"]), help="What a spike does to v.")
@click.option("--input", "input_", type=click.Choice(["values", "spikes"]), help="What comes from outside.")
@click.option(
    "--calibrate",
    "samples",
    metavar="DATA",
    help="Samples of the input, .npy, .npz, .csv or HDF5: show them, and find ranges with them.",
)
@click.option("--chip", metavar="CHIP", help="The chip that the network file names; one of integers needs --calibrate.")
@click.option(
    "--backend", default="emulator", show_default=True, metavar="B", help="What executes the run of --calibrate."
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Do not show how far the run of --calibrate is.")
def import_nir(
    file: str,
    output: str | None,
    check: bool,
    dt: str | None,
    time_unit: str | None,
    integrate: str | None,
    current: str | None,
    reset: str | None,
    input_: str | None,
    samples: str | None,
    chip: str | None,
    backend: str,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a network file of a graph of the Neuromorphic Intermediate Representation (NIR).

    What NIR leaves open is guessed, told, and said at the head of the file; options say otherwise. Large arrays go into
    an HDF5 file beside it, of the same name. A graph that `neuroport export` wrote, and nobody changed, gives the
    network that was exported, if no option says how to read it.
    """
    said = {"dt": dt, "time_unit": time_unit, "integrate": integrate, "current": current, "reset": reset}
    said["input"] = input_
    if check:
        given = {"-o": output, "--calibrate": samples, "--chip": chip}
        more = [name for name, value in given.items() if value is not None]
        if more:
            raise click.UsageError(f"--check writes nothing; leave {' and '.join(more)} out.")
        _check(file, said, as_json)
        return
    if output is None:
        raise click.UsageError("Give the network file a name, -o OUT.yaml, or look at the graph with --check.")
    _write(file, output, said, samples, chip, backend, overwrite, as_json, quiet)


def _check(file: str, said: dict[str, Any], as_json: bool) -> None:
    from neuroport.api.nir import looked_at

    made, notes = looked_at(file, said)
    taken = list(made.choices.taken.values())
    if as_json:
        echo_json(_plain(file, made.lines, taken, notes) | {"problems": made.problems})
    else:
        _tell(made.lines, taken)
    for text in notes:
        click.echo(f"note: {text}", err=True)
    for problem in made.problems:
        click.echo(f"error: {file}: {problem}", err=True)
    if made.problems:
        click.get_current_context().exit(2)


def _write(
    file: str,
    output: str,
    said: dict[str, Any],
    samples: str | None,
    chip: str | None,
    backend: str,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    import neuroport
    from neuroport.commands.calibrate import notes

    with Progress(output, show=not quiet and samples is not None) as bar, Stopping(()) as stopping:
        progress = stopping.watched(bar)
        found = neuroport.from_nir(
            file,
            **said,
            samples=samples,
            chip=chip,
            output=output,
            overwrite=overwrite,
            progress=progress,
            backend=backend,
        )
    for text in (*found.notes, *(notes(found.calibration) if found.calibration else ())):
        click.echo(f"note: {text}", err=True)
    files = [str(path) for path in found.files]
    if as_json:
        ranges = found.calibration and dataclasses.asdict(found.calibration)["arrays"]
        echo_json(
            _plain(file, found.nodes, found.choices, found.notes) | {"problems": [], "files": files, "ranges": ranges}
        )
        return
    if found.nodes:
        _tell(found.nodes, found.choices)
    for path in files:
        click.echo(f"written    {path}")


def _plain(file: str, lines: Iterable[Line], taken: Iterable[Choice], notes: Iterable[str]) -> dict[str, Any]:
    nodes, choices = ([dataclasses.asdict(item) for item in items] for items in (lines, taken))
    return {"file": file, "nodes": nodes, "choices": choices, "notes": list(notes)}


def _tell(lines: Iterable[Line], taken: Iterable[Choice]) -> None:
    rows = [[line.node, line.kind, line.shape, line.status, line.text] for line in lines]
    echo_table(["node", "kind", "gives", "", "becomes"], rows)
    options = [[f"--{c.name.replace('_', '-')}", c.value, "guessed" if c.guessed else "said", c.why] for c in taken]
    echo_table(["taken for", "value", "", "because"], options)
