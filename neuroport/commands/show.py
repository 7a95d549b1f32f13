"""neuroport show: what is in a network, a trace, a chip or a chip instance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import duration, echo_notices, echo_table, find_network, read_seed, shown
from neuroport.disk.paths import exists
from neuroport.errors import InvalidInput, Place

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip
    from neuroport.network.network import Network
    from neuroport.trace.read import Trace


@click.command(short_help="Tell what is in a network, a trace, a chip or a chip instance.")
@click.argument("what", metavar="NET|FILE.h5|CHIP")
@click.option("--chip-seed", callback=read_seed, metavar="N", help="Of a chip: the specimen that this seed stands for.")
@click.option("-o", "--output", metavar="INSTANCE.h5", help="Write that specimen, for --chip-instance.")
@click.option("--overwrite", is_flag=True, help="Replace an existing INSTANCE.h5.")
def show(what: str, chip_seed: int | None, output: str | None, overwrite: bool) -> None:
    """Tell what is in a network, a trace, a chip or a chip instance.

    CHIP is the name of a chip (neuroport list chips) or a description that ends in .yaml. Of a trace whose run was
    killed, the parts (FILE.h5.part) are joined first.
    """
    from neuroport.chips import description as chips
    from neuroport.trace import read as trace
    from neuroport.trace.segments import parts_folder

    path = Path(what)
    if not exists(path) and os.path.isdir(parts_folder(path)):
        path = parts_folder(path)
    binary = os.path.isdir(path) or trace.is_trace(path)
    if not binary and (chips.is_description(path) if exists(path) else what in chips.names()):
        _chip(chips.load(path if exists(path) else what), chip_seed, output, overwrite)
        return
    if chip_seed is not None or output is not None or overwrite:
        raise InvalidInput.one(
            None, f"--chip-seed, -o and --overwrite go with a chip, and '{what}' is none; {_listed('chips')}"
        )
    if binary:
        _file(path)
    else:
        _show_network(_network(what))


def _listed(what: str) -> str:
    from neuroport import networks
    from neuroport.chips import description as chips

    names = chips.names() if what == "chips" else networks.names()
    return f"{what} are {', '.join(names)}"


def _network(what: str) -> Network:
    import neuroport
    from neuroport import networks

    path = Path(what)
    is_name = len(path.parts) == 1 and path.suffix not in (".yaml", ".yml")
    if is_name and not exists(path) and what not in networks.names():
        text = (
            "there is no such file, network or chip; show takes a network file, a trace, a chip description, a chip "
            f"instance, or a name: {_listed('networks')}; {_listed('chips')}"
        )
        raise InvalidInput.one(Place(what), text)
    return neuroport.load(find_network(what))


def _chip(chip: Chip, seed: int | None, output: str | None, overwrite: bool) -> None:
    from neuroport.api.compile import manufactured
    from neuroport.chips import instance as instances
    from neuroport.disk.output import HDF5, check_output

    if seed is None:
        if output is not None:
            raise InvalidInput.one(None, "-o writes a specimen of the chip; say which one with --chip-seed N")
        _show_chip(chip)
        return
    specimen = manufactured(chip, seed)
    if output is not None:
        check_output(output, overwrite, "a chip instance", HDF5)
        instances.save(specimen, output, overwrite=overwrite)
    click.echo("\n".join(instances.describe(specimen)))
    if output is not None:
        click.echo(f"written to {output}")


def _file(path: Path) -> None:
    """Show a trace, the parts of one, or a chip instance."""
    from neuroport.chips import instance as instances
    from neuroport.trace import read as trace
    from neuroport.trace.segments import parts_folder

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


def _show_chip(chip: Chip) -> None:
    click.echo(f"{chip.name}: {chip.title}" if chip.title else chip.name)
    if chip.source:
        click.echo(f"source: {chip.source}")
    if not chip.integer:
        click.echo(f"arithmetic {chip.arithmetic}; no words, no rounding")
    else:
        click.echo("arithmetic integer")
        words = [
            [kind, w.bits, w.rounding, w.overflow, w.sign.replace("_", " "), w.min_step, w.distance_bits or "-"]
            for kind, w in chip.words
        ]
        echo_table(("class", "bits", "rounding", "out of range", "sign", "min step", "distance bits"), words)
        if chip.limits.functions != ():
            click.echo(f"tables of functions: {shown(chip.table_intervals)} intervals, {chip.table_bits} bits")
    limits = chip.limits
    numbers = [
        ("cores", limits.cores),
        ("neurons per core", limits.neurons_per_core),
        ("synapses per core", limits.synapses_per_core),
        ("axonal delay, steps", limits.max_axonal_delay),
        ("dendritic delay, steps", limits.max_dendritic_delay),
        ("refractory time, steps", limits.max_refractory),
        ("plastic synapses", limits.plasticity),
        ("sends without spikes", limits.graded),
        ("neuron models", "any" if limits.models is None else ", ".join(limits.models)),
        ("functions", "any" if limits.functions is None else ", ".join(limits.functions) or "none"),
    ]
    echo_table(("limit", "value"), [[name, "none" if value is None else shown(value)] for name, value in numbers])
    if chip.mismatch:
        rows = [[k, d.distribution if d.sigma else "-", d.sigma, d.steps] for k, d in chip.mismatch]
        echo_table(("deviating kind", "distribution", "sigma", "steps"), rows)
    else:
        click.echo("nothing deviates: every circuit is as designed")


def _show_network(network: Network) -> None:
    from neuroport import connections
    from neuroport.numerics import units

    echo_notices(network)
    click.echo(f"{network.name}: {network.title}" if network.title else network.name)
    click.echo(f"dt {units.show(network.dt)}, seed {network.seed}, chip {network.chip}")
    echo_table(("population", "neurons", "model"), [[p.name, p.size, p.neuron.name] for p in network.populations])
    echo_table(
        ("projection", "from", "to", "model", "connections", "delay"),
        [
            [p.name, p.source, f"{p.target}.{p.input}", p.synapse.name, connections.key(p.connect), units.show(p.delay)]
            for p in network.projections
        ],
    )
    echo_table(
        ("stimulus", "kind", "to"),
        [[s.name, type(s).__name__, f"{s.population}.{s.input}"] for s in network.stimuli],
    )
    echo_table(("port", "direction", "of"), [[p.name, p.direction, p.target] for p in network.ports])
    echo_table(("metric", "kind", "of"), [[m.name, m.kind, m.of] for m in network.metrics])
    without = "; no synapses" if network.record.topology == "none" else ""
    recorded = [f"spikes of {name}" for name in network.record.spikes]
    recorded += [f"{r.of} every {units.show(r.every)}" for r in (*network.record.states, *network.record.weights)]
    click.echo(f"records {', '.join(recorded) or 'nothing'}{without}")
    click.echo(f"protocol of {len(network.protocol)} items" if network.protocol else "no protocol")


def _show_trace(trace: Trace) -> None:
    from neuroport.trace.segments import how_to_resume

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
    rows = []
    for name, size in trace.populations.items():
        count: Any = trace.spike_counts.get(name, "")
        rate = f"{trace.spike_counts[name] / (size * seconds):.4g} Hz" if seconds and size and count != "" else ""
        rows.append([name, size, count, rate, "yes" if name in trace.recorded else "no"])
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
