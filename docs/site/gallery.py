"""The gallery: programs, each with a page of its own, and the cards of all of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from made import HERE, LONGEST, environment, images, kept
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective


def picture(program: Path, folder: Path) -> Path:
    """What a program of the gallery draws, after it has run."""
    file = folder / f"{program.stem}.svg"
    if not file.exists():
        command = [sys.executable, str(HERE / "draw.py"), str(program), str(file)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=LONGEST, cwd=folder)
        if done.returncode or done.stdout:
            file.unlink(missing_ok=True)
            raise ExtensionError(f"{program}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return file


def told(program: Path) -> str:
    """The first line of a program's docstring."""
    return str(ast.get_docstring(ast.parse(program.read_text("utf-8")))).split("\n", 1)[0]


class Example(SphinxDirective):
    """The picture and the text of a program beside this page."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Its nodes."""
        program = Path(self.env.doc2path(self.env.docname)).parent / self.arguments[0]
        self.env.note_dependency(str(program))
        text = program.read_text("utf-8")
        found: list[nodes.Node] = []
        if self.config.run_examples:
            file = picture(program, kept(self.env.app, program.stem, text))
            found += images(self.env.app, file, told(program))
        code = nodes.literal_block(text, text, language="python")
        return [*found, code, *self.parse_text_to_nodes(f"{{download}}`{program.name} <{program.name}>`")]


class Gallery(SphinxDirective):
    """A card for each of these pages: picture, title, and what it shows."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Its nodes."""
        grid = nodes.container(classes=["gallery"])
        for name in self.content:
            program = Path(self.env.doc2path(self.env.docname)).parent / f"{name}.py"
            self.env.note_dependency(str(program))
            card = nodes.container(classes=["card"])
            if self.config.run_examples:
                file = picture(program, kept(self.env.app, program.stem, program.read_text("utf-8")))
                card += images(self.env.app, file, told(program))
            link = addnodes.pending_xref(
                "",
                nodes.inline("", ""),
                refdomain="std",
                reftype="doc",
                reftarget=name,
                refexplicit=False,
                refwarn=True,
                refdoc=self.env.docname,
            )
            card += [nodes.paragraph("", "", link), nodes.paragraph("", told(program))]
            grid += card
        return [grid]


def setup(app: Sphinx) -> dict[str, bool]:
    """The two directives."""
    app.setup_extension("made")
    app.add_directive("example", Example)
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True}
