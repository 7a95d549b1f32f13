"""The tables of docs/published.md and docs/models.md: their columns, what is measured for them, and their lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.support import library, published
from tests.support.published.model import Model, Numbers, Row

CHIP = "generic16"


@dataclass(frozen=True)
class Measured:
    """A row with what was measured, a number per seed, of the independent program, on `ideal` and on a chip."""

    model: Model
    row: Row
    own: Sequence[float]
    ideal: Sequence[float]
    chip: Sequence[float]

    @property
    def first(self) -> bool:
        """Whether the model's name stands in this row."""
        return self.row is self.model.rows[0]


Column = tuple[str, Callable[[Measured], str]]


@dataclass(frozen=True)
class Page:
    """A page of docs with a table: whose models, and its columns."""

    file: str
    models: Callable[[], list[Model]]
    columns: tuple[Column, ...]

    @property
    def header(self) -> str:
        """The first two lines of the table."""
        return line([title for title, _ in self.columns]) + "\n|" + "---|" * len(self.columns)


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


NAME: Column = ("model", lambda one: f"`{one.model.name}`" if one.first else "")
SOURCE: Column = ("source", lambda one: one.model.source if one.first else "")
QUANTITY: Column = ("quantity", lambda one: one.row.quantity)
PUBLISHED: Column = ("published", lambda one: one.row.published)
OWN: Column = ("independent program", lambda one: figure(one.own))
IDEAL: Column = ("ideal", lambda one: figure(one.ideal))
FROM_OWN: Column = ("difference", lambda one: difference(one.ideal, one.own))
ON_CHIP: Column = (CHIP, lambda one: figure(one.chip))
FROM_IDEAL: Column = ("difference", lambda one: difference(one.chip, one.ideal))
WHY: Column = ("why", lambda one: one.row.why)

NETWORKS = Page(
    "published.md",
    published.models,
    (NAME, SOURCE, QUANTITY, PUBLISHED, OWN, IDEAL, ON_CHIP, FROM_IDEAL, WHY),
)
LIBRARY = Page(
    "models.md",
    library.models,
    (NAME, SOURCE, QUANTITY, OWN, IDEAL, FROM_OWN, ON_CHIP, FROM_IDEAL, WHY),
)
PAGES = (NETWORKS, LIBRARY)


def line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def measured(model: Model, chip: str, seeds: int) -> list[Measured]:
    """All rows of a model, of the seeds 1, 2, …"""
    numbers = range(1, min(seeds, model.seeds) + 1)
    programs: list[Callable[[int], Numbers]] = [
        model.independent,
        lambda seed: model.measure("ideal", seed),
        lambda seed: model.measure(chip, seed),
    ]
    found = [[program(seed) for seed in numbers] for program in programs]
    return [Measured(model, row, *([one[row.quantity] for one in each] for each in found)) for row in model.rows]


def lines(page: Page, rows: Sequence[Measured]) -> list[str]:
    """The lines of a model in the table of a page."""
    return [line([cell(row) for _, cell in page.columns]) for row in rows]


def written(page: Page, text: str, new: dict[str, list[str]]) -> str:
    """The page's text with these models' lines in its table, which is sorted by model."""
    before, _, rest = text.partition(f"{page.header}\n")
    after = rest.split("\n")
    many = next(k for k, row in enumerate(after) if not row.startswith("|"))
    every: dict[str, list[str]] = {}
    model = ""
    for row in after[:many]:
        model = row.split("|")[1].strip(" `") or model
        every.setdefault(model, []).append(row)
    every.update(new)
    table = [row for name in sorted(every) for row in every[name]]
    return before + "\n".join([page.header, *table, *after[many:]])


def of_model(page: Page, text: str, model: Model) -> list[dict[str, str]]:
    """The lines of a model in a page's text, by the titles of their columns."""
    titles = [title for title, _ in page.columns]
    _, name, rest = text.partition(f"\n| `{model.name}` |")
    rows = (name + rest).strip().split("\n")[: len(model.rows)]
    found = [[cell.strip() for cell in row[1:-1].split("|")] for row in rows]
    return [dict(zip(titles, cells, strict=False)) for cells in found]
