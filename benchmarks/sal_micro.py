"""The spiking microcircuit with SAL, with fixed random feedback, with weight transport: several circuits in one run.

    python benchmarks/sal_micro.py [--rule sal|fa|bp]… [--network NAME] [--circuits N] [--chip C] [--mismatch SIGMA]
                                   [--chip-seed N] [--matched] [--seed N] [--epochs N] [--set SET]… [--results FILE]

The circuits of a run are independent: each has its own initial weights, random numbers, teacher and, on a chip that
deviates, its own physical circuits (--mismatch: relative deviation of weights, biases and learning amplitudes;
--matched: but those of the interneuron deviate as those that it copies). They see the same patterns in the same order.
Equal seeds give all rules the same teachers and initial weights. Prints the median loss at some epochs and, for every
circuit, means over the last ten epochs; --results keeps all numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport import networks
from neuroport.chips import description as chips
from neuroport.chips import instance
from neuroport.chips.chip import ChipInstance, Deviation
from neuroport.chips.mismatch import with_mismatch
from neuroport.network.network import Network
from neuroport.session.session import Session

RULES: dict[str, Sequence[str]] = {"sal": (), "fa": ("down.eta=0",), "bp": ("down.eta=0", "down.tied=1")}
WEIGHTS = ("up1", "up2", "down")
LOSSES = ("nudged", "free")
SHOWN = (0, 10, 25, 50, 100, 149)
LAST = 10


def main() -> None:
    """Run the rules and print what they reach."""
    args = _arguments()
    if args.draw:
        _draw([json.loads(line) for line in Path(args.results).read_text(encoding="utf-8").splitlines()], args.draw)
        return
    for rule in args.rule or RULES:
        found = run(args, rule)
        if args.results:
            with Path(args.results).open("a", encoding="utf-8") as file:
                file.write(json.dumps({**vars(args), "rule": rule, **found}) + "\n")
        _print(rule, found)


def run(args: argparse.Namespace, rule: str) -> dict[str, Any]:
    """Losses and weights as (epoch, circuit), gains of the weights' physical circuits, and what the run cost."""
    chip = chips.load(args.chip)
    if args.mismatch:
        deviation = Deviation(sigma=args.mismatch)
        chip = with_mismatch(chip, dict.fromkeys(("weight", "bias", "amplitude"), deviation))
    net = network(args.network, args.circuits, args.epochs, [*RULES[rule], *args.set])
    one = None if args.chip_seed is None else instance.manufacture(chip, args.chip_seed)
    if one is not None and args.matched:
        one = matched(one, args.circuits)
    with neuroport.open(net, chip=None if one else chip, instance=one, seed=args.seed, keep=False) as session:
        started = time.process_time()
        session.run_protocol()
        spent = time.process_time() - started
        goals = _rows(session, "goals", args.circuits)[:, -6:]
        found: dict[str, Any] = {}
        for name in LOSSES:
            found[name] = np.mean((_rows(session, name, args.circuits) - goals) ** 2, axis=1).tolist()
        for name in WEIGHTS:
            found[name] = [value for _, value in session.results[name]]
            found[f"{name}_gain"] = _gain(session, f"{name}.w", args.circuits)
        return found | {"us_per_step": spent / session.step * 1e6, "overflows": session.overflows()}


def matched(one: ChipInstance, circuits: int) -> ChipInstance:
    """The same chip, on which what predicts the feedback deviates as the feedback does.

    The shipped file has populations x t1 t2 h i y; on h end the synapses up1 down cancel, on i predict, on y up2.
    """
    hidden, inter, output = (k * circuits + np.arange(circuits) for k in (3, 4, 5))
    at = instance.synapse_circuits
    copies = np.concatenate([at(hidden, np.array(2)), at(inter, np.array(0))])
    originals = np.concatenate([at(hidden, np.array(1)), at(output, np.array(0))])
    weights = np.array([copies, instance.factor(one, "weight", originals)])
    biases = np.array([inter, instance.factor(one, "bias", output)])
    return ChipInstance(one.chip, one.seed, {"weight": weights[:, np.argsort(copies)], "bias": biases})


def network(name: str, circuits: int, epochs: int, sets: Sequence[str]) -> Network:
    """The shipped network with several circuits side by side, every one of which is measured."""
    text = yaml.safe_load(networks.path(name).read_text("utf-8"))
    for population in text["populations"].values():
        population["size"] = circuits
    for stimulus in text["stimuli"].values():
        values = stimulus["patterns"]["values"]
        if isinstance(values, list):
            stimulus["patterns"]["values"] = [row * circuits for row in values]
    text["readouts"]["goals"] = text["readouts"]["taught"]
    measured = {name: name for name in (*LOSSES, "goals")} | {name: f"{name}.w" for name in WEIGHTS}
    text["metrics"] = {name: {"values": what} for name, what in measured.items()}
    for item in text["protocol"]:
        if "taught" in item.get("readout", ()):
            item["readout"].append("goals")
        if item.get("repeat"):
            item["repeat"] = epochs
            item["do"][-1]["measure"] = [*LOSSES, *WEIGHTS]
    text["protocol"].append({"measure": ["goals"]})
    text["record"] = {"spikes": "none"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.yaml"
        file.write_text(yaml.safe_dump(text, sort_keys=False), "utf-8")
        return neuroport.load(file, sets)


def _rows(session: Session, name: str, circuits: int) -> np.ndarray:
    """What was measured of a readout: (measurement, pattern, circuit)."""
    values = np.array([value for _, value in session.results[name]])
    return values.reshape(len(values), -1, circuits)


def _gain(session: Session, weight: str, circuits: int) -> list[float]:
    """The factors by which physical synapses deviate; ones on a chip as designed."""
    name = f"{weight}_circuit"
    return session.get(name).tolist() if name in session.program.arrays else [1.0] * circuits


def _print(rule: str, found: dict[str, Any]) -> None:
    epochs = len(found["free"])
    print(f"{rule}: {found['us_per_step']:.3f} us of CPU time per step, stores out of range: {found['overflows']}")
    for name in LOSSES:
        medians = {e: np.median(found[name][e]) for e in SHOWN if e < epochs}
        print(f"  {name:7}", "  ".join(f"{e}: {value:.3g}" for e, value in medians.items()))
    last = {name: np.mean(found[name][-LAST:], axis=0) for name in (*LOSSES, *WEIGHTS)}
    gains = {name: np.array(found[f"{name}_gain"]) for name in WEIGHTS}
    last["|down-up2|"] = abs(last["down"] - last["up2"])
    last["effective"] = abs(last["down"] * gains["down"] - last["up2"] * gains["up2"])
    for name, values in last.items():
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        each = " ".join(f"{v:.3g}" for v in values)
        print(f"  {name:10} median {middle:.3g} [{low:.3g}, {high:.3g}] of {each}")


def _draw(rows: list[dict[str, Any]], output: str) -> None:
    """Loss and effective gap of every circuit in a file of results, by chip."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def group(row: dict[str, Any]) -> str:
        spread = f"{100 * row['mismatch']:g} %" if row["mismatch"] else ""
        lines = (row["chip"].replace("ideal", "float"), spread, "matched" if row.get("matched") else "")
        return "\n".join(line for line in lines if line)

    rows = sorted(rows, key=lambda row: (row["chip"] != "ideal", row["chip"], row["mismatch"], not row.get("matched")))
    groups = list(dict.fromkeys(group(row) for row in rows))
    shown = [rule for rule in RULES if any(row["rule"] == rule for row in rows)]
    figure, panels = pyplot.subplots(2, 1, figsize=(8, 6.4), sharex=True, layout="constrained")
    for row in rows:
        last = {name: np.mean(row[name][-LAST:], axis=0) for name in ("free", *WEIGHTS)}
        gap = abs(last["down"] * np.array(row["down_gain"]) - last["up2"] * np.array(row["up2_gain"]))
        rule = shown.index(row["rule"])
        x = groups.index(group(row)) + 0.22 * (rule - (len(shown) - 1) / 2)
        for axes, values in zip(panels, (last["free"], gap), strict=True):
            spread = np.linspace(-0.06, 0.06, len(values))
            axes.plot(x + spread, values, "o", color=f"C{rule}", ms=3.5, alpha=0.6)
            axes.plot([x - 0.09, x + 0.09], [np.median(values)] * 2, color=f"C{rule}", lw=2)
    for axes, label in zip(panels, ("free loss", "effective gap |down - up2|"), strict=True):
        axes.set_xticks(range(len(groups)), groups, fontsize=8)
        axes.set_ylabel(label)
        axes.set_yscale("log")
        axes.grid(axis="y", alpha=0.3)
    names = {"sal": "SAL", "bp": "weight transport", "fa": "fixed feedback"}
    for k, rule in enumerate(shown):
        panels[0].plot([], [], "o", color=f"C{k}", label=names[rule])
    figure.legend(fontsize=8, ncols=len(shown), loc="outside lower center")
    figure.suptitle("sal_micro: every dot is a circuit, lines are medians", fontsize=10)
    figure.savefig(output, dpi=120)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The spiking microcircuit with SAL and its controls.")
    parser.add_argument("--rule", action="append", choices=list(RULES))
    parser.add_argument("--network", default="sal_micro")
    parser.add_argument("--circuits", type=int, default=8)
    parser.add_argument("--chip", default="ideal")
    parser.add_argument("--mismatch", type=float, default=0.0)
    parser.add_argument("--chip-seed", type=int)
    parser.add_argument("--matched", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--results", default="")
    parser.add_argument("--draw", metavar="FIGURE.png", help="draw what is in the results file, and run nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
