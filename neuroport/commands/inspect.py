"""neuroport check and list: what is wrong with a network, and what is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import (
    chip_options,
    chosen_chip,
    echo_json,
    echo_notices,
    echo_table,
    json_option,
    load_network,
    set_option,
)
from neuroport.commands.notices import strict_option

if TYPE_CHECKING:
    from neuroport.network.network import Network


@click.command(short_help="Name every problem of a network, and what its chip changes.")
@click.argument("net", metavar="NET")
@chip_options
@set_option
@strict_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    net: str,
    chip: str | None,
    mismatch: tuple[str, ...],
    chip_seed: int | None,
    chip_instance: str | None,
    sets: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Name every problem of a network at once, with file:line:column, and tell what the chip changes."""
    import neuroport
    from neuroport.commands import notices
    from neuroport.errors import InvalidInput, NeuroportError, Problem

    problems: tuple[Problem, ...] = ()
    network: Network | None = None
    program: Any = None
    try:
        network = load_network(net, sets)
        echo_notices(network)
        deviating = chosen_chip(network, chip, mismatch, chip_instance, chip_seed is not None)
        program = neuroport.compile(network, deviating, chip_seed, chip_instance)
        notices.tell(program, net, strict)
        notices.tell_ends(program)
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
            {
                "ok": not problems,
                "network": network and network.name,
                "problems": [_problem(p) for p in problems],
                "notices": notices.as_json(program),
            }
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


LISTED = ("models", "chips", "networks", "datasets", "metrics", "connections", "stimuli", "backends")


@click.command("list", short_help="List models, chips, networks, …: a line for each.")
@click.argument("what", type=click.Choice(LISTED))
@json_option
def list_command(what: str, as_json: bool) -> None:
    """List what there is, a line for each; `neuroport show NAME` tells more."""
    rows = _backends() if what == "backends" else _of_catalogue(what)
    if as_json:
        echo_json({what: rows})
        return
    columns = list(rows[0]) if rows else []
    echo_table(columns, [[row[column] for column in columns] for row in rows])


def _backends() -> list[dict[str, Any]]:
    from neuroport import backends

    rows = []
    for name in backends.names():
        missing = backends.missing(name)
        rows.append({"name": name, "ready": missing is None, "missing": missing or ""})
    return rows


def _of_catalogue(what: str) -> list[dict[str, Any]]:
    """What there is of one kind, with what tells most beside its title."""
    from neuroport.catalogue import ALL
    from neuroport.catalogue.chips import arithmetics
    from neuroport.catalogue.models import kinds
    from neuroport.catalogue.networks import chips

    more: dict[str, tuple[str, Callable[[], Mapping[str, str]]]] = {
        "models": ("kind", kinds),
        "chips": ("arithmetic", arithmetics),
        "networks": ("chip", chips),
    }
    if what not in more:
        return [{"name": name, "title": title} for name, title in ALL[what].titles.items()]
    column, values = more[what][0], more[what][1]()
    return [{"name": name, column: values[name], "title": title} for name, title in ALL[what].titles.items()]
