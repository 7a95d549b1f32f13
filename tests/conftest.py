"""What all tests share: where the checkout is, and stored texts to compare with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the stored texts in tests/golden/")
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout. Tests that need it are skipped when tests/ was copied away from it to test a wheel."""
    if not (ROOT / "pyproject.toml").exists():
        pytest.skip("this test looks at the checkout, and tests/ was copied away from it")
    return ROOT


TESTS = Path(__file__).parent


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
