"""Reports: one file with all that is known of runs, which needs nothing else and looks right in a real browser."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.pages import Cell, Page, Table, Text
from neuroport.trace.pictures.figure import COLOURS
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.report.document import document, write
from neuroport.trace.report.onchip import EXACT, arithmetic, drift, mapping
from neuroport.trace.report.pages import command
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE
from tests.support.traces import write as write_trace

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VOID = {"meta", "img", "br", "hr"}
NET = """
neuroport: 1
name: net
title: A net with <script>alert(1)</script> in its title
dt: 1 ms
seed: 3
populations:
  noise: {size: 20, neuron: poisson, params: {rate: 80 Hz}}
  exc: {size: 5, neuron: lif}
projections:
  drive: {source: noise, target: exc, synapse: stdp_pair, input: jump, connect: all_to_all, weight: 0.8}
metrics: {rate: {rate: exc}}
record: {spikes: [exc], weights: {drive.w: 20 ms}}
protocol: [{run: 100 ms}, {measure: [rate]}, {run: 100 ms}, {measure: [rate]}]
"""


class Tags(HTMLParser):
    """The elements of a page, that each is closed, and what it refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.refers: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.refers += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.refers += [f"#{inside}" for _, value in attrs for inside in re.findall(r"url\(#(.*?)\)", value or "")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    path = tmp_path_factory.mktemp("report") / "run.h5"
    neuroport.run(neuroport.loads(NET), "reference", "generic16", trace=path)
    return open_trace(path)


def test_a_report_is_whole_and_needs_nothing_else(trace: Trace) -> None:
    tags = Tags(document([trace]))
    assert tags.open == []
    assert not {"script", "link", "iframe"} & set(tags.seen)
    assert {one.split(",")[0] for one in tags.refers if not one.startswith("#")} == {"data:image/png;base64"}


def test_elements_of_figures_have_names_of_their_own(trace: Trace) -> None:
    tags = Tags(document([trace, trace]))
    assert len(set(tags.ids)) == len(tags.ids) > 100
    assert {one[1:] for one in tags.refers if one.startswith("#")} <= set(tags.ids)


def test_figures_have_the_colours_of_the_page(trace: Trace) -> None:
    page = document([trace])
    figure = page[page.index("<svg ") : page.index("</svg>")]
    assert "var(--colour-0)" in figure
    assert "var(--ground)" in figure
    assert set(re.findall(r": (#[0-9a-f]{6})", figure)) <= {"#999999", "#808080"}, "greys are seen on both grounds"
    for k in range(len(COLOURS)):
        assert page.count(f"--colour-{k}:") == 2, "in light and dark"


def test_a_report_has_what_ran_and_what_came_out(trace: Trace) -> None:
    text = "\n".join(Tags(document([trace])).text)
    spikes = f"{trace.spike_counts['exc']:,}"
    for told in (trace.digest, "generic16", "reference", spikes, "drive.w", "<script>alert(1)"):
        assert told in text
    last = trace.metrics["rate"][-1][1]
    assert f"{last:.6g}" in text
    bits = next(line["values"]["bits"] for line in trace.report if line["subject"] == "drive.w")
    assert str(bits) in text


def test_the_command_in_a_report_repeats_the_run(trace: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(trace.network_text)
    words = shlex.split(command(trace))
    assert words[0] == "neuroport"
    done = CliRunner().invoke(main, words[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert open_trace("again.h5").digest == trace.digest


def test_several_runs_are_compared(trace: Trace, tmp_path: Path) -> None:
    neuroport.run(neuroport.loads(NET), "reference", "ideal", seed=4, trace=tmp_path / "other.h5")
    page = document([trace, open_trace(tmp_path / "other.h5")])
    tags = Tags(page)
    assert tags.text.count("other.h5") == 2  # in the table, and above all of its own
    assert tags.seen.count("svg") == 3  # both over each other, and each alone
    assert "2 runs" in tags.text


def test_a_list_of_one_number_is_a_number(tmp_path: Path) -> None:
    text = NET.replace("{rate: {rate: exc}}", "{v: {values: exc.v}}").replace("exc: {size: 5", "exc: {size: 1")
    neuroport.run(
        neuroport.loads(text.replace("measure: [rate]", "measure: [v]")), "reference", trace=tmp_path / "a.h5"
    )
    (last,) = open_trace(tmp_path / "a.h5").metrics["v"][-1][1]
    page = Tags(document([open_trace(tmp_path / "a.h5")])).text
    assert f"{last:.6g}" in page and not any("numbers, mean" in part for part in page)


def test_an_incomplete_run_says_so(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.close(steps=20, complete=False)
    page = document([open_trace(tmp_path / "a.h5")])
    assert "This trace is incomplete: the run was cut off after step 19." in Tags(page).text


def test_a_trace_without_anything_to_draw_has_a_report(tmp_path: Path) -> None:
    network = replace(SOURCE.network, record=replace(SOURCE.network.record, spikes=()))
    with Writer(tmp_path / "a.h5", replace(SOURCE, network=network)) as writer:
        writer.close(steps=20, final={"ab.w": np.zeros(6)})
    page = document([open_trace(tmp_path / "a.h5")])
    assert "there is nothing to draw in it" in page


@pytest.fixture(scope="module")
def in_real(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    path = tmp_path_factory.mktemp("report") / "ideal.h5"
    neuroport.run(neuroport.loads(NET), "reference", "ideal", trace=path)
    return open_trace(path)


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, Trace]:
    """A run in real numbers and one on a chip that come to spike in other steps."""
    folder = tmp_path_factory.mktemp("report")
    network = neuroport.loads(NET.replace("weight: 0.8", "weight: 0.61").replace("run: 100 ms", "run: 400 ms"))
    for chip in ("ideal", "generic8"):
        neuroport.run(network, "reference", chip, trace=folder / f"{chip}.h5")
    return open_trace(folder / "ideal.h5"), open_trace(folder / "generic8.h5")


def texts(page: Page) -> list[str]:
    return [part.text for part in page.filled if isinstance(part, Text)]


def table(page: Page, first: str) -> dict[Cell, tuple[Cell, ...]]:
    """The rows of the table whose first column is so named."""
    (found,) = (part for part in page.parts if isinstance(part, Table) and part.columns[0] == first)
    return {row[0]: row[1:] for row in found.rows}


def test_a_report_says_where_real_numbers_and_chip_part(parted: tuple[Trace, Trace]) -> None:
    in_real, coarse = parted
    page = drift(coarse, [coarse, in_real])
    real, chip = (set(zip(*one.spikes("exc"), strict=True)) for one in (Steps(in_real), Steps(coarse)))
    step, neuron = min(real ^ chip)
    only = "in real numbers" if (step, neuron) in real else "on the chip"
    weights = [one.weight_samples("drive.w") for one in (in_real, coarse)]
    apart = np.abs(weights[0].values - weights[1].values)
    differs = int(weights[0].steps[np.argmax(apart.max(axis=1) > 0)]) + 1
    beyond = int(weights[0].steps[np.argmax(apart.max(axis=1) >= 2.0 ** -(weights[1].frac or 0))]) + 1
    first = f"The first array seen to differ is drive.w, after {differs} steps; by a step of its format drive.w after "
    assert texts(page) == [
        f"Compared with ideal.h5. The first other spike is in step {step}: exc {neuron}, only {only}. {first}{beyond}.",
        EXACT,
    ]
    assert table(page, "population")["exc"][:4] == (len(real), len(chip), len(real & chip), step)
    assert table(page, "array")["drive.w"][2:5] == (differs, beyond, apart.max())
    assert table(page, "array")["drive.x"][2] == "≤ 800", "it is known at the end alone"
    assert table(page, "metric")["rate"][1:] == tuple(one.metrics["rate"][-1][1] for one in (in_real, coarse))


class Steps:
    """Spikes of a trace as lists of steps and neurons."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def spikes(self, population: str) -> tuple[list[int], list[int]]:
        found = self.trace.spikes(population)
        return found.steps.tolist(), found.neurons.tolist()


def test_drift_that_is_not_known_says_what_it_takes(trace: Trace, in_real: Trace) -> None:
    takes = [
        "How far it drifts away from real numbers is not known here: that takes a run of the same network and seed on "
        "the chip ideal, given to the same report. neuroport run net.yaml --chip ideal --seed 3 -o ideal.h5"
    ]
    assert texts(drift(trace, [trace])) == takes
    for other in (replace(in_real, seed=4), replace(in_real, network_text="other"), replace(in_real, dt=0.5)):
        assert texts(drift(trace, [trace, other])) == takes
    assert drift(in_real, [trace, in_real]).filled == ()


def test_runs_that_do_not_part_say_so(trace: Trace) -> None:
    equal = replace(trace, arithmetic="float64")
    said = "Compared with run.h5. All 0 recorded spikes are the same. No array was seen to differ."
    spikes = trace.spike_counts["exc"]
    assert texts(drift(trace, [equal]))[0] == said.replace("All 0", f"All {spikes}")
    little = replace(trace, recorded=(), snapshots=(), records=())
    said = "Compared with run.h5. No spikes were recorded in both. When arrays part is not known: none was sampled in "
    assert texts(drift(little, [equal]))[0] == f"{said}both (record: {{states: …}})."


def test_a_report_has_the_words_of_arrays_and_what_they_lost(trace: Trace) -> None:
    page = arithmetic(trace)
    bits = next(line["values"]["bits"] for line in trace.report if line["subject"] == "drive.w")
    assert str(table(page, "array")["drive.w"][0]).startswith(f"Q({bits},")
    weights = trace.final_array("drive.w")
    zeros, high = int((weights.raw == 0).sum()), weights.values.max()
    found = table(page, "at the end")["drive.w"]
    assert found[:3] == (100, zeros, float(zeros))
    assert found[5] == len(np.unique(weights.raw))
    top = next(line["values"]["high"] for line in trace.report if line["subject"] == "drive.w")
    assert found[4] == (int((weights.values == high).sum()) if high == top else 0)


def test_stores_out_of_range_are_counted_or_said_not_to_be_known(trace: Trace) -> None:
    assert "No store left the range of its array." in texts(arithmetic(replace(trace, overflows={"exc.v": 0})))
    assert table(arithmetic(replace(trace, overflows={"exc.v": 7})), "left its range") == {"exc.v": (7,)}
    killed = replace(trace, overflows={}, knows_settings=False)
    assert (
        "How many stores left the range of their array is not known: the run was ended before it could say so."
        in texts(arithmetic(killed))
    )


def test_a_report_of_real_numbers_says_that_nothing_was_rounded(in_real: Trace) -> None:
    assert texts(arithmetic(in_real)) == [
        "It was computed in real numbers (float64): nothing was rounded to the words of a chip."
    ]
    assert mapping(in_real).filled == ()


def test_a_report_says_what_is_where_on_the_chip(trace: Trace) -> None:
    page = mapping(trace)
    assert texts(page) == ["1 core of 256 neurons holds 25 neurons; the chip states no limit of synapses per core"]
    assert table(page, "core")[0][-1] == "noise[0:20], exc[0:5]"
    assert table(page, "core")[0][2:5] == (100, 4.0, 20)


def test_what_is_not_known_of_a_chip_is_said(trace: Trace) -> None:
    (text,) = texts(mapping(replace(trace, chip_description="")))
    assert text.startswith("It is not known, for the trace does not say what the chip is: ")
    left = replace(trace, extent=replace(trace.extent, topology=False))
    assert texts(mapping(left))[1:] == [
        "How many synapses end where is not known: the trace has neither the synapses nor their final values, as its "
        "network says record: {topology: none}."
    ]
    copies = replace(trace, copies=2, populations={name: 2 * size for name, size in trace.populations.items()})
    assert texts(mapping(copies))[1:] == ["Each of its 2 copies is there once."]
    assert table(mapping(copies), "core")[0][-1] == "noise[0:20], exc[0:5]"


def said(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["report", *map(str, arguments)], catch_exceptions=False)
    return done.exit_code, done.output


def test_a_folder_stands_for_its_traces(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    assert said(folder, "-o", tmp_path / "r.html") == (
        2,
        f"error: {folder}: has no FILE.h5 and no FILE.hil in it; run a network with -o first\n",
    )
    write_trace(folder / "a.h5")
    write_trace(folder / "b.h5")
    assert said(folder, "-o", tmp_path / "r.html") == (0, f"{tmp_path / 'r.html'}\n")
    assert "a.h5" in (tmp_path / "r.html").read_text()


def test_only_a_report_is_replaced(tmp_path: Path) -> None:
    trace, out = write_trace(tmp_path / "a.h5"), tmp_path / "r.html"
    out.write_text("<p>mine</p>")
    code, text = said(trace, "-o", out, "--overwrite")
    assert (code, out.read_text()) == (2, "<p>mine</p>")
    assert text.startswith(f"error: {out}: is no report, and only a report is replaced; ")
    assert said(trace, "-o", tmp_path / "r.pdf")[0] == 2
    out.unlink()
    assert said(trace, "-o", out)[0] == 0
    assert said(trace, "-o", out)[0] == 2
    assert said(trace, "-o", out, "--overwrite")[0] == 0


def browser(*options: str, page: Path) -> None:
    command = [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)


@pytest.mark.dear
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_shows_it_in_light_and_dark_and_prints_it(trace: Trace, tmp_path: Path) -> None:
    from matplotlib.image import imread

    write([trace], tmp_path / "r.html")
    grounds = {}
    for name, scheme in {"light": 1, "dark": 0}.items():
        shot = tmp_path / f"{name}.png"
        options = (f"--screenshot={shot}", "--window-size=1000,1400", f"--blink-settings=preferredColorScheme={scheme}")
        browser(*options, page=tmp_path / "r.html")
        pixels = imread(shot)[..., :3]
        grounds[name] = float(pixels[:20, :20].mean())
        ink = np.abs(pixels - pixels[0, 0]).sum(axis=2) > 0.3
        assert 0.02 < ink.mean() < 0.6, "there is text and a figure, and room around them"
        assert ink[:, -10:].mean() < 0.01, "nothing runs out at the right"
    assert grounds["light"] > 0.95
    assert grounds["dark"] < 0.15
    browser(f"--print-to-pdf={tmp_path / 'r.pdf'}", page=tmp_path / "r.html")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
