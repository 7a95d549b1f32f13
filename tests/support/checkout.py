"""Where things lie in the checkout that the tests belong to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = ROOT / "tests" / "networks"
