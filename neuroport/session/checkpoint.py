"""Checkpoints: all that a session goes on from, as a value and as a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np

from neuroport.disk import tree
from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import opened
from neuroport.disk.output import HDF5, check_output, new_hdf5
from neuroport.disk.tree import Tree
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.metrics.following import Followed
from neuroport.program.fixed import VERSION
from neuroport.program.identity import Identity, difference
from neuroport.program.ir import Numbers as Array
from neuroport.program.state import State
from neuroport.program.switchboard import Switches
from neuroport.session.controls import Pending, Tally
from neuroport.session.digest import Links
from neuroport.session.forms import (
    ARRAY,
    BYTES,
    LIST,
    REAL,
    TEXT,
    TEXTS,
    WHOLE,
    Converted,
    Named,
    Numbers,
    Record,
    Row,
)
from neuroport.session.inject import Injected
from neuroport.session.kept import Kept, Left, Taken
from neuroport.session.measure import Measured
from neuroport.session.patterns import Captured
from neuroport.session.position import Path, Plateau, Position
from neuroport.session.sample import Holds, Samples, Shown

FORMAT = 1
GROUP = "checkpoint"
"""Where a checkpoint lies in a file of its own."""
KIND = Kind("checkpoint", "take an earlier one, or run its network again")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Host:
    """What a session holds beside its executor; from `given` to `tally`: what a host gave, as Controls has it.

    `spikes`: the digest of the spikes so far. `kept`: what was recorded and is still kept, see Recorder.
    """

    position: Position
    samples: Samples
    measured: Measured
    captured: Captured
    switches: Switches
    given: Mapping[str, Array]
    injected: Mapping[str, Injected]
    pending: Sequence[Pending]
    tally: Tally
    spikes: Mapping[str, Links]
    kept: Kept


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Checkpoint:
    """All that a run goes on from before step `state.step`, of which program, and where it was made.

    `backend`: what executed the program. `arithmetic`: "integer", "float64" or "float32". `arithmetic_version`: of the
    integers. `version`: of neuroport.
    """

    format: int
    network: str
    chip: str
    backend: str
    seed: int
    arithmetic: str
    arithmetic_version: int
    version: str
    identity: Identity
    state: State
    host: Host

    @property
    def step(self) -> int:
        """The number of the step that comes next."""
        return self.state.step

    def require(self, seed: int, backend: str, program: Identity, integer: bool) -> None:
        """InvalidInput, with the reason, if a session of this seed, backend and program cannot go on from it."""
        texts = [
            self._of_another_program(program),
            self._of_other_bits(backend, integer),
            "" if seed == self.seed else f"was made of a run with seed {self.seed}, and this one has seed {seed}",
        ]
        for text in filter(None, texts):
            raise InvalidInput.one(None, f"the checkpoint of '{self.network}' at step {self.step} {text}")

    def _of_another_program(self, program: Identity) -> str:
        differs = difference(self.identity, program)
        if differs:
            return f"is one of another program: {differs}; compile the network as it was, for chip '{self.chip}'"
        if self.host.position.path and self.identity.plan != program.plan:
            return "lies within another protocol, or one with other metrics or readouts; run the network as it was"
        return ""

    def _of_other_bits(self, backend: str, integer: bool) -> str:
        if integer and self.arithmetic_version != VERSION:
            made = f"was made with version {self.arithmetic_version} of the integer arithmetic"
            return f"{made}, and this neuroport has version {VERSION}; go on with neuroport {self.version}"
        if not integer and backend != self.backend:
            return f"has real numbers of backend '{self.backend}', with whose last bits '{backend}' does not go on"
        return ""

    def tree(self) -> Tree:
        """It as numbers, texts and arrays by name; see `of_tree`."""
        written = CHECKPOINT.write(self)
        assert isinstance(written, Mapping)
        return written

    @staticmethod
    def of_tree(written: Tree, place: Place | None = None) -> Checkpoint:
        """The checkpoint that was written so; InvalidInput, at that place, for what is none."""
        try:
            found = WHOLE.read(written.get("format", 0), "format")
            if found != FORMAT:
                text = f"has checkpoint format {found}; this version of neuroport reads format {FORMAT}"
                raise InvalidInput.one(None, text)
            checkpoint: Checkpoint = CHECKPOINT.read(written, "")
        except InvalidInput as error:
            raise InvalidInput(Problem(place, f"cannot be resumed: {p.text}") for p in error.problems) from None
        return checkpoint


# ------------------------------------------------------------------------------------------------------------ the form


def _path_text(path: Path) -> str:
    return ".".join(map(str, path))


def _by_path(plateaus: Mapping[Path, Plateau]) -> dict[str, Plateau]:
    return {_path_text(path): plateau for path, plateau in plateaus.items()}


def _of_paths(plateaus: Mapping[str, Plateau]) -> dict[Path, Plateau]:
    return {tuple(map(int, text.split("."))): plateau for text, plateau in plateaus.items()}


def _split(values: Array, lengths: Array) -> list[Array]:
    return np.split(values, np.cumsum(lengths)[:-1]) if len(lengths) else []


@dataclass(frozen=True, slots=True)
class _Results:
    """Measurements of a metric. lengths: of each value, -1 for a number alone."""

    steps: Array
    lengths: Array
    values: Array


def _columns(results: Sequence[tuple[int, float | list[float]]]) -> _Results:
    lengths = [len(value) if isinstance(value, list) else -1 for _, value in results]
    values = [value if isinstance(value, list) else [value] for _, value in results]
    flat = np.array([number for value in values for number in value], np.float64)
    return _Results(np.array([step for step, _ in results], np.int64), np.array(lengths, np.int64), flat)


def _results(columns: _Results) -> list[tuple[int, float | list[float]]]:
    values = _split(columns.values, np.abs(columns.lengths))
    told = zip(columns.steps.tolist(), columns.lengths.tolist(), values, strict=True)
    return [(step, float(value[0]) if length < 0 else value.tolist()) for step, length, value in told]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a readout. lengths: how many there are of each stimulus."""

    stimuli: tuple[str, ...]
    lengths: Array
    patterns: Array
    values: Array


def _joined(rows: Iterable[Shown]) -> _Rows:
    rows = tuple(rows)
    numbers = [np.zeros(0, np.int64), *(r.patterns for r in rows)]
    values = [r.values for r in rows] or [np.zeros((0, 0))]
    lengths = np.array([len(r.patterns) for r in rows], np.int64)
    return _Rows(tuple(r.stimulus for r in rows), lengths, np.concatenate(numbers), np.concatenate(values))


def _shown(rows: _Rows) -> list[Shown]:
    patterns, values = _split(rows.patterns, rows.lengths), _split(rows.values, rows.lengths)
    return [Shown(*one) for one in zip(rows.stimuli, patterns, values, strict=True)]


def _numbered(pending: Sequence[Pending]) -> dict[str, Pending]:
    return {str(number): one for number, one in enumerate(pending)}


def _in_order(pending: Mapping[str, Pending]) -> list[Pending]:
    return [pending[str(number)] for number in range(len(pending))]


REALS = Numbers("f")
PATH = Converted(LIST, lambda path: np.array(path, np.int64), lambda numbers: tuple(numbers.tolist()))
IDENTITY = Record(Identity, dict(program=TEXT, arrays=Named(TEXT), plan=TEXT))
STATE = Record(
    State,
    dict(
        step=WHOLE,
        item_step=WHOLE,
        readouts=TEXTS,
        schedules=Named(Numbers("i")),
        arrays=Named(ARRAY),
        inputs=Named(ARRAY),
        histories=Named(ARRAY),
        spikes=Named(Row(lags=LIST, numbers=LIST)),
        tables=Named(ARRAY),
        histograms=Named(LIST),
        counts=Named(WHOLE),
        overflows=Named(WHOLE),
        apart=Named(ARRAY),
    ),
)
POSITION = Record(
    Position,
    dict(
        path=PATH,
        steps=WHOLE,
        begin=WHOLE,
        length=WHOLE,
        presentations=Named(WHOLE),
        plateaus=Converted(Named(Record(Plateau, dict(seen=WHOLE, least=REAL, above=WHOLE))), _by_path, _of_paths),
        acted=WHOLE,
        gone_on=Named(WHOLE),
    ),
    may_lack=["length", "acted", "gone_on"],
)
HOLDS = Record(Holds, dict(begin=WHOLE, hold=WHOLE, stimulus=TEXT, patterns=Numbers("i", 2), sums=ARRAY, counts=LIST))
ROWS = Record(_Rows, dict(stimuli=TEXTS, lengths=LIST, patterns=LIST, values=Numbers("f", 2)))
RESULTS = Record(_Results, dict(steps=LIST, lengths=LIST, values=Numbers("f", 1)))
PENDING = Record(Pending, dict(name=TEXT, first=WHOLE, end=WHOLE, values=ARRAY, cells=LIST), may_lack=["cells"])
KEPT = Record(
    Kept,
    dict(
        first=WHOLE,
        left=Named(Record(Left, dict(gone=WHOLE, steps=LIST, values=ARRAY))),
        taken=Named(Record(Taken, dict(of=TEXT, rows=WHOLE))),
    ),
)
FOLLOWED = Record(Followed, dict(first=Named(REALS), began=Named(REALS), gained=Named(REALS)))
HOST = Record(
    Host,
    dict(
        position=POSITION,
        samples=Record(Samples, dict(rows=Named(Converted(ROWS, _joined, _shown)), items=Named(HOLDS))),
        measured=Record(
            Measured,
            dict(
                results=Named(Converted(RESULTS, _columns, _results)),
                counted=Named(Row(step=WHOLE, spikes=WHOLE)),
                followed=Named(FOLLOWED),
            ),
            may_lack=["followed"],
        ),
        captured=Record(Captured, dict(tables=Named(REALS), saturated=Named(WHOLE))),
        switches=Record(
            Switches, dict(values=Named(ARRAY), designed=Named(ARRAY), switched=TEXTS, saturated=Named(WHOLE))
        ),
        given=Named(ARRAY),
        injected=Named(Record(Injected, dict(step=WHOLE, values=ARRAY, raw=ARRAY))),
        pending=Converted(Named(PENDING), _numbered, _in_order),
        tally=Record(Tally, dict(injected=WHOLE, late=WHOLE, clipped=WHOLE, dropped=WHOLE)),
        spikes=Named(Record(Links, dict(hash=BYTES, rest=BYTES))),
        kept=KEPT,
    ),
)
CHECKPOINT = Record(
    Checkpoint,
    dict(
        format=WHOLE,
        network=TEXT,
        chip=TEXT,
        backend=TEXT,
        seed=WHOLE,
        arithmetic=TEXT,
        arithmetic_version=WHOLE,
        version=TEXT,
        identity=IDENTITY,
        state=STATE,
        host=HOST,
    ),
)


# ------------------------------------------------------------------------------------------------------------ its file


def save(checkpoint: Checkpoint, path: str | FilePath) -> None:
    """Write it to a file of its own; only an earlier checkpoint is replaced, InvalidInput for another file."""
    check_output(path, True, "a checkpoint", HDF5, replaces=is_checkpoint)
    with new_hdf5(path) as file:
        tree.write(file.create_group(GROUP, track_order=True), checkpoint.tree())


def load(path: str | FilePath) -> Checkpoint:
    """Read a checkpoint from its file; InvalidInput for a file that has none, or is damaged."""
    with opened(path, KIND) as root:
        if not root.has(GROUP):
            raise InvalidInput.one(Place(str(path)), f"is an HDF5 file, but no checkpoint: it has no group {GROUP}")
        written = tree.read(root.group(GROUP))
    return Checkpoint.of_tree(written, Place(str(path)))


def is_checkpoint(path: str | FilePath) -> bool:
    """Whether a file is one."""
    try:
        with opened(path, KIND) as root:
            return root.has(GROUP)
    except InvalidInput:
        return False
