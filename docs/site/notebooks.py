"""Notebooks are pages: they run while the site is built, and are read as the Markdown that they and their outputs are.

`python docs/site/notebooks.py NOTEBOOK` runs one, and ends with 1 where a cell fails.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from made import LONGEST, dark, environment, kept
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx


class Notebook(MystParser):
    """A notebook is read as the Markdown that it and its outputs are."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """See MystParser."""
        app = document.settings.env.app
        folder = kept(app, Path(document["source"]).stem, inputstring)
        super().parse(markdown(inputstring, folder, app.srcdir, app.config.run_examples), document)


def markdown(text: str, folder: Path, start: Path, run: bool) -> str:
    """A notebook as Markdown, after it has run; its pictures go into the folder."""
    file = folder / "executed.ipynb"
    notebook = nbformat.reads(text if not run or not file.exists() else file.read_text("utf-8"), as_version=4)
    if run and not file.exists():
        executed(notebook)
        nbformat.write(notebook, file)
    parts = []
    for number, cell in enumerate(notebook.cells):
        parts.append(cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
        for place, output in enumerate(cell.get("outputs", ())):
            parts += shown(output, folder / f"{number}-{place}", start)
    return "\n\n".join(parts)


def executed(notebook: Any) -> None:
    """Run all cells, in order, in a folder of their own."""
    from nbclient import NotebookClient

    before = dict(os.environ)
    os.environ.update(environment())
    del os.environ["MPLBACKEND"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            resources = {"metadata": {"path": folder}}
            NotebookClient(notebook, timeout=LONGEST, kernel_name="python3", resources=resources).execute()
    finally:
        os.environ.clear()
        os.environ.update(before)


def shown(output: Any, file: Path, start: Path) -> list[str]:
    """The Markdown of what a cell has put out."""
    if output.output_type == "stream":
        return [f"```{{code-block}} text\n:class: output\n{output.text.rstrip()}\n```"]
    data = output.data
    if "image/svg+xml" in data:
        light, other = file.with_suffix(".svg"), file.with_name(f"{file.name}-dark.svg")
        light.write_text(data["image/svg+xml"], "utf-8")
        other.write_text(dark(data["image/svg+xml"]), "utf-8")
        pairs = ((light, "only-light"), (other, "only-dark"))
        return ["\n".join(f"```{{image}} /{os.path.relpath(path, start)}\n:class: {name}\n```" for path, name in pairs)]
    if "image/png" in data:
        file.with_suffix(".png").write_bytes(base64.b64decode(data["image/png"]))
        return [f"```{{image}} /{os.path.relpath(file.with_suffix('.png'), start)}\n:class: on-white\n```"]
    return [f"```{{code-block}} text\n:class: output\n{data['text/plain'].rstrip()}\n```"]


def setup(app: Sphinx) -> dict[str, bool]:
    """The parser."""
    app.setup_extension("made")
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(Notebook)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    executed(nbformat.read(sys.argv[1], as_version=4))
