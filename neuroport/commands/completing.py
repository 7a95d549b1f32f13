"""What a shell offers where somebody presses tab: names that come with neuroport, files, and paths of --set.

click asks (its own completion for bash, zsh and fish; docs/cli.md has the line that switches it on). What a parameter
takes is known by its name or metavar, so that a new NET or FILE is completed as the others are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete, add_completion_class

if TYPE_CHECKING:
    from neuroport.network.network import Network

Offer = Callable[[click.Context, str], Iterable[CompletionItem]]
"""What to offer, given what stands on the line and the word that has begun."""
FILE = re.compile(r"(FILE|OUT|DATA)\b.*|[A-Z]+\.\w+")
"""The metavars of files."""
FREE = {
    "N",
    "SEEDS",
    "CONDITION",
    "TIME",
    "TIME|N",
    "SECONDS",
    "SIZE",
    "ADDRESS",
    "NAME",
    "[PROJECTION.]NAME=VALUE",
    "LIST",
    "WxH",
}
"""The metavars of which nobody knows what may stand there."""


class Completed(click.types.StringParamType):
    """A text for which a shell can offer something."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What to offer; nothing where that cannot be known, as nobody reads a message while he types."""
        try:
            return list(self.offer(ctx, incomplete))
        except Exception:  # a file that is being written may be wrong in any way
            return []


def complete(command: click.Command) -> None:
    """Let a command, and those below it, complete what their parameters take."""
    for parameter in command.params:
        offer = offered(parameter)
        if offer is not None and isinstance(parameter.type, click.types.StringParamType):
            parameter.type = Completed(offer)
    for inner in getattr(command, "commands", {}).values():
        complete(inner)


def offered(parameter: click.Parameter) -> Offer | None:
    """What to offer for a parameter, if anything."""
    by_name = OFFERS.get(f"{parameter.name}:")
    metavar = (parameter.metavar or "").rstrip(".…")
    own = networks if metavar.startswith("NET") else files if FILE.fullmatch(metavar) else None
    return by_name or OFFERS.get(metavar) or own


# ------------------------------------------------------------------------------------------------------------- offers


def files(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """Files, which the shell itself knows best."""
    yield CompletionItem(word, type="file")


def folders(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """Folders."""
    yield CompletionItem(word, type="dir")


def networks(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """Files, and networks that come with neuroport; without their titles, for which all would have to be read."""
    from neuroport.networks import names

    yield from files(ctx, word)  # first, because bash's script begins anew with it
    yield from _beginning(dict.fromkeys(names(), ""), word)


def chips(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """Files, and chips that come with neuroport."""
    yield from files(ctx, word)
    yield from _of_catalogue("chips", word)


def backends(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """What executes networks, plug-ins too; for a run also that it be chosen."""
    from neuroport import backends as table

    more = [table.AUTO] if ctx.command.name == "run" else []
    yield from _beginning(dict.fromkeys([*table.names(), *more], ""), word)


def shown(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """What `show` takes: a name of anything and files, after a KIND names of that only, and what a NET has."""
    from neuroport.catalogue import ALL
    from neuroport.commands.common import load_network
    from neuroport.commands.things import KINDS, is_network, named
    from neuroport.networks import names

    before = ctx.params.get("words") or ()
    if before and is_network(before[0]):
        network = load_network(before[0])
        of_models = {p.name: p.neuron.title for p in network.populations}
        of_models |= {p.name: p.synapse.title for p in network.projections}
        yield from _beginning(of_models, word)
        return
    if before and before[0] in KINDS:
        yield from _beginning({name: ALL[KINDS[before[0]]].titles[name] for name in named(before[0])}, word)
        return
    titles = {what: catalogue.titles for what, catalogue in ALL.items() if what != "networks"}
    every = dict.fromkeys(names(), "") | dict.fromkeys(KINDS, "for a name that several things have")
    yield from files(ctx, word)
    yield from _beginning(every | {name: title for of in titles.values() for name, title in of.items()}, word)


def kinds(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """What deviates between circuits of the network's models."""
    network = _network(ctx)
    yield from _beginning({f"{kind}=": "" for kind in network.kinds} if network else {}, word)


def settings(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """Paths of --set in the network that stands on the line: a part at a time."""
    network = _network(ctx)
    if network is None or "=" in word:
        return
    from neuroport.commands.paths import paths

    known = word.count(".") + 1
    offered = dict[str, str]()
    for path, what in paths(network):
        parts = path.split(".")
        begun = ".".join(parts[:known])
        if len(parts) > known:
            offered[f"{begun}."] = f"what {begun} has"
        else:
            offered[f"{begun}="] = what
    yield from _beginning(offered, word)


def panels(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """What a picture can have, in a list with commas."""
    from neuroport.trace.pictures.view import PANELS

    yield from _listed(PANELS, word)


def populations(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """The populations of the traces that stand on the line, in a list with commas."""
    from neuroport.trace.read import open_trace

    traces = [open_trace(path) for path in ctx.params.get("traces") or ctx.args]
    yield from _listed({name: "" for trace in traces for name in trace.populations}, word)


def styles(ctx: click.Context, word: str) -> Iterator[CompletionItem]:
    """Those styles of pictures that are not matplotlib's."""
    yield from _beginning({"light": "", "dark": ""}, word)


def _listed(choices: Mapping[str, str], word: str) -> Iterator[CompletionItem]:
    """What may come next in a list with commas."""
    before, comma, _ = word.rpartition(",")
    left = {name: what for name, what in choices.items() if name not in before.split(",")}
    yield from _beginning({f"{before}{comma}{name}": what for name, what in left.items()}, word)


def _network(ctx: click.Context) -> Network | None:
    """The network that stands on the line, without what --set says there."""
    from neuroport.commands.common import load_network

    given = ctx.params.get("net") or ctx.params.get("nets") or ctx.params.get("source")
    words = [*(given if isinstance(given, tuple) else [given]), *ctx.args]  # not read where an option lacks its value
    name = next((word for word in words if word), None)
    return load_network(name) if name else None


def _of_catalogue(what: str, word: str) -> Iterator[CompletionItem]:
    from neuroport.catalogue import ALL

    yield from _beginning(ALL[what].titles, word)


def _beginning(choices: Mapping[str, str], word: str) -> Iterator[CompletionItem]:
    """Those choices that begin like a word, with what they are."""
    for name, what in choices.items():
        if name.startswith(word):
            yield CompletionItem(name, help=what or None)


OFFERS: dict[str, Offer] = {
    "backend:": backends,
    "against:": backends,
    "panels:": panels,
    "populations:": populations,
    "style:": styles,
    "CHIP": chips,
    "FOLDER": folders,
    "KIND=SIGMA": kinds,
    "PATH=VALUE": settings,
    "PATH=VALUES": settings,
    "[KIND|NET] NAME|FILE": shown,
}
"""The name of a parameter with a colon, or its metavar, and what to offer for it."""


# ------------------------------------------------------------------------------------------------------------- shells


class Bash(BashComplete):
    """As click's; what ends in . or = goes on, so that no space follows it."""

    source_template = BashComplete.source_template.replace(
        "    return 0\n", "    [[ ${COMPREPLY[*]} == *[.=] ]] && compopt -o nospace\n\n    return 0\n", 1
    )


class Zsh(ZshComplete):
    """As click's; what ends in . or = goes on, so that no space follows it."""

    source_template = ZshComplete.source_template.replace(
        "        _describe -V unsorted completions_with_descriptions -U\n",
        "        local -a further\n"
        "        further=(${(M)completions_with_descriptions:#*[.=]:*})\n"
        "        completions_with_descriptions=(${completions_with_descriptions:#*[.=]:*})\n"
        "        _describe -V unsorted further -U -S ''\n"
        "        _describe -V unsorted completions_with_descriptions -U\n",
        1,
    )


class Fish(FishComplete):
    """Its own script, as that of click 8.4.0 and 8.4.1 offers nothing; fish puts no space after . and = by itself."""

    source_template = """\
function %(complete_func)s
    set -l words (commandline -cp)
    set -l word (commandline -t)
    set -l offered (env %(complete_var)s=fish_complete COMP_WORDS="$words" COMP_CWORD="$word" %(prog_name)s)
    for one in $offered
        set -l parts (string split -m 1 , -- $one)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

    def format_completion(self, item: CompletionItem) -> str:
        """A line that the script reads."""
        said = f"{item.type},{item.value}"
        return f"{said}\t{item.help}" if item.help else said


def prepare(root: click.Command) -> None:
    """Let all commands complete what they take, and the scripts of shells be these."""
    complete(root)
    add_completion_class(Bash)
    add_completion_class(Zsh)
    add_completion_class(Fish)
