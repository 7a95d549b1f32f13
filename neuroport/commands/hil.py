"""neuroport hil: the emulated chip in the loop of a host that speaks to it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from neuroport.commands.common import (
    echo_json,
    echo_table,
    find_network,
    json_option,
    load_network,
    memory_option,
    read_seed,
    set_option,
)
from neuroport.commands.stopping import handled
from neuroport.errors import InvalidInput, Place, Unsupported

CUT_OFF = 3
"""What `hil replay` ends with where all is identical in a record that was cut off."""


@click.group(name="hil", short_help="Serve the emulated chip to a host that is in the loop with it.")
def hil() -> None:
    """The emulated chip in the loop of a host that speaks to it (docs/hil.md)."""


@hil.command(short_help="Serve sessions of networks.")
@click.argument("nets", nargs=-1, required=True, metavar="NET...")
@click.option(
    "--at",
    "address",
    default="tcp://127.0.0.1:5555",
    show_default=True,
    metavar="ADDRESS",
    help="tcp://HOST:PORT or ipc:///PATH for ZeroMQ, plain://HOST:PORT or unix:///PATH for plain sockets.",
)
@click.option("--keys", metavar="FOLDER", help="Encrypt, and let in the clients that FOLDER lists (hil keys).")
@click.option("--chip", metavar="CHIP", help="A chip's name or description file [default: the network's].")
@click.option("--chip-seed", callback=read_seed, metavar="N", help="Manufacture a deviating chip from this seed.")
@click.option("--seed", callback=read_seed, metavar="N", help="Seed of the runs [default: the network's].")
@click.option("--backend", default="emulator", show_default=True, help="What executes the network.")
@click.option("--link", metavar="FILE", help="A link file: latency, jitter, losses, bandwidth.")
@click.option("--keep", metavar="TIME", help="How long spikes and records stay readable [default: all].")
@click.option(
    "--pace",
    type=click.Choice(["free", "locked", "real_time"]),
    default="free",
    show_default=True,
    help="As fast as asked; no step before its time; or also while the host says nothing.",
)
@click.option(
    "--rate",
    type=click.FloatRange(1e-6, 1e6),
    default=1.0,
    show_default=True,
    help="Seconds of the network in one of the clock.",
)
@click.option(
    "--late",
    type=click.Choice(["slip", "stop"]),
    default="slip",
    show_default=True,
    help="What a step that is done late lets the clock, or the session, do.",
)
@click.option("--record", metavar="FILE.hil", help="Write down what happens, for `hil replay`; a file per session.")
@click.option("--save", metavar="FOLDER", help="Save a session whose host is gone without a word, as a checkpoint.")
@click.option("--sessions", type=click.IntRange(1, 1000), default=16, show_default=True, help="How many at once.")
@click.option(
    "--idle",
    type=click.FloatRange(0.1, 1e6),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="A session ends when its host is not heard for so long.",
)
@memory_option
@set_option
def serve(nets: tuple[str, ...], address: str, keys: str | None, sets: tuple[str, ...], **options: Any) -> None:
    """Serve sessions of networks, each in a process of its own, until Ctrl-C.

    What listens beyond this machine needs keys. Whoever reaches it runs networks that you chose on this machine, and
    nothing else.
    """
    from neuroport.hil.address import parsed
    from neuroport.hil.endpoints import require
    from neuroport.hil.server import Server

    where = parsed(address)
    require(where)
    offer = _offer(nets, sets, None if keys is None else Path(keys), options)
    with Server(where, offer) as server, handled(lambda *_: server.end()):
        click.echo(f"emulator: {', '.join(offer.networks)} at {server.address}")
        server.serve()


def _offer(nets: tuple[str, ...], sets: tuple[str, ...], keys: Path | None, options: dict[str, Any]) -> Any:
    """What is served; every network, link and chip is read before anything listens."""
    from neuroport import backends
    from neuroport.api.compile import specimen
    from neuroport.hil import link, record
    from neuroport.hil.limits import Limits
    from neuroport.hil.paced import Pace
    from neuroport.hil.server import Offer
    from neuroport.session.kept import kept_steps
    from neuroport.yaml.nodes import read_bytes

    if options["record"] is not None:
        record.check(options["record"])
    if options["save"] is not None and not Path(options["save"]).is_dir():
        text = "--save takes a folder that is there; create it, or give another one"
        raise InvalidInput.one(Place(options["save"]), text)
    loaded = backends.load(options["backend"])
    if missing := loaded.missing():
        raise Unsupported(f"backend '{loaded.name}': {missing}")
    networks = {}
    link_text = None if options["link"] is None else read_bytes(Path(options["link"]), options["link"])
    for net in nets:
        network = load_network(net, sets)
        specimen(network, options["chip"])
        if options["keep"] is not None:
            kept_steps(options["keep"], network.dt)
        networks[network.name] = find_network(net).resolve()
        if link_text is not None:
            link.read(link_text, options["link"], network.dt)
    given = {key: options[key] for key in ("chip", "chip_seed", "seed", "backend", "keep")}
    return Offer(
        networks=networks,
        sets=sets,
        defaults={key: value for key, value in given.items() if value is not None},
        link=None if link_text is None else (link_text.decode(), options["link"]),
        keys=keys,
        pace=Pace(mode=options["pace"], rate=options["rate"], late=options["late"]),
        save=None if options["save"] is None else Path(options["save"]).absolute(),
        record=None if options["record"] is None else Path(options["record"]).absolute(),
        limits=Limits(sessions=options["sessions"], idle_s=options["idle"]),
    )


@hil.command(short_help="Make keys for a server and its clients.")
@click.argument("folder", metavar="FOLDER")
@click.option("--client", "clients", multiple=True, metavar="NAME", help="A client to make keys for [default: client].")
def keys(folder: str, clients: tuple[str, ...]) -> None:
    """Make the keys of a server in FOLDER, where it has none yet, and those of clients.

    A client gets server.key and its own NAME.key_secret; nothing else leaves FOLDER.
    """
    from neuroport.hil import keys as made
    from neuroport.hil.address import Address
    from neuroport.hil.endpoints import require

    require(Address("tcp"))
    for path in made.make(Path(folder), list(clients or ("client",))):
        click.echo(str(path))


@hil.command(short_help="Do what a record says again, and compare.")
@click.argument("file", metavar="FILE.hil")
@click.option("--backend", metavar="NAME", help="What executes it [default: what did].")
@click.option("--trace", metavar="OUT.h5", help="Write a trace: spikes as SONATA has them, and what was recorded.")
@json_option
@click.pass_context
def replay(context: click.Context, file: str, backend: str | None, trace: str | None, as_json: bool) -> None:
    """Do every message of a record again and compare the replies, bit for bit; the first difference ends it.

    Exit code 1 where there is one; 3 where all that is there is identical, but the record was cut off before its end.
    """
    from neuroport.hil import record
    from neuroport.hil.address import Address
    from neuroport.hil.endpoints import require
    from neuroport.hil.replay import replay as replayed

    require(Address("plain"))
    found = record.read(file)
    outcome = replayed(found, backend, trace)
    cut_off = found.digest is None
    done = f"{outcome.messages:,} messages, {outcome.steps:,} steps, {outcome.digest}"
    if as_json:
        echo_json(asdict(outcome) | {"cut_off": cut_off})
    elif outcome.difference:
        click.echo(f"emulator: another reply: {outcome.difference}")
    elif cut_off:
        click.echo(f"emulator: identical as far as it goes: {done}; the record was cut off, and its end is not known")
    else:
        click.echo(f"emulator: identical: {done}")
    context.exit(1 if outcome.difference else CUT_OFF if cut_off else 0)


@hil.command(short_help="Measure what an exchange costs.")
@click.option("--net", "nets", multiple=True, metavar="NET", help="A network [default: sal_pair and sal_sampling].")
@click.option("--backend", default="emulator", show_default=True, metavar="NAME", help="What executes it.")
@click.option("--messages", type=click.IntRange(10, 10**6), default=500, show_default=True, help="In each block.")
@click.option("--blocks", type=click.IntRange(1, 1000), default=7, show_default=True, help="Of each kind, in turn.")
@json_option
def bench(nets: tuple[str, ...], backend: str, messages: int, blocks: int, as_json: bool) -> None:
    """Measure an echo, an echo of msgpack, and exchanges of 1, 10 and 100 steps, in one run, over every transport.

    Blocks of each kind come in turn, so that whatever else the machine does meets all alike; each number is the median
    of the medians of its blocks, in microseconds. `x echo` is their ratio to the plain echo; `here` the same exchange
    in a session of this process.
    """
    from neuroport.hil.bench import measure
    from neuroport.hil.endpoints import require

    require()
    rows = []
    for net in nets or ("sal_pair", "sal_sampling"):
        network = load_network(net)
        rows += [row | {"network": network.name} for row in measure(find_network(net), backend, messages, blocks)]
    if as_json:
        echo_json({"emulator": True, "rows": rows})
        return
    columns = ["network", "transport", "what", "us", "x echo", "here us"]
    echo_table(
        columns, [[row[key] for key in ("network", "transport", "what", "us", "ratio", "here_us")] for row in rows]
    )
