"""What all tests share: their own compile cache, the executors, which tests are quick, stored texts to compare with.

Every program of the tests is verified after every pass.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neuroport.program.executor import Backend
from tests.support.checkout import ROOT

pytest.register_assert_rewrite("tests.support.surface")

TESTS = Path(__file__).parent
COMPILED = re.compile(r"\b(emulator|genn)\b")
"""The executors that compile what they execute, in the name of a parametrised test."""

os.environ.setdefault("NEUROPORT_CACHE", str(ROOT / ".cache" / "neuroport"))  # never that of the user
os.environ["NEUROPORT_CHECK"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the stored texts in tests/golden/")
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is dear because it compiles, and what is quick; the dear come first, so that processes end together."""
    for item in items:
        if COMPILED.search(item.name.partition("[")[2]):
            item.add_marker("dear")
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))
        elif not {"slow", "dear"} & item.keywords.keys():
            item.add_marker("quick")
    items.sort(key=lambda item: "quick" in item.keywords)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A quick test fails when it compiles, so that `-m quick` stays quick."""
    with pytest.MonkeyPatch.context() as patch:
        if "quick" in item.keywords:
            _refuse_to_compile(patch)
        return (yield)


def _refuse_to_compile(patch: pytest.MonkeyPatch) -> None:
    from neuroport.backends.emulator import cache as emulator
    from neuroport.backends.genn import cache as genn

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("this test compiles a program: mark it (or its file, by pytestmark) with pytest.mark.dear")

    patch.setattr(emulator, "load", refuse)
    patch.setattr(genn, "build", refuse)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout. Tests that need it are skipped when tests/ was copied away from it to test a wheel."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this test looks at the checkout, and tests/ was copied away from it")
    return ROOT


@pytest.fixture(scope="session", params=["reference", "emulator", "genn"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each executor in turn, skipped with its reason where it is not installed; the reference checks every value."""
    from tests.support.executors import BACKENDS

    found: Backend = BACKENDS[request.param]
    if reason := found.missing():
        pytest.skip(reason)
    return found


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a text with tests/golden/<folder>/<file>/<test>.txt (or .../<test>.<part>.txt).

    A missing file fails, so that nobody commits a test that compares with nothing.
    """

    def check(text: str, part: str = "") -> None:
        stem = f"{request.node.name}.{part}" if part else request.node.name
        file = TESTS / "golden" / request.node.path.relative_to(TESTS).with_suffix("") / f"{stem}.txt"
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            return
        shown = file.relative_to(TESTS)
        if not file.exists():
            pytest.fail(f"{shown} does not exist. Write it with --update-golden and read it. The text is:\n{text}")
        assert text == file.read_text("utf-8"), f"differs from {shown}; if that is right, rewrite it: --update-golden"

    return check
