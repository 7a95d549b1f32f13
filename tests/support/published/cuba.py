"""The current-based benchmark network."""

from __future__ import annotations

from tests.oracles import published_vogels_abbott as oracle
from tests.support.published.model import Row
from tests.support.published.vogels_abbott import IRREGULAR, RATES, model

MODEL = model("published/cuba", "benchmark 2", oracle.cuba, (*map(Row, RATES), Row(IRREGULAR)))
