"""The current-based benchmark network."""

from __future__ import annotations

from tests.oracles import published_vogels_abbott as oracle
from tests.support.published.vogels_abbott import model

MODEL = model("published/cuba", "benchmark 2", oracle.cuba)
