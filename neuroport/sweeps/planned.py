"""What a sweep is going to run: every point with its network and chip, read and checked before anything runs."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from neuroport import backends
from neuroport.api.compile import specimen
from neuroport.api.run import to_run
from neuroport.chips import description
from neuroport.chips.chip import Chip
from neuroport.chips.mismatch import deviates
from neuroport.errors import InvalidInput, Place, Problem, Unsupported
from neuroport.network.network import Network, shares
from neuroport.numerics.units import suggestion
from neuroport.sweeps.asked import Asked, Condition
from neuroport.sweeps.grid import Axis, Point, faults, settings, values_of
from neuroport.sweeps.identity import fingerprint, of_network, point_id

HELD = 2**28
"""Bytes of networks that are kept from when they were checked until they run; further ones are read again."""
SETTING = "--set "
"""How the place of a setting begins that is in no file."""
SHOWN = 5
"""So many combinations of settings with problems are told; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Job:
    """A point that is to be run: its id, the number of its network, its chip, and its seed."""

    id: str
    point: Point
    network: int
    chip: Chip


@dataclass(slots=True)
class Planned:
    """All points of a sweep in the order of its grid, and its networks by their numbers.

    `name`: of the network. `settings`, `prints`, `chips`: of each network what was set, its fingerprint, and the chip
    that it names. `notices`: what users of their models must be told. `notes`: what a person should know of the grid.
    """

    asked: Asked
    name: str = ""
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    settings: list[tuple[tuple[str, object], ...]] = field(default_factory=list)
    prints: list[str] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _held: list[bytes | None] = field(default_factory=list)
    _size: int = 0

    def add(self, chosen: tuple[tuple[str, object], ...], network: Network) -> None:
        """Take a network with its settings."""
        held = pickle.dumps(_anywhere(network))
        self._size += len(held)
        self.name = self.name or network.name
        self.notices |= network.notices
        self.settings.append(chosen)
        self.prints.append(of_network(network))
        self.chips.append(specimen(network)[0])
        self._held.append(held if self._size <= HELD else None)

    def pickled(self, number: int) -> bytes:
        """A network by its number, as bytes. InvalidInput where its file has changed since it was checked."""
        held = self._held[number]
        if held is not None:
            return held
        network = to_run(self.asked.source.load(self.settings[number]), self.asked.duration)
        if of_network(network) != self.prints[number]:
            text = "has changed since the sweep began; start the sweep again, and points of the new network are run"
            raise InvalidInput.one(Place(self.asked.source.name), text)
        return pickle.dumps(_anywhere(network))


def _anywhere(network: Network) -> Network:
    """The network as other processes can take it, whatever folder they are in."""
    return replace(network, folder=os.path.abspath(network.folder))


def planned(asked: Asked) -> Planned:
    """Read and check a sweep. InvalidInput has all problems: those of every network, chip and condition."""
    problems = list(faults(asked.axes))
    if problems:
        raise InvalidInput(problems)
    problems += _of_backend(asked)
    chips = _named_chips(asked.axes, problems)
    made = Planned(asked)
    more = _read(made, problems)
    own = [] if chips else made.chips
    problems += _of_chip_seeds(asked.axes, [*chips.values(), *own])
    if problems:
        raise InvalidInput([*sorted(dict.fromkeys(problems), key=_order), *more])
    made.jobs += _jobs(made, chips)
    return made


def _order(problem: Problem) -> tuple[str, int, int]:
    """As in the file; what has no place comes first."""
    place = problem.place or Place("")
    return place.file, place.line, place.column


def _of_backend(asked: Asked) -> Iterator[Problem]:
    try:
        missing = backends.load(asked.backend).missing()
    except Unsupported as error:
        yield Problem(None, str(error))
        return
    if missing:
        yield Problem(None, f"backend '{asked.backend}': {missing}")


def _of_conditions(network: Network, wanted: Sequence[Condition]) -> Iterator[Problem]:
    known = {metric.name: metric for metric in network.metrics}
    for condition in wanted:
        if condition.metric not in known:
            near = suggestion(condition.metric, list(known))
            there = ", ".join(known) or "none"
            text = f"network '{network.name}' has no metric '{condition.metric}'; {near}there are: {there}"
            yield Problem(condition.place, text)
        elif not known[condition.metric].one_number:
            text = f"metric '{condition.metric}' is a list of numbers, and a condition compares one number"
            yield Problem(condition.place, f"{text}; add a metric that is one, such as its mean, to the network")


def _named_chips(axes: Sequence[Axis], problems: list[Problem]) -> dict[str, Chip]:
    """The chips that the grid names."""
    found: dict[str, Chip] = {}
    place = next((one.place for one in axes if one.name == "chip" and not one.setting), None)
    for name in values_of(axes, "chip"):
        try:
            if name is not None:
                found[name] = description.load(name)
                if sum(chip.name == found[name].name for chip in found.values()) > 1:
                    text = f"two chips have the name '{found[name].name}'; give each a name of its own"
                    problems.append(Problem(place, text))
        except InvalidInput as error:
            problems += (Problem(problem.place or place, problem.text) for problem in error.problems)
    return found


def _of_chip_seeds(axes: Sequence[Axis], chips: Sequence[Chip]) -> Iterator[Problem]:
    """That no chip deviates is a problem where there are chip seeds."""
    seeded = next((one for one in axes if one.name == "chip_seed" and not one.setting), None)
    if seeded is not None and chips and not any(map(deviates, chips)):
        names = ", ".join(dict.fromkeys(f"'{chip.name}'" for chip in chips))
        text = f"a chip seed stands for a specimen, and all specimens of {names} are alike; leave chip_seed out, or "
        yield Problem(seeded.place, text + "choose a chip whose circuits deviate, such as generic8_mismatch10")


def _read(made: Planned, problems: list[Problem]) -> list[Problem]:
    """Read the network with each combination of settings; of many that are wrong some are told, and how many more."""
    wrong = 0
    for chosen in settings(made.asked.axes):
        try:
            network = to_run(made.asked.source.load(chosen), made.asked.duration)
            _refuse_copies(network)
            if not made.settings:
                problems += _of_conditions(network, made.asked.wanted)
            made.add(chosen, network)
        except InvalidInput as error:
            wrong += 1
            if wrong <= SHOWN:
                problems += (replace(one, place=_stands(one.place, made.asked.axes)) for one in error.problems)
    if wrong and not made.settings and made.asked.wanted:
        with suppress(InvalidInput):  # the network is wrong without settings, too
            problems += _of_conditions(made.asked.source.load(()), made.asked.wanted)
    text = f"{wrong - SHOWN:,} more combinations of settings have problems"
    return [Problem(None, text)] if wrong > SHOWN else []


def _stands(place: Place | None, axes: Sequence[Axis]) -> Place | None:
    """Where a setting stands that a problem is about, if it is in a file."""
    places = {f"{SETTING}{one.name}": one.place for one in axes if one.setting}
    return place if place is None else places.get(place.file) or place


def _refuse_copies(network: Network) -> None:
    """Independent copies are what a sweep makes itself."""
    if network.copies > 1 and not shares(network):
        text = f"network '{network.name}' has {network.copies} independent copies, and a sweep makes runs of one each; "
        raise InvalidInput.one(network.place, text + "leave `copies` out, and give the sweep seeds or settings instead")


def _jobs(made: Planned, named: dict[str, Chip]) -> Iterator[Job]:
    axes, asked = made.asked.axes, made.asked
    duration = None if asked.duration is None else str(asked.duration)
    seeded, alike, prints = values_of(axes, "chip_seed") != [None], set[str](), dict[int, str]()
    for number, chosen in enumerate(made.settings):
        for name, chip in named.items() or [(None, made.chips[number])]:
            if id(chip) not in prints:
                prints[id(chip)] = fingerprint(chip)
            if seeded and not deviates(chip):
                alike.add(chip.name)
            for chip_seed in values_of(axes, "chip_seed") if deviates(chip) else [None]:
                for seed in values_of(axes, "seed"):
                    point = Point(chosen, name, chip_seed, seed)
                    key = point_id(point, made.prints[number], prints[id(chip)], duration, asked.backend)
                    yield Job(key, point, number, chip)
    for chip_name in sorted(alike):
        made.notes.append(f"all specimens of chip '{chip_name}' are alike: it is run without chip seeds")
