"""What a learning rule is worth on imperfect chips: the same network with and without it, on chips that deviate.

    python benchmarks/mismatch.py NET --metric M --rule NAME[:SET;SET…] … [--chip C]… [--kind KIND]… [--sigma S]…
                                  [--instances N] [--seed N]… [--set SET]… [--log] [--results FILE] [-o FIGURE.png]

Every rule is the network with its own `--set` changes. Each runs in floating point, on every chip as designed, and on
N specimens (chip seeds 0 … N-1) of every chip whose circuits of the given kinds deviate by each sigma (relative,
lognormal). Prints median, quartiles, lowest and highest of the metric's last measurement, and draws every run as a dot.
What was computed goes line by line to the results file, and is not computed again when the command is repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.chips import description as chips
from neuroport.chips.mismatch import deviating


@dataclass(frozen=True)
class Case:
    """One run: which rule, chip and specimen (None: as designed)."""

    rule: str
    chip: str
    sigma: float
    chip_seed: int | None
    seed: int

    @property
    def group(self) -> str:
        """The runs that are told together with this one."""
        return self.chip if self.sigma == 0 else f"{self.chip}, {100 * self.sigma:g} %"


def main() -> None:
    """Run what is missing, then print and draw."""
    args = _arguments()
    rules = dict(_rule(text) for text in args.rule)
    cases = list(_cases(args, list(rules)))
    known = _known(Path(args.results)) if args.results else {}
    for case in cases:
        if case not in known:
            known[case] = _run(args, case, rules[case.rule])
            if args.results:
                with Path(args.results).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(case) | {"value": known[case]}) + "\n")
            which = f"{case.rule:12} {case.group:20} seed {case.seed} chip {case.chip_seed}"
            print(f"{which}: {known[case]:.5g}", flush=True)
    _table(cases, known)
    if args.output:
        _draw(args, cases, known)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net")
    parser.add_argument("--metric", required=True)
    parser.add_argument("--rule", action="append", required=True)
    parser.add_argument("--chip", action="append")
    parser.add_argument("--kind", action="append")
    parser.add_argument("--sigma", action="append", type=float)
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--seed", action="append", type=int)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--results")
    parser.add_argument("-o", "--output")
    return parser.parse_args()


def _rule(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, sets = text.partition(":")
    return name, tuple(s for s in sets.split(";") if s)


def _cases(args: argparse.Namespace, rules: list[str]) -> Iterator[Case]:
    for seed in args.seed or [1]:
        for rule in rules:
            yield Case(rule, "ideal", 0.0, None, seed)
            for chip in args.chip or ["generic16", "generic8"]:
                yield Case(rule, chip, 0.0, None, seed)
                for sigma in args.sigma or [0.1, 0.2]:
                    for number in range(args.instances):
                        yield Case(rule, chip, sigma, number, seed)


def _known(path: Path) -> dict[Case, float]:
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {Case(**{k: v for k, v in row.items() if k != "value"}): row["value"] for row in rows}


def _run(args: argparse.Namespace, case: Case, sets: tuple[str, ...]) -> float:
    network = neuroport.load(args.net, [*args.set, *sets, f"seed={case.seed}"])
    chip = chips.load(case.chip)
    if case.sigma:
        kinds = args.kind or network.kinds
        chip = deviating(chip, network.kinds, [f"{kind}={case.sigma}" for kind in kinds])
    result = neuroport.run(network, chip=chip, chip_seed=case.chip_seed)
    value = result.metrics[args.metric][-1][1]
    return float(np.mean(value))


def _table(cases: list[Case], values: dict[Case, float]) -> None:
    print(f"{'rule':12} {'chip':20} {'runs':>4} {'median':>9} {'quartiles':>21} {'lowest':>9} {'highest':>9}")
    for group, rule in dict.fromkeys((c.group, c.rule) for c in cases):
        found = np.array([values[c] for c in cases if (c.group, c.rule) == (group, rule)])
        low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
        quartiles = f"{low:.4g} .. {high:.4g}"
        ends = f"{found.min():9.4g} {found.max():9.4g}"
        print(f"{rule:12} {group:20} {len(found):4} {middle:9.4g} {quartiles:>21} {ends}")


def _draw(args: argparse.Namespace, cases: list[Case], values: dict[Case, float]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    floor = min((v for v in values.values() if v > 0), default=1.0) / 3 if args.log else -np.inf
    groups = list(dict.fromkeys(c.group for c in cases))
    rules = list(dict.fromkeys(c.rule for c in cases))
    figure, axes = pyplot.subplots(figsize=(1.5 + 1.05 * len(groups), 3.6), layout="constrained")
    for k, rule in enumerate(rules):
        for g, group in enumerate(groups):
            found = np.array([max(values[c], floor) for c in cases if (c.group, c.rule) == (group, rule)])
            x = g + 0.24 * (k - (len(rules) - 1) / 2)
            spread = np.linspace(-0.06, 0.06, len(found)) if len(found) > 1 else np.zeros(1)
            axes.plot(x + spread, found, "o", color=f"C{k}", ms=3.5, alpha=0.6, label=rule if g == 0 else None)
            axes.plot([x - 0.09, x + 0.09], [np.median(found)] * 2, color=f"C{k}", lw=2)
    axes.set_xticks(range(len(groups)), [g.replace("ideal", "float").replace(", ", "\n") for g in groups])
    axes.set_ylabel(f"{args.metric} (lowest: 0)" if args.log and min(values.values()) <= 0 else args.metric)
    axes.set_title(f"{args.net}: every dot is a run, lines are medians", fontsize=10)
    if args.log:
        axes.set_yscale("log")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(args.output, dpi=120)


if __name__ == "__main__":
    main()
