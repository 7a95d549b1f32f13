"""The public function: a sweep that is run, or gone on with, and the table of what came out."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport.api.compile import NETWORK
from neuroport.build.network import written
from neuroport.errors import InvalidInput, Problem
from neuroport.numerics.given import COUNT, FLAG, FUNCTION, PATH, TEXT, Kind, takes, whole
from neuroport.numerics.processors import processors
from neuroport.numerics.units import Quantity, show
from neuroport.program import room
from neuroport.sweeps import cluster, pool
from neuroport.sweeps.asked import Asked, Condition, FromValue, Limits, seconds
from neuroport.sweeps.folder import SHORT, TRACES, about, check, opened, read
from neuroport.sweeps.forms import DONE
from neuroport.sweeps.grid import Axis, Wrong, axis
from neuroport.sweeps.planned import Job, Planned, planned
from neuroport.sweeps.runner import Order
from neuroport.sweeps.table import Table

if TYPE_CHECKING:
    from neuroport.build.network import Network as Built
    from neuroport.network.network import Network

Progress = Callable[["State"], None]
MAPPING = Kind.of("a mapping", Mapping)


@dataclass(frozen=True, slots=True)
class State:
    """How far a sweep is: `total` points, of which `before` were done already, `ended` ended now, `failed` of these."""

    total: int
    before: int
    ended: int = 0
    failed: int = 0


@takes(
    network=NETWORK,
    grid=MAPPING,
    folder=PATH.or_none,
    backend=TEXT,
    workers=COUNT.or_none,
    scheduler=TEXT.or_none,
    memory=TEXT.or_none,
    wanted=MAPPING.or_none,
    traces=FLAG,
    retry_failed=FLAG,
    progress=FUNCTION.or_none,
)
def sweep(
    network: Network | Built,
    grid: Mapping[str, Any],
    folder: str | Path | None = None,
    duration: int | str | Quantity | None = None,
    backend: str = "emulator",
    workers: int | None = None,
    scheduler: str | None = None,
    time: float | str | None = None,
    memory: str | None = None,
    wanted: Mapping[str, str | Sequence[str]] | None = None,
    traces: bool = False,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Table:
    """Run a network at every point of a grid, each run in a process that no other shares; the Table of what came out.

    `grid`: {"recurrent.eta_s": [0, 0.02], "chip": "generic8_mismatch10", "chip_seed": range(100), "seed": [1, 2]}: a
    value or a list of values for paths as after --set (of the network's own seed "set.seed"), `chip`, `chip_seed` and
    `seed`. A value that is a list stands in a list of its own.
    `folder`: where lines are kept as points end (`runs.jsonl`); the same sweep goes on there with what is missing.
    Without it nothing is kept. `duration`: how long each run lasts, instead of the network's protocol.
    `workers`: processes [one per processor]; `scheduler`: the address of a scheduler of Dask that has them instead.
    `time` (seconds, or "10 min") and `memory` ("2GiB"): what a point may take; it is ended where it takes more.
    `wanted`: metric -> condition on its last value, or a list of conditions that must all hold, such as
    {"dkl": "< 0.03"}, for the yield. `traces`: a trace of each run goes into the folder. `retry_failed`: points that
    failed are run again. `progress(state)` is called as they end.
    A point that fails stops no other: its row has `status` and `error`. InvalidInput, before anything runs, with all
    problems of grid, networks and chips; for a folder that is no sweep's, or in use.
    """
    problems: list[Problem] = []
    asked = Asked(
        source=FromValue(written(network)),
        axes=tuple(_axes(grid, problems)),
        duration=_duration(duration),
        backend=backend,
        wanted=tuple(_conditions(wanted or {}, problems)),
        limits=limits(time, memory, problems),
        traces=traces,
    )
    if traces and folder is None:
        problems.append(Problem(None, "traces need a folder; say where they go"))
    if problems:
        raise InvalidInput(problems)
    with nullcontext(folder) if folder is not None else tempfile.TemporaryDirectory() as chosen:
        path = Path(chosen)
        with contextlib.closing(run(planned(asked), path, workers, scheduler, retry_failed)) as states:
            for state in states:
                if progress is not None:
                    progress(state)
        return table(path)


def table(folder: str | Path) -> Table:
    """The table of a sweep, whole or not, by its folder. InvalidInput for a folder that is none, and for damage."""
    path = Path(folder)
    told = about(path)
    return Table.of(told, read(path))


def run(
    plan: Planned, path: Path, workers: int | None = None, scheduler: str | None = None, retry_failed: bool = False
) -> Generator[State, None, None]:
    """Run what is missing of a sweep in a folder; how far it is, whenever points have ended, and once before."""
    if scheduler is not None:
        check(path, plan.name)
        if missing(plan.jobs, {key: row["status"] for key, row in read(path).items()}, retry_failed):
            cluster.check(scheduler)
    with opened(path, told(plan)) as folder:
        left = missing(plan.jobs, folder.statuses, retry_failed)
        state = State(len(plan.jobs), len(plan.jobs) - len(left))
        yield state
        if not left:
            return
        traces = (path / TRACES).resolve() if plan.asked.traces else None
        if traces is not None:
            traces.mkdir(exist_ok=True)

        def ordered(job: Job) -> Order:
            trace = None if traces is None else traces / f"{job.id[:SHORT]}.h5"
            key, pickled = plan.prints[job.network], plan.pickled(job.network)
            return Order(job.id, job.point.plain(), key, pickled, job.chip, plan.asked.backend, trace)

        limits = plan.asked.limits
        rows = (
            pool.run(left, ordered, workers or processors(), limits)
            if scheduler is None
            else cluster.run(left, ordered, scheduler, limits)
        )
        with contextlib.closing(rows):
            for some in rows:
                folder.add(some)
                failed = sum(row["status"] != DONE for row in some)
                state = State(state.total, state.before, state.ended + len(some), state.failed + failed)
                yield state


def told(plan: Planned) -> dict[str, Any]:
    """What a folder says of its sweep."""
    asked = plan.asked
    return {
        "network": plan.name,
        "source": asked.source.name,
        "axes": [[one.column, _few(one)] for one in asked.axes],
        "for": asked.duration,
        "backend": asked.backend,
        "yield": [[one.metric, f"{one.sign} {one.number!r}"] for one in asked.wanted],
        "points": [job.id[:SHORT] for job in plan.jobs],
    }


def _few(one: Axis) -> Any:
    values = one.values
    return {"range": [values[0], values[-1] + 1]} if isinstance(values, range) else list(values)


def missing(jobs: Sequence[Job], statuses: Mapping[str, str], retry_failed: bool) -> list[Job]:
    """The jobs that have not ended yet, or with `retry_failed` are not done."""
    ended = {key for key, status in statuses.items() if status == DONE or not retry_failed}
    return [job for job in jobs if job.id not in ended]


def _axes(grid: Mapping[str, Any], problems: list[Problem]) -> Iterator[Axis]:
    for name, values in grid.items():
        try:
            yield axis(TEXT.checked("a key of grid", name), values)
        except Wrong as error:
            problems.append(Problem(None, f"'{name}' in grid {error}"))


def _conditions(wanted: Mapping[str, str | Sequence[str]], problems: list[Problem]) -> Iterator[Condition]:
    for name, text in wanted.items():
        try:
            yield from Condition.all_of(TEXT.checked("a key of wanted", name), text)
        except Wrong as error:
            problems.append(Problem(None, f"'{name}' in wanted {error}"))


def limits(time: float | str | None, memory: str | None, problems: list[Problem]) -> Limits:
    """The limits that arguments or options say."""
    within = most = None
    try:
        within = None if time is None else seconds(time)
    except Wrong as error:
        problems.append(Problem(None, f"the limit of time {error}"))
    try:
        most = None if memory is None else room.read(memory, "the limit of memory")
    except InvalidInput as error:
        problems += error.problems
    return Limits(within, most)


def _duration(given: int | str | Quantity | None) -> int | str | None:
    steps = whole(given)
    if given is None or steps is not None:
        return steps
    return show(given) if isinstance(given, Quantity) else given
