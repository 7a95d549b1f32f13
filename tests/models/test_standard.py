"""The page of the library's models: every row of every entry, and on which chips every model runs."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import neuroport
from neuroport.files import library
from tests.support import on_chips
from tests.support.library import models
from tests.support.published import Model
from tests.support.tabulated import LIBRARY, of_model

MODELS = {model.name: model for model in models()}
EVERY = [(name, kind) for name, kind, _ in library.names()]
every = pytest.mark.parametrize(("name", "kind"), EVERY, ids=[name for name, _ in EVERY])


@cache
def page(root: Path) -> str:
    return (root / "docs" / "models.md").read_text("utf-8")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_page_has_every_row_of_a_model(model: Model, root: Path) -> None:
    """`python benchmarks/published.py NAME --write` writes them."""
    assert model.name in neuroport.models
    found = [(row["quantity"], row["why"]) for row in of_model(LIBRARY, page(root), model)]
    assert found == [(row.quantity, row.why) for row in model.rows]


@every
def test_a_model_is_refused_by_the_chips_that_the_page_says(name: str, kind: str, root: Path) -> None:
    """In the page's sentences; `ideal` runs all."""
    line = next(line for line in page(root).split("\n") if line.startswith(f"| `{name}` | all"))
    refusing = [chip for chip in neuroport.chips if f"`{chip}`" in line.split("|")[2]]
    found = on_chips.outcome(name, kind, ["ideal", *refusing])
    assert [chip for chip, why in found.refusals.items() if why] == refusing
    assert found.line == line


@pytest.mark.slow
@every
def test_a_model_runs_on_the_other_chips(name: str, kind: str, root: Path) -> None:
    """`python benchmarks/published.py --chips --write` writes what is found now."""
    assert f"\n{on_chips.outcome(name, kind, list(neuroport.chips)).line}\n" in page(root)


def test_a_model_without_rows_is_said_to_be_measured_elsewhere(root: Path) -> None:
    _, _, told = page(root).partition("\nOther models are measured where they are told of: ")
    names = re.findall(r"`([a-z_…]+)`", told.partition("\n\n")[0])
    patterns = [name.replace("…", "*") for name in names]
    assert [name for name, _ in EVERY if not any(fnmatch(name, pattern) for pattern in [*patterns, *MODELS])] == []
    assert [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name, _ in EVERY)] == []
