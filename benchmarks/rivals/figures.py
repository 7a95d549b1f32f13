"""The figures of docs/bench.md, made of the files of results."""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import entries
from benchmarks.rivals.entries import Rule
from benchmarks.rivals.found import Found
from benchmarks.rivals.page import CONDITIONS, TITLES
from neuroport.disk.output import write_bytes
from neuroport.errors import Unsupported

FOLDER = entries.ROOT / "docs" / "images"
SHORT = {"ideal": "float", "generic16": "16 bits", "generic8": "8 bits"}


def draw(found: Found, folder: Path) -> list[Path]:
    """Draw bench.png and bench_chips.png into a folder; the files that were written, once all are drawn.

    Where no run has angles there is no bench.png. Unsupported without matplotlib, NotWritten.
    """
    try:
        import matplotlib
    except ImportError:
        raise Unsupported("figures need matplotlib; install it with: pip install 'neuroport[plot]'") from None
    matplotlib.use("Agg")
    drawn = {folder / "bench.png": _angles(found), folder / "bench_chips.png": _chips(found)}
    made = {file: image for file, image in drawn.items() if image}
    for file, image in made.items():
        write_bytes(file, image)
    return list(made)


def _chips(found: Found) -> bytes:
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
    return _png(figure)


def _mean(found: Found, task: str, rule: str, chip: str, mismatch: int) -> float:
    some = found.accuracy(task, rule, chip, mismatch)
    return some.mean if some.values else np.nan


def _angles(found: Found) -> bytes:
    """Angle of the first layer's updates and accuracy, for digits and for the online task: a colour for a family.

    Of tasks of which there are angles; nothing where there are none.
    """
    from matplotlib import pyplot

    rules = list(entries.rules().values())
    tasks = [task for task in ("digits", "online") if any(_runs(found, rule, task) for rule in rules)]
    if not tasks:
        return b""
    families = list(dict.fromkeys(rule.family for rule in rules))
    seen: Counter[str] = Counter()
    size = (2 + 5 * len(tasks), 5)
    figure, axes = pyplot.subplots(1, len(tasks), figsize=size, sharex=True, squeeze=False, layout="constrained")
    for rule in rules:
        look: dict[str, Any] = {"color": f"C{families.index(rule.family)}", "marker": "osD^vPXp"[seen[rule.family]]}
        seen[rule.family] += 1
        for axis, task in zip(axes[0], tasks, strict=True):
            if runs := _runs(found, rule, task):
                x, y = [run["updates"][-1][0] for run in runs], [run["test"][-1] for run in runs]
                axis.plot(x, y, ls="", ms=4, alpha=0.4, mew=0, **look)
                axis.plot(np.mean(x), np.mean(y), ls="", ms=9, mec="white", label=rule.title, **look)
    for axis, task in zip(axes[0], tasks, strict=True):
        axis.set_title(TITLES[task], fontsize=10)
        axis.set_xticks(range(0, 91, 15))
        axis.grid(alpha=0.3)
    figure.supxlabel("angle of the first layer's updates to back-propagation, degrees", fontsize=10)
    axes[0, 0].set_ylabel("test, %")
    handles = {text: handle for axis in axes[0] for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)}
    ordered = [rule.title for rule in rules if rule.title in handles]
    figure.legend([handles[title] for title in ordered], ordered, loc="outside right center", frameon=False, fontsize=8)
    return _png(figure)


def _runs(found: Found, rule: Rule, task: str) -> list[dict[str, Any]]:
    """The runs in floating point that have angles, but those of a host, which are 0 there."""
    if task in rule.setups and rule.setups[task].host:
        return []
    return [run for run in found.of(task, rule.name, "ideal") if run.get("updates") and run.get("test")]


def _png(figure: Any) -> bytes:
    from matplotlib import pyplot

    image = io.BytesIO()
    figure.savefig(image, dpi=110)
    pyplot.close(figure)
    return image.getvalue()
