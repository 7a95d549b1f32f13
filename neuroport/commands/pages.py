"""Pages on standard output: broken at the width of a terminal, and unbroken where there is none."""

from __future__ import annotations

import shutil
import sys

import click

from neuroport.commands.common import echo_table
from neuroport.pages import Lines, Page, Text
from neuroport.pages.plain import broken, lines, text


def echo_text(line: str) -> None:
    """Print a line, broken where a terminal ends."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo("\n".join(broken(line, width)))


def echo_page(page: Page) -> None:
    """Print a page."""
    if not sys.stdout.isatty():
        click.echo(text(page, None))
        return
    width = shutil.get_terminal_size().columns
    for number, line in enumerate(broken(page.heading, width)):
        click.secho(line, bold=number == 0)
    for part in page.filled:
        match part:
            case Text():
                echo_text(part.text)
            case Lines():
                click.echo("\n".join(lines(part, width)))
            case _:
                echo_table(part.columns, part.rows)
