"""Published models on `ideal` and on a chip, beside independent programs: the table of docs/published.md.

    python benchmarks/published.py [NAME]… [--chip C] [--seeds N] [--write]

`ideal` is float64. Where something is drawn, every number is the mean ± standard deviation over seeds; the difference
is that of the means, in percent of what `ideal` gives. --write puts the rows into docs/published.md, in place of those
of the same models.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.published import Model, models

PAGE = Path(__file__).resolve().parent.parent / "docs" / "published.md"
HEADER = (
    "| model | source | quantity | published | independent program | ideal | {chip} | difference | why |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def figure(values: Sequence[float]) -> str:
    """A number, or mean ± sd of several that are not the same."""
    mean, sd = float(np.mean(values)), float(np.std(values))
    return f"{mean:.4g}" if sd <= 1e-9 * abs(mean) else f"{mean:.4g} ± {sd:.2g}"


def difference(found: Sequence[float], right: Sequence[float]) -> str:
    """How far the mean is from the right one, in percent of that, or absolutely where that is 0."""
    mean, wanted = float(np.mean(found)), float(np.mean(right))
    if abs(mean - wanted) <= 1e-9 * abs(wanted):
        return "0"
    return f"{100 * (mean - wanted) / abs(wanted):+.2g} %" if wanted else f"{mean:+.2g}"


def rows(model: Model, chip: str, seeds: int) -> Iterator[str]:
    """The lines of a model."""
    numbers = range(1, min(seeds, model.seeds) + 1)
    own, ideal, on_chip = (
        [measure(seed) for seed in numbers]
        for measure in (
            model.independent,
            lambda seed: model.measure("ideal", seed),
            lambda seed: model.measure(chip, seed),
        )
    )
    for k, row in enumerate(model.rows):
        right, found = ([one[row.quantity] for one in each] for each in (ideal, on_chip))
        cells = (
            f"`{model.network}`" if k == 0 else "",
            model.source if k == 0 else "",
            row.quantity,
            row.published,
            figure([one[row.quantity] for one in own]),
            figure(right),
            figure(found),
            difference(found, right),
            row.why,
        )
        yield f"| {' | '.join(cells)} |"


def written(page: str, new: dict[str, list[str]], header: str) -> str:
    """The page with these models' rows in its table, which is sorted by model."""
    before, _, rest = page.partition(f"{header}\n")
    lines = rest.split("\n")
    many = next(k for k, line in enumerate(lines) if not line.startswith("|"))
    every: dict[str, list[str]] = {}
    model = ""
    for line in lines[:many]:
        model = line.split("|")[1].strip(" `") or model
        every.setdefault(model, []).append(line)
    every.update(new)
    table = [line for name in sorted(every) for line in every[name]]
    return before + "\n".join([header, *table, *lines[many:]])


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of networks: published/brunel")
    parser.add_argument("--chip", default="generic16")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    header = HEADER.format(chip=args.chip)
    print(header)
    for model in models():
        if not args.names or model.network in args.names:
            found = list(rows(model, args.chip, args.seeds))
            print("\n".join(found), flush=True)
            if args.write:
                PAGE.write_text(written(PAGE.read_text("utf-8"), {model.network: found}, header), "utf-8")


if __name__ == "__main__":
    main()
