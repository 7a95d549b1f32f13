"""`benchmarks/gpu.py`: what it says where there is no GPU or no time left, and what its table has."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks import gpu
from benchmarks.gpu import Found, Row
from neuroport.backends.genn import Genn

TOOK = {
    "by hand": {"build_s": 5.8, "ms_per_1000": 18.1, "spikes": 41_000},
    "generated, integers": {"build_s": 6.0, "ms_per_1000": 21.5, "spikes": 41_000},
    "emulator": {"build_s": 0.5, "ms_per_1000": 10.0, "spikes": 41_000},
}


def test_rows_stand_in_the_order_in_which_they_are_measured() -> None:
    kinds = [row.function for row in gpu.rows()]
    assert list(dict.fromkeys(kinds)) == ["verify", "spiking", "dealt", "copies", "batch"]
    assert kinds.count("verify") == len(gpu.NAMES)
    assert [row.given for row in gpu.rows() if row.function == "copies"][-2] == ("sal_sampling", 10_000)
    small = gpu.in_small("hip")
    assert {row.function for row in small} == set(kinds) and len(small) < 14
    assert {row.function for row in gpu.in_small("cpu")} == set(kinds) - {"dealt"}


def test_the_table_tells_what_was_measured_and_what_was_not() -> None:
    without = {name: took for name, took in TOOK.items() if name != "by hand"}
    found = [
        Found("verify a", "measured", {"same": "identical"}),
        Found("verify b", "measured", {"same": "identical"}),
        Found("verify c", gpu.SPENT),
        Found("4,000 neurons", "measured", TOOK),
        Found("chips", "measured", without),
        Found("a way", "measured", {"generated, integers": TOOK["generated, integers"]}),
        Found("more chips", gpu.SPENT),
    ]
    assert gpu.table(found).splitlines()[2:] == [
        "| 4,000 neurons | 18.1 (5.8 s) | 21.5 (6 s) | - | 10 (0.5 s) | 1.19 x by hand |",
        "| chips | - | 21.5 (6 s) | - | 10 (0.5 s) | emulator 0.47 x |",
        "| a way | - | 21.5 (6 s) | - | - | measured |",
        "| more chips | - | - | - | - | budget spent |",
        "",
        "- identical: 2 (a, b)",
        "- budget spent: 1 (c)",
    ]


def test_what_no_time_is_left_for_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measured(row: Row, device: str, seconds: float) -> Found:
        asked.append((row.what, round(seconds)))
        return Found(row.what, "measured")

    monkeypatch.setattr(gpu, "measured", measured)
    rows = [Row("verify a", "verify", ("a",)), Row("b", "spiking", (4000, False))]
    assert [row.state for row in gpu.all_measured(rows, "cuda", 10)] == ["measured", "measured"]
    assert asked == [("verify a", 240), ("b", 600)]
    assert [row.state for row in gpu.all_measured(rows, "cuda", 0)] == [gpu.SPENT, gpu.SPENT]


def test_without_a_gpu_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "in_small", lambda device: [])
    assert gpu.main(["--device", "cpu", "--json", str(tmp_path / "found.json")]) == 0
    assert capsys.readouterr().out.startswith("not measured: there is no GPU that PyGeNN was built for\n")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["device"] is None and {row["state"] for row in found["rows"]} == {"not measured"}
    with pytest.raises(SystemExit):
        gpu.main(["--device", "cpu", "--write"])
    assert "--write needs a GPU: there is no GPU" in capsys.readouterr().err


def test_without_pygenn_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Genn, "missing", lambda _: "PyGeNN is not there")
    assert gpu.main(["--device", "hip"]) == gpu.main(["--device", "cpu"]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("not measured: PyGeNN is not there\n") == 2 and printed.err == ""


@pytest.mark.dear
def test_a_row_that_fails_says_why() -> None:
    found = gpu.measured(Row("one", "spiking", ("no size", False)), "cpu", 60)
    assert (found.state, found.note.split(":")[0]) == (gpu.FAILED, "TypeError")
    assert gpu.measured(Row("one", "spiking", (4000, False)), "cpu", 0.01).state == gpu.SPENT


def test_the_page_gets_the_table_between_its_marks() -> None:
    page = (ROOT / "docs" / "speed.md").read_text("utf-8")
    new = gpu.written(page, "| new |")
    assert f"{gpu.BEGIN}\n\n| new |\n\n{gpu.END}" in new
    assert new.count("\n## ") == page.count("\n## ")
