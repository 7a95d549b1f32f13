"""An independent simulation of the 1-1-1 spiking microcircuit: teacher, student, SAL on the feedback weight.

Two orders of operations. "published": spikes, potentials, averages, forward learning, alignment, copies. "neuroport":
the same, but copies of the forward weight are one step old when they are used, and before the first step the potentials
hold the biases (the averages begin with them, the published ones with 0). With these two exceptions neuroport computes
in step t + 1, up to its spike condition, what the published order computes in step t after its spikes: a network file
that begins with one idle step does the same as the published code.

Random numbers are arguments, four per step: input, hidden, interneuron, output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numba
import numpy as np

NEVER = 127  # steps since the last spike, where it saturates
WEIGHTS = ("up1", "up2", "down", "predict", "cancel")


@dataclass(frozen=True)
class Circuit:
    """Constants of the circuit. `window` is where the SAL window is cut; NEVER leaves it whole."""

    t_ref: int = 10
    psp: int = 10
    window: int = NEVER
    tau: float = 10.0
    bias: float = -1.0
    lam_api: float = 0.02
    lam_nudge: float = 0.6
    average: int = 2000
    lag: int = 2000
    lr_up1: float = 0.4
    lr_up2: float = 0.001
    lr_down: float = 0.001
    tied: bool = False  # the control in which the feedback weight is a copy of the forward weight


PUBLISHED = Circuit()
UNBIASED = Circuit(psp=9, window=10)


@dataclass
class State:
    """Everything that changes: cells in the order input, hidden, interneuron, output."""

    weights: np.ndarray  # as WEIGHTS
    since: np.ndarray = field(default_factory=lambda: np.full(4, NEVER))
    u: np.ndarray = field(default_factory=lambda: np.zeros(4))
    sums: np.ndarray = field(default_factory=lambda: np.zeros(4))  # hidden u, hidden basal, output u, output basal
    ring: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    count: np.ndarray = field(default_factory=lambda: np.array([1, 1]))  # values ever, and now, in the averages


@numba.njit(cache=False, error_model="numpy")
def _phi(u, log_t_ref):
    return 1.0 / (1.0 + np.exp(-(u - log_t_ref)))


@numba.njit(cache=False, error_model="numpy")
def _pattern(
    draws, u_in, target, train, align, late_copies, circuit, w, since, u, sums, ring, count, answers
):  # fmt: skip
    (t_ref, psp, window, tau, bias, lam_api, lam_nudge, average, lag, lr1, lr2, lr_down, tied) = circuit
    log_t_ref = np.log(t_ref)
    nudged = not np.isnan(target)
    total, total_free = 0.0, 0.0
    on = np.zeros(4, dtype=np.int64)
    fired = np.zeros(4, dtype=np.bool_)
    for t in range(draws.shape[0]):
        for k in range(4):
            since[k] = min(since[k] + 1, NEVER)
            fired[k] = draws[t, k] < _phi(u[k], log_t_ref) and since[k] >= t_ref
            if fired[k]:
                since[k] = 0
            on[k] = 1 if since[k] < psp else 0
        mean_basal = sums[3] / count[1]
        up2_used = w[1]
        predict, cancel = (0.0, 0.0) if align else (w[3], w[4])
        basal1, basal2 = w[0] * on[0], w[1] * on[1]
        apical = w[2] * on[3] + cancel * on[2]
        u[0] = u_in
        u[1] = bias + basal1 + (1.0 if align else lam_api) * apical
        u[2] = bias + predict * on[1]
        u[3] = bias + basal2 + (lam_nudge * (target - mean_basal - bias) if nudged else 0.0)
        slot = count[0] % average
        sums[0] = sums[0] + u[1] - ring[slot, 0]
        sums[1] = sums[1] + basal1 - ring[slot, 1]
        sums[2] = sums[2] + u[3] - ring[slot, 2]
        sums[3] = sums[3] + basal2 - ring[slot, 3]
        ring[slot, 0], ring[slot, 1], ring[slot, 2], ring[slot, 3] = u[1], basal1, u[3], basal2
        count[0] += 1
        count[1] = min(count[1] + 1, average)
        if train and nudged and t >= lag:
            if since[0] == 1:
                difference = _phi(sums[0] / count[1], log_t_ref) - _phi(sums[1] / count[1] + bias, log_t_ref)
                w[0] += lr1 * difference
            if since[1] == 1:
                difference = _phi(sums[2] / count[1], log_t_ref) - _phi(sums[3] / count[1] + bias, log_t_ref)
                w[1] += lr2 * difference
        if align:
            if fired[3] and 0 < since[1] < window:
                w[2] += lr_down * np.exp(-since[1] / tau)
            if fired[1] and 0 < since[3] < window:
                w[2] -= lr_down * np.exp(-since[3] / tau)
        if tied:
            w[2] = up2_used if late_copies else w[1]
        w[3] = up2_used if late_copies else w[1]
        w[4] = -w[2]
        if t >= lag:
            total += u[3]
            total_free += bias + basal2
    answers[0] = total / (draws.shape[0] - lag)
    answers[1] = total_free / (draws.shape[0] - lag)


def start(circuit: Circuit, up1: float, up2: float, down: float, order: str = "published") -> State:
    """A blank state with these weights."""
    state = State(np.array([up1, up2, down, up2, -down]), ring=np.zeros((circuit.average, 4)))
    if order == "neuroport":
        state.u[1:] = state.ring[0, ::2] = state.sums[::2] = circuit.bias
    return state


def show(
    circuit: Circuit,
    state: State,
    draws: np.ndarray,
    u_in: float,
    target: float | None = None,
    *,
    train: bool = False,
    align: bool = False,
    order: str = "published",
) -> tuple[float, float]:
    """One pattern of len(draws) steps. Returns the mean output potential after the lag, with and without nudge."""
    answers = np.zeros(2)
    constants = tuple(getattr(circuit, name) for name in Circuit.__dataclass_fields__)
    _pattern(
        *(draws, u_in, np.nan if target is None else target, train, align, order == "neuroport", constants),
        *(state.weights, state.since, state.u, state.sums, state.ring, state.count, answers),
    )
    return float(answers[0]), float(answers[1])


def teacher(circuit: Circuit, inputs: Iterable[float], steps: int, rng: np.random.Generator) -> list[float]:
    """Mean output potential of a circuit with forward weights of 2 and no feedback, for each input."""
    state = start(circuit, 2.0, 2.0, 0.0)
    return [show(circuit, state, rng.random((steps, 4)), u)[0] for u in inputs]


@dataclass(frozen=True)
class Course:
    """A published experiment: lists of inputs, lengths of patterns and epochs, seeds of PCG64."""

    train: tuple[float, ...]
    validate: tuple[float, ...]
    epochs: int
    per_epoch: int
    aligned: int  # the last of them
    steps: int
    teacher_steps: int
    seed_teacher: int
    seed_weights: int
    seed_spikes: int
    seed_order: int


EXAMPLE = Course(
    train=(-2.0, -0.8, 0.8, 2.0, 3.0),
    validate=(-1.8, -0.5, 1.8, 2.7),
    epochs=5,
    per_epoch=5,
    aligned=2,
    steps=20_000,
    teacher_steps=20_000,
    seed_teacher=423433,
    seed_weights=355445,
    seed_spikes=649854,
    seed_order=915344,
)
FULL = replace(
    EXAMPLE,
    train=(-3.0, -2.5, -2.0, -0.8, 0.8, 2.0, 2.5, 3.0),
    validate=(-2.7, -1.8, -0.5, 0.5, 1.8, 2.7),
    epochs=150,
    per_epoch=20,
    aligned=5,
    teacher_steps=200_000,
)


@dataclass
class Outcome:
    """What a course gives: targets, weights (up1, up2, down) after every training pattern, losses per epoch."""

    targets: list[float]
    initial: tuple[float, float, float]
    weights: list[tuple[float, float, float]]
    nudged: list[float]
    free: list[float]


def run(circuit: Circuit, course: Course) -> Outcome:
    """The published experiment, with its draws, in its order."""
    rng = np.random.default_rng(course.seed_teacher)
    targets = teacher(circuit, (*course.train, *course.validate), course.teacher_steps, rng)
    weights = np.random.default_rng(course.seed_weights)
    up1, down, up2 = (float(weights.uniform(-3.0, 3.0)) for _ in range(3))
    state = start(circuit, up1, up2, down)
    outcome = Outcome(targets, (up1, up2, down), [], [], [])
    spikes = np.random.default_rng(course.seed_spikes)
    order = np.random.default_rng(course.seed_order)
    goals = targets[len(course.train) :]
    for _ in range(course.epochs):
        chosen = order.choice(np.arange(len(course.train)), course.per_epoch)
        for k, pattern in enumerate(chosen):
            align = k >= course.per_epoch - course.aligned
            draws = spikes.random((course.steps, 4))
            show(circuit, state, draws, course.train[pattern], targets[pattern], train=not align, align=align)
            outcome.weights.append(tuple(state.weights[:3].tolist()))
        found = np.array(list(_validate(circuit, state, course, goals, spikes)))
        loss = np.mean((found - np.array(goals)[:, None]) ** 2, axis=0)
        outcome.nudged.append(float(loss[0]))
        outcome.free.append(float(loss[1]))
    return outcome


def _validate(
    circuit: Circuit, state: State, course: Course, goals: list[float], rng: np.random.Generator
) -> Iterator[tuple[float, float]]:
    for u_in, goal in zip(course.validate, goals, strict=True):
        yield show(circuit, state, rng.random((course.steps, 4)), u_in, goal)
