"""EMSTDP in whole numbers and spikes only, in NumPy: one pattern at a time, everything arrives one step late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


@dataclass
class Chip:
    """Weights of two layers (lower, upper) and feedback (output, hidden), negated between cells of unlike sign."""

    up1: Real
    up2: Real
    feedback: Real
    thetas: tuple[int, int]
    phase: int
    skipped: int

    def show(self, charges: Real, goals: Real) -> dict[str, Real]:
        """Spikes (step, cell) of a pattern, from cells that begin anew; then the weights learn."""
        sizes = {"x": len(self.up1), "h": len(self.feedback.T), "y": len(self.feedback), "label": len(goals)}
        sizes |= {f"{name}_{sign}": sizes[name] for name in "yh" for sign in ("more", "less")}
        held = {name: np.zeros(size) for name, size in sizes.items()}
        spikes = {name: np.zeros((2 * self.phase + 1, size)) for name, size in sizes.items()}  # row 0: before the start
        seen = np.zeros(sizes["h"], bool)
        up1, up2 = np.floor(self.up1 + 0.5), np.floor(self.up2 + 0.5)
        for step in range(1, 2 * self.phase + 1):
            late, taught = {name: rows[step - 1] for name, rows in spikes.items()}, step > self.phase
            pushed = {name: 2 * theta * (late[f"{name}_more"] - late[f"{name}_less"])
                      for name, theta in zip("hy", self.thetas, strict=True)}  # fmt: skip
            held["x"] += charges
            spikes["x"][step] = held["x"] >= 256
            held["x"] -= 256 * spikes["x"][step]
            for name, theta, arrived in zip("hy", self.thetas, (late["x"] @ up1, late["h"] @ up2), strict=True):
                held[name] = np.maximum(held[name] + arrived + pushed[name], -theta)
                spikes[name][step] = held[name] >= theta
                held[name][spikes[name][step] > 0] = 0
            if not taught:
                seen |= late["h"] > 0
                continue
            spikes["label"][step] = goals
            missing = 12 * (late["label"] - late["y"])
            down = (late["y_more"] - late["y_less"]) @ self.feedback
            for name, arrived, phi, may in (("y", missing, 32, True), ("h", down, 64, seen)):
                for sign, error in (("more", arrived), ("less", -arrived)):
                    cells = f"{name}_{sign}"
                    held[cells] = np.where(may, np.maximum(held[cells] + error, 0), 0)
                    spikes[cells][step] = held[cells] >= phi
                    held[cells][spikes[cells][step] > 0] = 0
        self.learn(spikes)
        return {name: rows[1:] for name, rows in spikes.items()}

    def learn(self, spikes: dict[str, Real]) -> None:
        counts = {}
        for name in "xhy":
            first, second = spikes[name][1 : self.phase + 1], spikes[name][self.phase + 1 :]
            counts[name] = first[self.skipped :].sum(axis=0), second[self.skipped :].sum(axis=0)
        for weights, below, above in ((self.up1, "x", "h"), (self.up2, "h", "y")):
            first, second = counts[above]
            weights += np.outer(counts[below][0], second - first) / 256
            np.clip(weights, -256, 254, out=weights)
