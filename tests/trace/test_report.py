"""Reports: one file with all that is known of runs, which needs nothing else and looks right in a real browser."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.trace.pictures.figure import COLOURS
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.report.document import document, write
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


def test_an_incomplete_run_says_so(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.h5", SOURCE) as writer:
        writer.close(steps=20, complete=False)
    page = document([open_trace(tmp_path / "a.h5")])
    assert "This trace is incomplete: the run was cut off after step 19." in Tags(page).text


def test_a_trace_without_anything_to_draw_has_a_report(tmp_path: Path) -> None:
    from dataclasses import replace

    network = replace(SOURCE.network, record=replace(SOURCE.network.record, spikes=()))
    with Writer(tmp_path / "a.h5", replace(SOURCE, network=network)) as writer:
        writer.close(steps=20, final={"ab.w": np.zeros(6)})
    page = document([open_trace(tmp_path / "a.h5")])
    assert "there is nothing to draw in it" in page


def said(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["report", *map(str, arguments)], catch_exceptions=False)
    return done.exit_code, done.output


def test_a_folder_stands_for_its_traces(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    assert said(folder, "-o", tmp_path / "r.html") == (
        2,
        f"error: {folder}: has no FILE.h5 in it; run a network with -o first\n",
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
