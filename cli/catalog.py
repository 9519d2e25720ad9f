"""`tongchou catalog …`: what exists, the road of an entry, and its way in and out (目录)."""

import click

from cli.entries import ENTRIES
from cli.exchange import EXCHANGE
from cli.finding import FINDING
from cli.returns import RETURNS


@click.group()
def catalog() -> None:
    """The catalogue (目录): find what exists, compile entries and move them from draft to publication."""


for command in (*ENTRIES, *FINDING, *RETURNS, *EXCHANGE):
    catalog.add_command(command)
