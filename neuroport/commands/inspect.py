"""neuroport check, show and list: look at networks, traces, chip instances and at what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import chip_options, duration, echo_json, echo_table, json_option, load_network, shown

if TYPE_CHECKING:
    from neuroport.network import Network
    from neuroport.trace import Trace


@click.command()
@click.argument("net", metavar="NET")
@chip_options
@json_option
@click.pass_context
def check(
    ctx: click.Context, net: str, chip: str | None, chip_seed: int | None, chip_instance: str | None, as_json: bool
) -> None:
    """Name every problem of a network at once, with file:line:column."""
    import neuroport
    from neuroport.errors import InvalidInput, NeuroportError, Problem

    problems: tuple[Problem, ...] = ()
    network: Network | None = None
    program: Any = None
    try:
        network = load_network(net)
        program = neuroport.compile(network, chip, chip_seed, chip_instance)
    except InvalidInput as error:
        if not as_json:
            raise
        problems = error.problems
    except NeuroportError as error:
        if not as_json:
            raise
        problems = tuple(Problem(None, line) for line in str(error).splitlines())
    if as_json:
        echo_json(
            {"ok": not problems, "network": network and network.name, "problems": [_problem(p) for p in problems]}
        )
    else:
        assert network is not None
        assert program is not None
        counts = f"{sum(p.size for p in program.populations):,} neurons, "
        counts += f"{sum(p.synapses for p in program.projections):,} synapses"
        click.echo(f"{network.name}: no problems on chip {program.chip}; {counts}")
    ctx.exit(2 if problems else 0)


def _problem(problem: Any) -> dict[str, Any]:
    place = problem.place
    return {
        "file": place.file if place else None,
        "line": place.line or None if place else None,
        "column": place.column or None if place else None,
        "text": problem.text,
    }


@click.command()
@click.argument("what", metavar="NET|FILE.h5|INSTANCE")
def show(what: str) -> None:
    """Tell what is in a network file, a trace or a chip instance.

    Of a trace whose run was killed, the parts (FILE.h5.part) are joined first.
    """
    from pathlib import Path

    from neuroport import instance as instances
    from neuroport import trace
    from neuroport.trace_write import parts_folder

    path = Path(what)
    if not path.exists() and parts_folder(path).is_dir():
        path = parts_folder(path)
    if path.is_dir() and path.suffix == ".part":
        from neuroport.trace_join import repair

        path = repair(path)
        click.echo(f"joined the parts of an interrupted run into {path}")
    if trace.is_trace(path):
        if instances.is_instance(path):
            click.echo("\n".join(instances.describe(instances.load(path))))
        else:
            _show_trace(trace.open_trace(path))
            if parts_folder(path).is_dir():
                click.echo(f"note: a later run that is going on or was cut off left its parts in {parts_folder(path)}")
    else:
        _show_network(load_network(what))


def _show_network(network: Network) -> None:
    from neuroport import units

    click.echo(f"{network.name}: {network.title}" if network.title else network.name)
    click.echo(f"dt {units.show(network.dt)}, seed {network.seed}, chip {network.chip}")
    echo_table(("population", "neurons", "model"), [[p.name, p.size, p.neuron.name] for p in network.populations])
    echo_table(
        ("projection", "from", "to", "model", "connections", "delay"),
        [
            [p.name, p.source, f"{p.target}.{p.input}", p.synapse.name, p.connect.kind, units.show(p.delay)]
            for p in network.projections
        ],
    )
    echo_table(
        ("stimulus", "kind", "to"),
        [[s.name, type(s).__name__, f"{s.population}.{s.input}"] for s in network.stimuli],
    )
    echo_table(("metric", "kind", "of"), [[m.name, m.kind, m.of] for m in network.metrics])
    recorded = [f"spikes of {name}" for name in network.record.spikes]
    recorded += [f"{r.of} every {units.show(r.every)}" for r in (*network.record.states, *network.record.weights)]
    click.echo(f"records {', '.join(recorded) or 'nothing'}")
    click.echo(f"protocol of {len(network.protocol)} items" if network.protocol else "no protocol")


def _show_trace(trace: Trace) -> None:
    chip = trace.chip if trace.chip_seed is None else f"{trace.chip}, chip seed {trace.chip_seed}"
    click.echo(f"trace of {trace.name} on {chip} ({trace.arithmetic}), backend {trace.backend}, seed {trace.seed}")
    seconds = trace.steps * trace.dt / 1000
    end = "" if trace.complete else "; INCOMPLETE: the run did not come to its end"
    click.echo(f"{trace.steps:,} steps of {trace.dt:g} ms ({shown(seconds)} s){end}")
    if trace.complete:
        click.echo(f"took {duration(trace.build_s)} to build, {duration(trace.run_s)} to run")
        click.echo(f"digest {trace.digest}")
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
        [[name, len(s.steps), s.raw.shape[1], s.unit] for name, s in (*records, *histories)],
    )
    echo_table(
        ("metric", "measured", "first", "last"),
        [[name, len(v), v[0][1], v[-1][1]] for name, v in trace.metrics.items() if v],
    )
    echo_table(("array", "stores out of range"), [[n, c] for n, c in trace.overflows.items() if c])
    if trace.final:
        click.echo(f"final values of {', '.join(trace.final)}")


@click.command("list")
@click.argument("what", type=click.Choice(("backends", "chips", "kernels", "networks")))
@json_option
def list_command(what: str, as_json: bool) -> None:
    """List what there is: backends, chips, kernels (models) or networks."""
    rows = {"backends": _backends, "chips": _chips, "kernels": _kernels, "networks": _networks}[what]()
    if as_json:
        echo_json({what: rows})
        return
    columns = list(rows[0]) if rows else []
    echo_table(columns, [[row[column] for column in columns] for row in rows])


def _backends() -> list[dict[str, Any]]:
    from neuroport import backends

    rows = []
    for name in backends.names():
        missing = backends.load(name).missing()
        rows.append({"name": name, "ready": missing is None, "missing": missing or ""})
    return rows


def _chips() -> list[dict[str, Any]]:
    from neuroport import chips

    loaded = [chips.load(name) for name in chips.names()]
    return [{"name": chip.name, "arithmetic": chip.arithmetic, "title": chip.title} for chip in loaded]


def _kernels() -> list[dict[str, Any]]:
    from neuroport import library

    return [{"name": name, "kind": kind, "title": title} for name, kind, title in library.names()]


def _networks() -> list[dict[str, Any]]:
    from neuroport import load, networks

    loaded = [(name, load(networks.path(name))) for name in networks.names()]
    return [{"name": name, "chip": network.chip, "title": network.title} for name, network in loaded]
