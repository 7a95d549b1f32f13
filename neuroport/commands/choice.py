"""What `neuroport run` says of the executor: which one was chosen and why, or that another is clearly better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from neuroport.commands.common import duration

if TYPE_CHECKING:
    from neuroport.api.executor import Choice


def tell_choice(choice: Choice) -> None:
    """A line on stderr where the executor was chosen, or where another than the one that was named is better."""
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
