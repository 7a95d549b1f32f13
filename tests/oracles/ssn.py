"""A fast, independent simulation of the spiking sampling network and its wake-sleep plus SAL training.

Numbers come from a plain xorshift generator, the statistics are gathered spike by spike, and the conventions are
arguments: isi_min (smallest inter-spike interval), psp (length of the rectangular PSP), coincidence (weight of a
simultaneous pair in c). Used to find the scatter over simulation seeds that statistical tests have to allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True)
class Convention:
    isi_min: int = 51
    psp: int = 49
    coincidence: float = 0.0
    tau: int = 50


PUBLISHED = Convention()
UNBIASED = Convention(isi_min=50, coincidence=0.5)


@dataclass(frozen=True)
class Epoch:
    """What one simulation of T steps gives: mean activity r (n,), c and s (n, n), state counts (2**n,)."""

    r: np.ndarray
    c: np.ndarray
    s: np.ndarray
    counts: np.ndarray


@numba.njit(cache=False)
def _simulate(w, b, steps, seed, isi_min, psp, tau, spikes, pairs, sal, both, counts):
    n = b.size
    rng = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(88172645463325252)
    last = np.full(n, -(1 << 40), dtype=np.int64)
    psp_on = np.zeros(n, dtype=np.bool_)
    p = np.zeros(n)
    fired = np.zeros(n, dtype=np.bool_)
    dirty = True
    for t in range(steps):
        for j in range(n):
            on = t - last[j] <= psp
            if on != psp_on[j]:
                psp_on[j] = on
                dirty = True
        if dirty:
            for i in range(n):
                u = b[i]
                for j in range(n):
                    if psp_on[j] and j != i:
                        u += w[i, j]
                p[i] = 1.0 / (1.0 + np.exp(np.log(tau) - u))
            dirty = False
        any_fired = False
        for i in range(n):
            fired[i] = False
            if t - last[i] >= isi_min:
                rng ^= rng << np.uint64(13)
                rng ^= rng >> np.uint64(7)
                rng ^= rng << np.uint64(17)
                if np.float64(rng >> np.uint64(11)) * 2.0**-53 < p[i]:
                    fired[i] = True
                    any_fired = True
        if any_fired:
            for i in range(n):
                if not fired[i]:
                    continue
                spikes[i] += 1
                for j in range(n):
                    if j == i:
                        continue
                    d = t - last[j]
                    if d < tau:  # j's previous spike came before i's
                        pairs[i, j] += tau - d
                        pairs[j, i] += tau - d
                        sal[i, j] -= tau - d
                        sal[j, i] += tau - d
                    if fired[j]:
                        both[i, j] += 1
            for i in range(n):
                if fired[i]:
                    last[i] = t
        if (t + 1) % 25 == 0:
            state = 0
            for i in range(n):
                state = 2 * state + (1 if t + 1 - last[i] <= tau else 0)
            counts[state] += 1


def simulate(w: np.ndarray, b: np.ndarray, steps: int, seed: int, convention: Convention = PUBLISHED) -> Epoch:
    """One run from the silent state. w[i, j] is the weight onto i from j."""
    n, k = b.size, convention
    spikes = np.zeros(n, dtype=np.int64)
    pairs, sal, both = (np.zeros((n, n), dtype=np.int64) for _ in range(3))
    counts = np.zeros(2**n, dtype=np.int64)
    w, b = np.ascontiguousarray(w, dtype=float), np.ascontiguousarray(b, dtype=float)
    _simulate(w, b, steps, seed, k.isi_min, k.psp, k.tau, spikes, pairs, sal, both, counts)
    c = (pairs + k.coincidence * k.tau * both) / steps
    return Epoch(spikes * k.tau / steps, c, sal / steps, counts)


def divergence(p: np.ndarray, counts: np.ndarray, floor: float = 0.5) -> float:
    """DKL(p || sampled), states that were never seen counted `floor` times."""
    q = np.maximum(counts, floor)
    return float(np.sum(p * np.log(p / (q / q.sum()))))


def asymmetry(w: np.ndarray) -> float:
    """Population variance of w_ij - w_ji over the upper triangle."""
    return float((w - w.T)[np.triu_indices(len(w), 1)].var())


def target(seed: int = 4321, n: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of the target distribution, uniform on (-1, 1)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    w = np.triu(2.0 * rng.beta(1, 1, (n, n)) - 1.0, 1)
    return w + w.T, 2.0 * rng.beta(1, 1, n) - 1.0


def initial(seed: int = 9002, noise: float = 0.8, n: int = 7, sd: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Initial weights (symmetric plus full noise) and biases."""
    rng = np.random.Generator(np.random.PCG64(seed))
    w = np.triu(rng.normal(0.0, sd, (n, n)), 1)
    w = w + w.T + rng.normal(0.0, noise, (n, n))
    return w, rng.normal(0.0, sd, n)


def amplitude_noise(seed: int = 9002, sd: float = 0.05, n: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes 1 + xi (n, n) of c and of SAL, |xi| <= 1.5 sd, drawn after `initial` from the same generator.

    As in the published runs, the draws for the lower triangle also replace the first superdiagonal.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    rng.normal(size=2 * n * n + n)

    def bounded() -> np.ndarray:
        x = rng.normal(0.0, sd, (n, n))
        while (outside := np.abs(x) > 1.5 * sd).any():
            x[outside] = rng.normal(0.0, sd, outside.sum())
        return x

    def directed() -> np.ndarray:
        upper, lower = bounded(), bounded()
        return 1.0 + np.where(np.tri(n, n, 1, dtype=bool), lower, upper)

    return directed(), directed()


def enumerate_target(w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """p (2**n,), m (n,), c (n, n) of the Boltzmann distribution."""
    n = b.size
    z = (np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1
    p = np.exp(0.5 * np.einsum("si,ij,sj->s", z, w, z) + z @ b)
    p /= p.sum()
    return p, p @ z, np.einsum("s,si,sj->ij", p, z, z)


def train(
    seed: int,
    convention: Convention,
    eta: float = 0.05,
    eta_sal: float = 0.05,
    epochs: int = 801,
    steps: int = 50_000,
    every: int = 100,
    validation_steps: int = 2_000_000,
    target_seed: int = 4321,
    init_seed: int = 9002,
    noise: float = 0.8,
    amplitudes: tuple[np.ndarray | float, np.ndarray | float] = (1.0, 1.0),
) -> list[tuple[int, float, float]]:
    """(epoch, DKL, asymmetry after the update) of every validation epoch.

    `amplitudes` (n, n) multiply the sleep estimate of c and the SAL sum of every directed synapse.
    """
    a_c, a_s = amplitudes
    p, m, c = enumerate_target(*target(target_seed))
    w, b = initial(init_seed, noise)
    out = []
    for epoch in range(epochs):
        validates = epoch % every == 0
        found = simulate(w, b, validation_steps if validates else steps, 1 + seed * 100_003 + epoch, convention)
        w = np.clip(w + eta * (c - a_c * found.c) + eta_sal * a_s * found.s, -2.0, 2.0)
        b = np.clip(b + eta * (m - found.r), -2.0, 2.0)
        if validates:
            out.append((epoch, divergence(p, found.counts), asymmetry(w)))
    return out
