"""The conductance-based benchmark network."""

from __future__ import annotations

from tests.oracles import published_vogels_abbott as oracle
from tests.support.published.vogels_abbott import model

MODEL = model("published/coba", "benchmark 1", oracle.coba)
