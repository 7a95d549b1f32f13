"""neuroport show: what is in a network, a trace, a chip or a chip instance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import duration, echo_notices, echo_table, load_network, read_seed, shown
from neuroport.commands.pages import echo_page, echo_text
from neuroport.disk.paths import exists
from neuroport.errors import InvalidInput
from neuroport.numerics.units import suggestion
from neuroport.pages.plain import some

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip
    from neuroport.network.model import NeuronModel, SynapseModel
    from neuroport.network.network import Network
    from neuroport.trace.read import Trace


@click.command(short_help="Tell of a network, a model, a chip, a trace, and of all that `list` names.")
@click.argument("words", metavar="[KIND|NET] NAME|FILE", nargs=-1, required=True)
@click.option("--chip-seed", callback=read_seed, metavar="N", help="Of a chip: the specimen that this seed stands for.")
@click.option("-o", "--output", metavar="INSTANCE.h5", help="Write that specimen, for --chip-instance.")
@click.option("--overwrite", is_flag=True, help="Replace an existing INSTANCE.h5.")
def show(words: tuple[str, ...], chip_seed: int | None, output: str | None, overwrite: bool) -> None:
    """Tell of a network, a neuron or synapse model, a chip, a trace, and of all else that `neuroport list` names.

    FILE is a network file, a file of models, a chip description (which ends in .yaml), a trace or a chip instance. Of a
    trace whose run was killed, the parts (FILE.h5.part) are joined first.

    KIND (network, model, neuron, synapse, chip, dataset, metric, connection or stimulus) is for a NAME that several
    things have. NET, a network, is for a NAME of one of its models, populations or projections.
    """
    from neuroport.chips import description as chips
    from neuroport.commands.things import is_network

    if len(words) == 2 and is_network(words[0]):
        _in_network(*words)
        return
    kind, what = _kind_and_name(words)
    path = _path(kind, what)
    chip = _chip_named(kind, what, path)
    if chip is not None:
        _chip(chip, chip_seed, output, overwrite)
        return
    if chip_seed is not None or output is not None or overwrite:
        text = f"--chip-seed, -o and --overwrite go with a chip, and '{what}' is none; chips are "
        raise InvalidInput.one(None, text + ", ".join(chips.names()))
    if path is None:
        _named(kind, what)
    else:
        _file(path)


def _kind_and_name(words: tuple[str, ...]) -> tuple[str, str]:
    """The kind, or "", and the name that the arguments say."""
    from neuroport.commands.things import KINDS

    if len(words) == 1:
        return "", words[0]
    if len(words) > 2 or words[0] not in KINDS:
        text = "show takes one NAME or FILE, or a NAME after a NET or a KIND; KIND is one of "
        text += ", ".join(KINDS)
        raise click.UsageError(f"{text}; found '{' '.join(words)}'.")
    return words[0], words[1]


def _in_network(net: str, name: str) -> None:
    """Tell of a population or projection, with what the network gives it, or of a model that the network uses."""
    from neuroport.network import described, summary

    network = load_network(net)
    told: dict[str, tuple[str, NeuronModel | SynapseModel]]
    told = {p.name: (summary.population(p), p.neuron) for p in network.populations}
    told |= {p.name: (summary.projection(p), p.synapse) for p in network.projections}
    models = [model for _, model in told.values()]
    told = {model.name: ("", model) for model in models} | told
    if name not in told:
        near = suggestion(name, list(told))
        text = f"network '{network.name}' has no model, population or projection '{name}'; {near}there are: "
        raise InvalidInput.one(None, text + ", ".join(told))
    line, model = told[name]
    if line:
        echo_text(line)
        click.echo()
    echo_page(described.page(model))


def _path(kind: str, what: str) -> Path | None:
    """The path of the file, or of the parts of a trace, that a name is; None where it is none.

    What comes with neuroport goes before a file where its kind is said.
    """
    from neuroport.commands.things import things
    from neuroport.trace.segments import parts_folder

    if not what:
        raise InvalidInput.one(None, "the name is empty; give a file, or the name of what `neuroport list` has")
    if kind and things(what, kind):
        return None
    path = Path(what)
    if not exists(path) and os.path.isdir(parts_folder(path)):
        return parts_folder(path)
    return path if exists(path) or path.suffix in (".yaml", ".yml") else None


def _chip_named(kind: str, what: str, path: Path | None) -> Chip | None:
    """The chip that a name or a description stands for; None where it stands for something else."""
    from neuroport.chips import description as chips
    from neuroport.trace import read as trace

    if kind not in ("", "chip"):
        return None
    if path is None:
        return chips.load(what) if what in chips.names() else None
    described = not os.path.isdir(path) and not trace.is_trace(path) and chips.is_description(path)
    return chips.load(path) if described else None


def _named(kind: str, name: str) -> None:
    """Tell of what has a name; where several things have it, of the first, after a line that tells them apart."""
    from neuroport.commands.things import nothing, things, told_apart

    found = things(name, kind)
    if not found:
        raise nothing(name, kind)
    if len(found) > 1:
        echo_text(told_apart(found))
        click.echo()
    thing = found[0]
    if thing.kind == "network":
        _network(thing.catalogue[name])
    else:
        echo_page(thing.catalogue.page(name))


def _network(network: Network) -> None:
    import neuroport.connections as connections
    from neuroport.network.summary import page

    echo_notices(network)
    echo_page(page(network, connections.key))


def _chip(chip: Chip, seed: int | None, output: str | None, overwrite: bool) -> None:
    from neuroport.api.compile import manufactured
    from neuroport.chips import instance as instances
    from neuroport.disk.output import HDF5, check_output

    if seed is None:
        if output is not None:
            raise InvalidInput.one(None, "-o writes a specimen of the chip; say which one with --chip-seed N")
        from neuroport.chips.described import page

        echo_page(page(chip))
        return
    specimen = manufactured(chip, seed)
    if output is not None:
        check_output(output, overwrite, "a chip instance", HDF5)
        instances.save(specimen, output, overwrite=overwrite)
    click.echo("\n".join(instances.describe(specimen)))
    if output is not None:
        click.echo(f"written to {output}")


def _file(path: Path) -> None:
    """Show a network file, a file of models, a trace, the parts of one, or a chip instance."""
    from neuroport.trace import read as trace

    if os.path.isdir(path) or trace.is_trace(path):
        _binary(path)
        return
    from neuroport.catalogue.models import of_file
    from neuroport.files import network as reader
    from neuroport.network import described

    models = of_file(path)
    if models is None:
        _network(reader.load(path))
        return
    for number, model in enumerate(models):
        click.echo("\n" * (number > 0), nl=False)
        echo_page(described.page(model))


def _binary(path: Path) -> None:
    """Show a trace, the parts of one, or a chip instance."""
    from neuroport.chips import instance as instances
    from neuroport.trace import read as trace
    from neuroport.trace.segments import left, parts_folder

    if os.path.isdir(path) and path.suffix == ".part":
        from neuroport.trace.join import repair

        path = repair(path)
        click.echo(f"joined the parts of an interrupted run into {path}")
    if instances.is_instance(path):
        click.echo("\n".join(instances.describe(instances.load(path))))
        return
    _show_trace(trace.open_trace(path))
    if parts_folder(path).is_dir():
        text = "has parts of this run, or of a later one that is going on or was cut off"
        click.echo(f"note: {parts_folder(path)} {text}")
        if said := left(path):
            click.echo(f"note: where nothing is going on, {said}")


def _show_trace(trace: Trace) -> None:
    from neuroport.trace.segments import how_to_resume
    from neuroport.trace.summary import recorded_of

    chip = trace.chip if trace.chip_seed is None else f"{trace.chip}, chip seed {trace.chip_seed}"
    click.echo(f"trace of {trace.name} on {chip} ({trace.arithmetic}), backend {trace.backend}, seed {trace.seed}")
    seconds = trace.steps * trace.dt / 1000
    copies = f"; {trace.copies:,} copies" if trace.copies > 1 else ""
    end = "" if trace.complete else f"; INCOMPLETE: {trace.lacks}"
    if trace.resumable:
        end += f"; go on with {how_to_resume(trace.path)}"
    click.echo(f"{trace.steps:,} steps of {trace.dt:g} ms ({shown(seconds)} s){copies}{end}")
    if trace.complete:
        click.echo(f"took {duration(trace.build_s)} to build, {duration(trace.run_s)} to run")
        click.echo(f"digest {trace.digest}")
    if trace.integer:
        click.echo(f"version {trace.arithmetic_version} of the integer arithmetic")
    click.echo(", ".join(f"{name} {version}" for name, version in trace.versions.items()))
    echo_table(
        ("parameter of its own", "in the copies" if trace.copies > 1 else f"in copy {trace.copy}"),
        [[name, some([shown(value) for value in values.tolist()])] for name, values in trace.own_parameters.items()],
    )
    rows = []
    for name, size in trace.populations.items():
        count: Any = trace.spike_counts.get(name, "")
        rate = f"{trace.spike_counts[name] / (size * seconds):.4g} Hz" if seconds and size and count != "" else ""
        rows.append([name, size, count, rate, recorded_of(trace, name)])
    echo_table(("population", "neurons", "spikes", "mean rate", "spikes recorded"), rows)
    records = [(name, trace.record(name)) for name in trace.records]
    histories = [(name, trace.weight_history(name)) for name in trace.snapshots]
    echo_table(
        ("sampled", "samples", "elements", "unit"),
        [[name, len(s.steps), s.raw[0].size, s.unit] for name, s in (*records, *histories)],
    )
    echo_table(
        ("metric", "measured", "first", "last"),
        [[name, len(v), v[0][1], v[-1][1]] for name, v in trace.metrics.items() if v],
    )
    echo_table(("array", "stores out of range"), [[n, c] for n, c in trace.overflows.items() if c])
    if trace.final:
        click.echo(f"final values of {', '.join(trace.final)}")
    for text in trace.left_out():
        click.echo(f"note: {text}")
