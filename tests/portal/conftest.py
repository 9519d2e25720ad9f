"""Apps in the test's own process."""

from contextlib import nullcontext

import pytest


@pytest.fixture(autouse=True)
def no_frozen_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server collects all garbage once before it freezes what is there; in a process full of tests' objects that takes half a second."""
    monkeypatch.setattr("portal.api.left_out_of_collections", nullcontext)
