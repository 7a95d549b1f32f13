"""What is not there in every installation: tests that need it are skipped without it."""

from __future__ import annotations

import pytest


def digits() -> None:
    """The images of digits."""
    pytest.importorskip("sklearn", reason="scikit-learn has the images of digits")
