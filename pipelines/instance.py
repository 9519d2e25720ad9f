"""The one Dagster instance of a home: the CLI's runs and those of Dagster's pages stand in it side by side."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from catalog.home import Home

CONFIGURATION = Path(__file__).parent.parent / "dagster.yaml"


def settle(home: Home) -> Path:
    """The DAGSTER_HOME of a home, with the checkout's dagster.yaml linked into it. Safe to repeat, also by two processes at once."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    link = home.dagster / CONFIGURATION.name
    if not (link.is_symlink() and link.readlink() == CONFIGURATION):
        aside = link.with_name(f".{link.name}.{os.getpid()}")
        aside.unlink(missing_ok=True)
        aside.symlink_to(CONFIGURATION)
        aside.replace(link)
    return home.dagster


@contextmanager
def opened(home: Home) -> Iterator[dg.DagsterInstance]:
    """The instance, closed at the end. Dagster learns its folder from the environment: dagster.yaml names it as `env: DAGSTER_HOME`."""
    os.environ["DAGSTER_HOME"] = str(settle(home))
    with dg.DagsterInstance.from_config(os.environ["DAGSTER_HOME"]) as instance:
        yield instance
