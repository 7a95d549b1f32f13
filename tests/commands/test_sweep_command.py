"""neuroport sweep: what it is told, what it says, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from neuroport.cli import main
from tests.support import deadly
from tests.support.checkout import ROOT

RUN = ("sweep", "loihi_lif", "--backend", "reference", "--workers", "1")
FILE = """\
network: loihi_lif
backend: reference
grid: {cell.vth: [300, 400], seed: 0:2}
"""


def called(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.dear
def test_a_sweep_is_run_and_gone_on_with(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    first = called(*RUN, "--set", "cell.vth=[300, 400]", "--seed", "0:2", "-o", folder)
    assert first.exit_code == 0, first.output
    head, columns, *rows = first.stdout.splitlines()
    assert (head, columns) == ("loihi_lif: 4 points: 4 done", "  cell.vth  done")
    assert rows[:2] == ["       300  2 of 2", "       400  2 of 2"] and rows[2].startswith("took ")
    assert first.stderr == ""
    text = (folder / "runs.jsonl").read_bytes()
    again = called(*RUN, "--set", "cell.vth=[300, 400]", "--seed", "0,1", "-o", folder)
    assert again.exit_code == 0 and (folder / "runs.jsonl").read_bytes() == text
    out = tmp_path / "t.csv"
    assert called("sweep", "table", folder, "-o", out).stdout.splitlines()[-1] == str(out)
    told = json.loads(called("sweep", "table", folder, "--json").stdout)
    assert [row["digest"] for row in told["rows"]] == [json.loads(line)["digest"] for line in text.splitlines()]
    assert called("sweep", "plot", folder, "-o", tmp_path / "a.png").output == (
        "error: there is nothing to draw: no point is done, or no metric of the network is one number; "
        "`neuroport sweep table` tells what there is\n"
    )
    file = tmp_path / "sweep.yaml"
    file.write_text(FILE)
    dry = called("sweep", file, "-o", folder, "--dry-run")
    assert dry.output.splitlines() == [
        "  cell.vth: 2 values: 300, 400",
        "  seed: 2 values: 0 to 1",
        "loihi_lif: 4 points, of which 0 would be run",
        "  the network was read with 2 combinations of settings",
    ]


@pytest.mark.dear
def test_points_that_fail_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.syspath_prepend(str(deadly.installed(tmp_path / "site")))
    sweep = ("sweep", "loihi_lif", "--backend", "deadly", "--seed", f"1,{deadly.KILLED}", "--set", "cell.vth=300")
    result = called(*sweep, "-o", tmp_path / "s", "--workers", "1")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "loihi_lif: 2 points with cell.vth 300: 1 done, 1 killed"
    assert result.stderr.splitlines() == [
        f"error: killed: cell.vth 300, seed {deadly.KILLED}: its process was ended by signal 9, perhaps because memory "
        "was short",
        "note: --retry-failed runs points that failed once more",
    ]


def refused(*arguments: object) -> list[str]:
    result = called("sweep", *arguments)
    assert result.exit_code == 2, result.output
    return [line for line in result.stderr.splitlines() if line.lower().startswith("error")]


def test_all_problems_of_options_are_told(tmp_path: Path) -> None:
    more: tuple[object, ...] = (
        "--set",
        "x",
        "--chip-seed",
        "a",
        "--time-limit",
        "1",
        "--memory-limit",
        "2",
        "-o",
        tmp_path,
    )
    seeds = "seeds are whole numbers from 0 to 2**63 - 1, such as 3, [1, 2] or 0:100"
    assert refused(
        "loihi_lif", "--seed", "3:1", "--set", "cell.vth=[]", "--yield", "dkl < nan", "--yield", "dkl 3", *more
    ) == [
        "error: the limit of time must be a time by the clock, such as '30 s', '10 min' or '2 h'; found '1'",
        "error: the limit of memory is '2'; give a number and one of MiB, GiB, TiB, MB, GB, TB, such as 40GiB",
        "error: --set cell.vth: it has no values; give at least one",
        "error: --set x: write PATH=VALUE, such as recurrent.eta_s=0 or seed=3",
        f"error: --chip-seed: it holds 'a'; {seeds}",
        "error: --seed: it has no seed from 3 to before 1, as the last number is not one; give one above the first",
        "error: --yield: 'dkl < nan' is no condition; write METRIC, a sign (<, <=, >, >=) and a number, such "
        "as 'dkl < 0.03'",
        "error: --yield: 'dkl 3' is no condition; write METRIC, a sign (<, <=, >, >=) and a number, such "
        "as 'dkl < 0.03'",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("loihi_lif",), "Error: say where the results go, with -o FOLDER; --dry-run only tells what would be run."),
        (
            ("loihi_lif", "-o", ""),
            "Error: say where the results go, with -o FOLDER; --dry-run only tells what would be run.",
        ),
        (
            ("plot", "s", "-o", "a.txt"),
            "error: a.txt: a picture needs a name that ends in .png or .pdf or .svg, such as a.txt.png",
        ),
        (
            ("loihi_lif", "-o", "s", "--workers", "1", "--scheduler", "tcp://a:1"),
            "Error: --scheduler has workers of its own; leave --workers out.",
        ),
        (("table", "nosuch"), "error: nosuch: there is no such folder"),
        (("table", "."), "error: .: there is no sweep in this folder; give that which -o of `neuroport sweep` made"),
        (
            ("sweep.yaml", "--seed", "1", "--chip", "ideal", "-o", "s"),
            "Error: 'sweep.yaml' says what the grid is; leave --chip, --seed out, or change the file.",
        ),
    ],
)
def test_wrong_use_is_told(
    arguments: tuple[Any, ...], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.yaml").write_text(FILE)
    assert refused(*arguments) == [text]
    assert not (tmp_path / "s").exists()


def test_a_problem_of_a_setting_has_its_place_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(FILE.replace("cell.vth", "cell.vt").replace("seed: 0:2", "chip: generic9"))
    setting, chip = refused(file, "-o", tmp_path / "s")
    assert chip.startswith(f"error: {file}:3:29: there is no chip 'generic9'; ")
    assert setting.startswith(f"error: {file}:3:8: population 'cell' has no parameter 'vt'; ")


def test_help_tells_how_a_sweep_is_run() -> None:
    text = called("sweep", "--help").output
    assert (
        text.startswith("Usage: neuroport sweep NET|SWEEP.yaml -o FOLDER [OPTIONS]\n") or "sweep NET|SWEEP.yaml" in text
    )
    assert all(word in text for word in ("--chip-seed", "--retry-failed", "table", "plot"))
    assert "  run " not in text


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    result = called(*RUN, "--seed", "0:100", "--chip", "ideal", "--chip", "loihi1", "--dry-run", "-o", tmp_path / "s")
    assert result.output.splitlines() == [
        "  chip: 2 values: ideal, loihi1",
        "  seed: 100 values: 0 to 99",
        "loihi_lif: 200 points, of which 200 would be run",
        "  the network was read with 1 combination of settings",
    ]
    assert not (tmp_path / "s").exists()
