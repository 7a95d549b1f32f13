"""What `neuroport run` says of the executor: which one was chosen and why, or that another is clearly better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from neuroport.commands.common import duration

if TYPE_CHECKING:
    from neuroport.api.executor import Choice


def tell_choice(choice: Choice) -> None:
    """Lines on stderr: which executor was chosen, or is better than the one that was named, and how it has copies."""
    if choice.copies is not None:
        click.echo(f"note: {choice.executor} has copies in two forms; here {choice.copies}", err=True)
    if choice.reason is not None:
        click.echo(f"note: backend auto takes {choice.executor}: {choice.reason}", err=True)
    elif choice.better is not None:
        found = choice.better
        backend, _, device = found.executor.partition(" on ")
        much = (
            f"at least {int(found.factor)} times as fast as {choice.executor} here, by {duration(found.saved)} or more"
        )
        options = f"--backend {backend}" + (f" --device {device}" if device else "")
        click.echo(f"note: {found.executor} would be {much}; take it with {options}", err=True)
