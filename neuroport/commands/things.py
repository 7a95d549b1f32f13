"""What a NAME on the command line stands for: things of several kinds may have one name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroport.catalogue import ALL, Catalogue
from neuroport.catalogue.models import kinds
from neuroport.disk.paths import exists
from neuroport.errors import InvalidInput, Place
from neuroport.numerics.units import suggestion

KINDS = {
    "network": "networks",
    "neuron": "models",
    "synapse": "models",
    "model": "models",
    "chip": "chips",
    "dataset": "datasets",
    "metric": "metrics",
    "connection": "connections",
    "stimulus": "stimuli",
}
"""What a kind is called on the command line, and the catalogue that has things of it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that comes with neuroport: of a kind of KINDS, but never "model", with its name."""

    kind: str
    name: str

    @property
    def catalogue(self) -> Catalogue[Any]:
        """Where it is."""
        return ALL[KINDS[self.kind]]

    @property
    def what(self) -> str:
        """ "a synapse model"."""
        return f"a {self.kind} model" if self.kind in ("neuron", "synapse") else f"a {self.catalogue.each}"


def is_network(word: str) -> bool:
    """Whether a word names a network and not a kind: a file, or one that comes with neuroport."""
    return word not in KINDS and (word in ALL["networks"] or exists(Path(word)) or word.endswith((".yaml", ".yml")))


def things(name: str, kind: str = "") -> list[Thing]:
    """All things of that name; with a kind, only of it."""
    found = [word for word, of in KINDS.items() if word != "model" and name in ALL[of]]
    found = [word for word in found if KINDS[word] != "models" or kinds()[name] == word]
    wanted = (kind,) if kind != "model" else ("neuron", "synapse")
    return [Thing(word, name) for word in found if not kind or word in wanted]


def named(kind: str) -> list[str]:
    """The names of all things of a kind of KINDS."""
    of = KINDS[kind]
    return [name for name in ALL[of] if of != "models" or kind in ("model", kinds()[name])]


def nothing(name: str, kind: str) -> InvalidInput:
    """What to say of a name that stands for nothing, or for nothing of a kind."""
    if kind:
        each = f"{kind} model" if kind in ("neuron", "synapse") else ALL[KINDS[kind]].each
        others = ", ".join(thing.what for thing in things(name))
        hint = f"it is {others}; " if others else suggestion(name, named(kind))
        text = f"there is no {each} of that name; {hint}there are: {', '.join(named(kind))}"
        return InvalidInput.one(Place(name), text)
    every = list(dict.fromkeys(known for catalogue in ALL.values() for known in catalogue))
    text = (
        f"there is no such file, and nothing of that name comes with neuroport; {suggestion(name, every)}"
        f"`neuroport list {'|'.join(ALL)}` names what there is"
    )
    return InvalidInput.one(Place(name), text)


def told_apart(found: list[Thing]) -> str:
    """That a name has several things, and how to ask for each."""
    asked = [f"{thing.what} (neuroport show {thing.kind} {thing.name})" for thing in found]
    this = f"below is the {found[0].what.removeprefix('a ')}"
    return f"{found[0].name} is {', '.join(asked[:-1])} and {asked[-1]}; {this}"
