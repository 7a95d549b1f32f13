"""Faults of the code that GeNN generates for GPUs, as it is mended before it is compiled."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neuroport.backends.genn import mending
from tests.support.executors import needs_genn

LISTS = """for (r) {
    const unsigned int numSpikesInBlock = (r == last) ? 3 : 32;
    if (threadIdx.x < numSpikesInBlock) {
"""
WAITS = """for (r) {
    const unsigned int numSpikesInBlock = (r == last) ? 3 : 32;
    __syncthreads();
    if (threadIdx.x < numSpikesInBlock) {
"""
ADDS, ADDS_WHOLE = "shOutPost[ipost] += ((float)(w[a] + 1));\n", "atomicAdd(&shOutPost[ipost], ((float)(w[a] + 1)));\n"
RIGHT = "shOutPost[threadIdx.x] = 0;\nshRowLength[threadIdx.x] += 1;\nfor (const unsigned int numSpikesInBlock = 3;;)\n"


@pytest.mark.parametrize(
    ("generated", "compiled"),
    [(LISTS, WAITS), (WAITS, WAITS), (ADDS, ADDS_WHOLE), (ADDS_WHOLE, ADDS_WHOLE), (RIGHT, RIGHT)],
)
def test_what_is_mended(generated: str, compiled: str) -> None:
    assert mending.mended(generated) == compiled
    assert mending.mended(f"{generated}{generated}") == f"{compiled}{compiled}"


@needs_genn
def test_it_is_mended_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pygenn import genn_model

    before, made = genn_model.check_call, []

    def make(command: list[str], **_: Any) -> int:
        made.append((command, file.read_text(), file.stat().st_mtime_ns))
        return 0

    monkeypatch.setattr(mending, "subprocess", SimpleNamespace(check_call=make))
    file = tmp_path / mending.SYNAPSES
    file.write_text(LISTS)
    with mending.before_make():
        for _ in range(2):
            genn_model.check_call(["make", "-C", str(tmp_path)])
        genn_model.check_call(["other"])
    assert [text for _, text, _ in made] == [WAITS, WAITS, WAITS]
    assert made[0][2] == made[1][2]
    assert genn_model.check_call is before
