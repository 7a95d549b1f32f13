"""What several commands share: finding the network, common options, output as JSON and as tables."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from neuroport.commands.spread import Spread
from neuroport.disk.paths import exists
from neuroport.errors import InvalidInput, Place
from neuroport.pages.plain import aligned, numeric
from neuroport.pages.plain import shown as shown

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip
    from neuroport.network.network import Network
    from neuroport.sweeps.planned import Planned

F = TypeVar("F", bound=Callable[..., Any])


def read_seed(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """The seed that the text of an option says, as a callback; InvalidInput for what is none."""
    return None if text is None else _seed(text, option.opts[0])


def read_seeds(context: click.Context, option: click.Parameter, text: str | None) -> int | range | None:
    """The seed that "N" says, or those of "FIRST:END" (END is not one), as a callback; InvalidInput for other texts."""
    if text is None or ":" not in text:
        return read_seed(context, option, text)
    name, (first, end) = option.opts[0], text.split(":", 1)
    seeds = range(_seed(first, f"FIRST in {name} FIRST:END"), _seed(end, f"END in {name} FIRST:END"))
    if not seeds:
        say = f"{name} {text} has no seed in it, as END is not one; give an END above FIRST, such as 0:10"
        raise InvalidInput.one(None, say)
    return seeds


def _seed(text: str, what: str) -> int:
    from neuroport.numerics.given import checked_seed

    try:
        seed: int | str = int(text)
    except ValueError:
        seed = text
    return checked_seed(seed, what)


def chip_options(function: F) -> F:
    """--chip, --chip-seed, --chip-instance: which arithmetic, on which specimen of the chip."""
    function = click.option("--chip-instance", metavar="FILE", help="Use the manufactured chip stored in this file.")(
        function
    )
    function = click.option(
        "--chip-seed", callback=read_seed, metavar="N", help="Manufacture a deviating chip from this seed."
    )(function)
    function = mismatch_option(function)
    return click.option("--chip", metavar="CHIP", help="A chip's name or description file [default: the network's].")(
        function
    )


def mismatch_option(function: F) -> F:
    """--mismatch KIND=SIGMA, any number of times."""
    return click.option(
        "--mismatch",
        multiple=True,
        metavar="KIND=SIGMA",
        help="Let the chip's circuits deviate, e.g. weight=10% or duration='1 step'; with --chip-seed.",
    )(function)


def chosen_chip(
    network: Network, chip: str | None, mismatch: Sequence[str], instance: str | None, seeded: bool
) -> str | Chip | None:
    """What --chip names, with the deviations of --mismatch. `seeded`: --chip-seed says on which specimen."""
    if not mismatch:
        return chip
    if instance is not None:
        raise click.UsageError("--chip-instance is one specimen with its own deviations; leave --mismatch out.")
    from neuroport.api.compile import specimen
    from neuroport.chips.mismatch import deviating

    chosen = deviating(specimen(network, chip)[0], network.kinds, mismatch)
    if not seeded:
        text = "note: without --chip-seed every circuit is as designed; --chip-seed N takes a specimen that deviates"
        click.echo(text, err=True)
    return chosen


def device_option(function: F) -> F:
    """--device: what a backend that has the choice runs on."""
    return click.option(
        "--device",
        type=click.Choice(["cpu", "cuda", "hip"]),
        help="What genn runs on [default: a CUDA GPU if there is one for it, else cpu].",
    )(function)


def genn_option(function: F) -> F:
    """--genn NAME=VALUE, any number of times."""
    return click.option(
        "--genn",
        multiple=True,
        metavar="[PROJECTION.]NAME=VALUE",
        help="What genn does on a GPU: parallelism=auto|post|pre[:T], also for one projection.",
    )(function)


def memory_option(function: F) -> F:
    """--memory SIZE: how much memory may be taken, instead of what this machine has."""
    return click.option(
        "--memory",
        callback=_allow,
        expose_value=False,
        metavar="SIZE",
        help="Refuse what takes more memory, '40GiB' [default: what this machine has].",
    )(function)


def _allow(context: click.Context, option: click.Parameter, text: str | None) -> None:
    """Let so much memory be taken while the command runs, also by processes that it begins."""
    from neuroport.program import room

    if text is not None:
        room.read(text, option.opts[0])
        context.with_resource(room.allowing(text))


def set_option(function: F) -> F:
    """--set PATH=VALUE, any number of times."""
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="PATH=VALUE",
        help="Change the network, e.g. units.tau='20 ms' or seed=3.",
    )(function)


def json_option(function: F) -> F:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def milliseconds(text: str | None, dt: float, option: str) -> float | None:
    """Milliseconds of a time given on the command line."""
    from neuroport.numerics import steps

    return None if text is None else steps.milliseconds(text, dt, option)


def find_network(name: str) -> Path:
    """The file behind NET: a path, or the name of a shipped network."""
    if not name:
        raise InvalidInput.one(None, "the name of the network is empty; give a network file, or a name")
    path = Path(name)
    if exists(path):
        return path
    import neuroport.networks as networks

    if path.suffix in (".yaml", ".yml"):
        for known in networks.names():
            if known.rpartition("/")[2] == path.stem:
                text = f"there is no such file; '{known}' comes with neuroport, and its name alone finds it"
                raise InvalidInput.one(Place(name), text)
        return path
    if name in networks.names():
        return networks.path(name)
    if len(path.parts) > 1 and not any(known.startswith(f"{path.parent.as_posix()}/") for known in networks.names()):
        return path
    from neuroport.numerics.units import suggestion

    names = networks.names()
    alike = suggestion(path.name, [known.rpartition("/")[2] for known in names])  # a folder in common is no likeness
    known, near = ", ".join(names), suggestion(name, list(names)) if alike else ""
    text = f"there is no such file, and no network of that name comes with neuroport; {near}there are: {known}"
    raise InvalidInput.one(Place(name), text)


def load_network(name: str, sets: Sequence[str] = ()) -> Network:
    """Read NET with the changes of --set."""
    import neuroport

    return neuroport.load(find_network(name), sets)


def echo_notices(network: Network | Planned) -> None:
    """Tell on stderr what users of the models of a network, or of those of a sweep, must be told, each text once."""
    for text, models in network.notices.items():
        click.echo(f"notice: {', '.join(models)}: {text}", err=True)


def echo_json(value: Any) -> None:
    """Print a value as one JSON object; numbers that JSON does not have become null."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Nested containers of strings, ints, finite floats and None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Spread):
        return plain(value.as_dict())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """A table: with lines and bold heads on a terminal, tab-free aligned text otherwise.

    Numbers stand right; "-" is the absence of one.
    """
    if not rows:
        return
    cells = [[shown(cell) for cell in row] for row in rows]
    right = numeric(rows, (int, float, Spread))
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title or None, title_justify="left", title_style="bold")
        for column, is_number in zip(columns, right, strict=True):
            table.add_column(column, justify="right" if is_number else "left", overflow="fold")
        for row in cells:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    if title:
        click.echo(title)
    for line in aligned(columns, cells, right):
        click.echo(line)


def duration(seconds: float) -> str:
    """A time span for people."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24 * 365 * 2:
        return f"{hours / (24 * 365.25):,.0f} years"
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
