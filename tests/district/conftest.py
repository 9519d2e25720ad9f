"""One small district for all tests of the generator."""

from pathlib import Path

import pytest

from district.build import Manifest, build

RESIDENTS, SEED = 2_000, 7


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    out = tmp_path_factory.mktemp("district")
    return out, build(out, residents=RESIDENTS, seed=SEED)


@pytest.fixture(scope="session")
def district(built: tuple[Path, Manifest]) -> Path:
    return built[0]


@pytest.fixture(scope="session")
def manifest(built: tuple[Path, Manifest]) -> Manifest:
    return built[1]
