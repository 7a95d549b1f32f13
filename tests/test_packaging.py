"""What is installed is what lies in the checkout, and the checkout is importable as it is."""

from __future__ import annotations

import importlib.metadata
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import neuroport
import neuroport.errors
import neuroport.kernels
import neuroport.networks

PARTS = {
    "neuroport": "neuroport",
    "backends": "neuroport.backends",
    "kernels": "neuroport.kernels",
    "networks": "neuroport.networks",
}


@pytest.fixture
def setuptools_table(root: Path) -> dict[str, Any]:
    return dict(tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"])


def test_every_package_is_installed(root: Path, setuptools_table: dict[str, Any]) -> None:
    found = set()
    for folder, package in PARTS.items():
        for here, _, names in os.walk(root / folder):  # does not enter the links inside neuroport/
            if "__init__.py" in names:
                found.add(".".join([package, *Path(here).relative_to(root / folder).parts]))
    assert sorted(found) == sorted(setuptools_table["packages"])


def test_every_data_file_is_installed(root: Path, setuptools_table: dict[str, Any]) -> None:
    """A YAML, HDF5 or CSV file that no pattern of package-data matches would be left out of the wheel."""
    installed = set()
    for package, patterns in setuptools_table["package-data"].items():
        folder = root / setuptools_table["package-dir"].get(package, package.replace(".", "/"))
        for pattern in patterns:
            installed |= set(folder.glob(pattern))
    data = {
        file
        for folder in PARTS
        for file in (root / folder).rglob("*")
        if file.suffix in {".yaml", ".h5", ".csv", ".typed"} and not any(part.is_symlink() for part in file.parents)
    }
    assert data - installed == set()


def test_checkout_links(root: Path) -> None:
    for folder in ("backends", "kernels", "networks"):
        link = root / "neuroport" / folder
        assert link.is_symlink()
        assert link.resolve() == root / folder


def test_no_generic_name_is_installed() -> None:
    """`kernels` is somebody else's package: nothing but neuroport may reach the top level."""
    records = [d.read_text("RECORD") for d in importlib.metadata.distributions(name="neuroport")]
    record = next((text for text in records if text), None)
    if record is None:
        pytest.skip("neuroport runs from a checkout here and is not installed")
    tops = {line.split("/")[0] for line in record.splitlines() if not line.startswith("..")}
    assert {top for top in tops if not top.startswith(("neuroport", "__editable__"))} == set()


def test_version_is_written_once(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dynamic"] == ["version"]
    assert neuroport.__version__ in (root / "CHANGELOG.md").read_text("utf-8")


def test_the_lowest_version_of_everything_is_stated_and_told(root: Path) -> None:
    """The page has those of pyproject.toml, so that whoever moves a bound says why."""
    whole = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    extras = [requirement for extra in whole["project"]["optional-dependencies"].values() for requirement in extra]
    wanted = [*whole["project"]["dependencies"], *whole["build-system"]["requires"], *extras]
    stated = {tuple(requirement.split(">=")) for requirement in wanted}
    assert all(len(pair) == 2 for pair in stated), stated
    page = (root / "docs" / "architecture.md").read_text("utf-8").partition("## Versions")[2]
    told = set(re.findall(r"^\| `([\w-]+)` \| ([\w.]+) \|", page, re.MULTILINE))
    assert stated - told == {("pre-commit", "3.7"), ("types-PyYAML", "6.0")}, "which the tests do not use"
    assert told <= stated


def test_shipped_networks_are_found() -> None:
    names = neuroport.networks.names()
    assert "sal_sampling" in names and "published/hodgkin_huxley" in names
    assert all(neuroport.networks.path(name).is_file() for name in names)


@pytest.mark.parametrize(
    ("name", "guess"),
    [("sal_samplnig", "did you mean 'sal_sampling'?"), ("xyz", "networks.names() tells what there is")],
)
def test_an_unknown_network_is_told_with_one_that_is_near(name: str, guess: str) -> None:
    with pytest.raises(neuroport.errors.InvalidInput) as caught:
        neuroport.networks.path(name)
    assert str(caught.value) == f"there is no shipped network '{name}'; {guess}"
