"""The figures of docs/bench.md, made of the files of results."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import entries
from benchmarks.rivals.found import Found, gathered
from benchmarks.rivals.page import CONDITIONS, TITLES

FOLDER = entries.ROOT / "docs" / "images"
SHORT = {"ideal": "float", "generic16": "16 bits", "generic8": "8 bits"}


def draw(folder: Path, quick: bool = False) -> None:
    """Both figures, those of quick runs beside them."""
    import matplotlib

    matplotlib.use("Agg")
    found, made = gathered(folder, quick), folder if quick else FOLDER
    _chips(found, made)
    _angles(found, made)


def _chips(found: Found, made: Path) -> None:
    """Accuracy of every rule on every task and condition, as numbers on colours."""
    from matplotlib import pyplot

    tasks = [task for task in entries.TASKS if any(case.task == task for case in found.runs)]
    rules = [rule for rule in entries.rules().values() if any(case.rule == rule.name for case in found.runs)]
    known = {
        task: [one for one in CONDITIONS if any(found.of(task, rule.name, *one) for rule in rules)] for task in tasks
    }
    widths = [1 + len(conditions) for conditions in known.values()]
    figure, axes = pyplot.subplots(
        1,
        len(tasks),
        figsize=(3 + 0.33 * sum(widths), 1.2 + 0.26 * len(rules)),
        sharey=True,
        layout="constrained",
        width_ratios=widths,
    )
    image: Any = None
    for axis, (task, conditions) in zip(np.atleast_1d(axes), known.items(), strict=True):
        values = np.array([[_mean(found, task, rule.name, *one) for one in conditions] for rule in rules])
        image = axis.imshow(values, vmin=20, vmax=100, cmap="viridis", aspect="auto")
        axis.set_facecolor("0.93")
        for (y, x), value in np.ndenumerate(values):
            if np.isfinite(value):
                colour = "black" if value > 70 else "white"
                axis.text(x, y, f"{value:.0f}", ha="center", va="center", fontsize=8, color=colour)
        axis.set_title(TITLES[task].replace(", ", ",\n") if len(conditions) < 5 else TITLES[task], fontsize=10, pad=18)
        axis.set_xticks(range(len(conditions)), [f"{mismatch}" for _, mismatch in conditions], fontsize=8)
        for name in dict.fromkeys(chip for chip, _ in conditions):
            places = [x for x, (chip, _) in enumerate(conditions) if chip == name]
            axis.text(np.mean(places), -0.6, SHORT[name], ha="center", va="bottom", fontsize=8)
            if places[0]:
                axis.axvline(places[0] - 0.5, color="white", lw=2)
        for y, (one, other) in enumerate(pairwise(rules)):
            if one.family != other.family:
                axis.axhline(y + 0.5, color="white", lw=2)
        axis.set_yticks(range(len(rules)), [rule.title for rule in rules], fontsize=9)
    figure.supxlabel("mismatch of weights, %", fontsize=9)
    figure.colorbar(image, ax=axes, label="test, %", shrink=0.6, pad=0.01)
    _save(figure, made / "bench_chips.png")


def _mean(found: Found, task: str, rule: str, chip: str, mismatch: int) -> float:
    some = found.accuracy(task, rule, chip, mismatch)
    return some.mean if some.values else np.nan


def _angles(found: Found, made: Path) -> None:
    """Angle of the first layer's updates and accuracy, for digits and for the online task: a colour for a family."""
    from matplotlib import pyplot

    families = list(dict.fromkeys(rule.family for rule in entries.rules().values()))
    seen: Counter[str] = Counter()
    figure, axes = pyplot.subplots(1, 2, figsize=(12, 5), sharex=True, layout="constrained")
    for rule in entries.rules().values():
        look: dict[str, Any] = {"color": f"C{families.index(rule.family)}", "marker": "osD^vPXp"[seen[rule.family]]}
        seen[rule.family] += 1
        for axis, task in zip(axes, ("digits", "online"), strict=True):
            if task in rule.setups and rule.setups[task].host:
                continue
            runs = [run for run in found.of(task, rule.name, "ideal") if run.get("updates") and run.get("test")]
            if runs:
                x, y = [run["updates"][-1][0] for run in runs], [run["test"][-1] for run in runs]
                axis.plot(x, y, ls="", ms=4, alpha=0.4, mew=0, **look)
                axis.plot(np.mean(x), np.mean(y), ls="", ms=9, mec="white", label=rule.title, **look)
    for axis, task in zip(axes, ("digits", "online"), strict=True):
        axis.set_title(TITLES[task], fontsize=10)
        axis.set_xticks(range(0, 91, 15))
        axis.grid(alpha=0.3)
    figure.supxlabel("angle of the first layer's updates to back-propagation, degrees", fontsize=10)
    axes[0].set_ylabel("test, %")
    handles = {text: handle for axis in axes for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)}
    ordered = [rule.title for rule in entries.rules().values() if rule.title in handles]
    figure.legend([handles[title] for title in ordered], ordered, loc="outside right center", frameon=False, fontsize=8)
    _save(figure, made / "bench.png")


def _save(figure: Any, file: Path) -> None:
    from matplotlib import pyplot

    figure.savefig(file, dpi=110)
    pyplot.close(figure)
