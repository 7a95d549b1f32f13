"""The site of the pages is built without a warning and without a network, and can be read without one."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import neuroport
from neuroport import hil
from tests.support.checkout import ROOT

pytestmark = pytest.mark.dear

DOCS = ROOT / "docs"
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix()
    for path in [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")]
    if ".ipynb_checkpoints" not in path.parts
)
NEEDED = ("sphinx", "furo", "myst_parser", "nbformat", "matplotlib")
LACKING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
needs_sphinx = pytest.mark.skipif(bool(LACKING), reason=f"there is no {', '.join(LACKING)} (extra docs)")


def published(folder: Path, *options: str) -> str:
    """What `docs/publish.py` says, which has to go well."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(DOCS / "publish.py"), str(folder), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Links(HTMLParser):
    """What a page loads, what it leads to, and the names of its places."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.led: set[str] = set()
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.names |= {found["id"]} if "id" in found else set()
        self.loaded |= {found["src"]} if "src" in found else set()
        if tag == "a":
            self.led |= {found.get("href", "")} - {""}
        elif tag == "link" and found.get("rel") not in ("search", "index", "next", "prev", "author", "canonical"):
            self.loaded |= {found["href"]}


def lost(site: Path) -> list[str]:
    """Links between pages, and files that they load, that are not there or come from elsewhere."""
    pages = {page: Links(page.read_text("utf-8")) for page in site.rglob("*.html")}
    found = []
    for page, links in pages.items():
        for link in links.loaded | links.led:
            name, _, place = link.partition("#")
            if re.match(r"[a-z]+:", name):
                found += [f"{page}: loads {link}"] if link in links.loaded and not name.startswith("data:") else []
                continue
            target = (page.parent / name.partition("?")[0]).resolve() if name else page
            if not target.is_file():
                found.append(f"{page}: {link} is not there")
            elif place and target in pages and place not in pages[target].names:
                found.append(f"{page}: {link} has no such place")
    return found


@needs_sphinx
def test_the_site_without_what_programs_draw(tmp_path: Path) -> None:
    (tmp_path / "0.0.9").mkdir()
    (tmp_path / "0.0.9" / "objects.inv").touch()
    (tmp_path / "0.0.9" / "index.html").write_text("<html></html>", "utf-8")
    published(tmp_path, "-D", "run_examples=0")
    site = tmp_path / neuroport.__version__
    assert [page for page in PAGES if not (site / f"{page}.html").is_file()] == []
    assert lost(tmp_path) == []
    for page in ("index", "gallery/balanced"):
        text = (site / f"{page}.html").read_text("utf-8")
        assert "<title>" in text and f"neuroport {neuroport.__version__}" in text
        assert f'version {neuroport.__version__} · <a href="{"../" * (page.count("/") + 1)}versions.html">' in text
    versions = (tmp_path / "versions.html").read_text("utf-8")
    assert re.findall(r'href="([^"]*)/index.html"', versions) == [neuroport.__version__, "0.0.9"]
    assert f"url={neuroport.__version__}/index.html" in (tmp_path / "index.html").read_text("utf-8")
    reference = "".join(page.read_text("utf-8") for page in (site / "reference").glob("*.html"))
    entries = set(re.findall(r'id="([\w.]+)"', reference))
    mappings = {f"neuroport.{name}" for name in ("models", *neuroport._ROOMS) if name != "hil"}
    public = {f"neuroport.{name}" for name in neuroport.__all__ if name != "hil"} | {
        f"neuroport.hil.{n}" for n in hil.__all__
    }
    assert public - mappings - entries == set()
    assert [name for name in mappings if name not in reference] == []


@pytest.mark.slow
@needs_sphinx
def test_the_whole_site(tmp_path: Path) -> None:
    published(tmp_path, "--name", "main")
    assert lost(tmp_path) == []
    gallery = (tmp_path / "main" / "gallery" / "index.html").read_text("utf-8")
    drawn = set(re.findall(r'src="\.\./_images/(\w+)(?:-dark)?\.svg"', gallery))
    assert drawn == {program.stem for program in (DOCS / "gallery").glob("*.py")}
    assert "url=main/index.html" in (tmp_path / "index.html").read_text("utf-8")


def test_a_version_has_a_name_that_a_folder_can_have(tmp_path: Path) -> None:
    command = [sys.executable, str(DOCS / "publish.py"), str(tmp_path), "--name", "../other"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "--name is '../other'; it begins with a letter or digit" in done.stderr
    assert list(tmp_path.iterdir()) == []
