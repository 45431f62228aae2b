"""What do all tests share: how counterexamples are sought, where market data lies, a compile cache?

Nothing here or in any test measures time: a slow machine must not make a correct program fail.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "local",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase is not Phase.explain],  # it can take many times the test itself
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def _compile_cache() -> Path:
    """Return a folder for compiled kernels: one per state of the kernels' source and per worker.

    Numba judges by a function's own file whether its cache is fresh, so a change in a kernel that it inlined
    from elsewhere would go unnoticed; the digest notices. Workers do not share, so none reads half a file.
    """
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src").rglob("*.py")):
        source = path.read_bytes()
        if b"numba" in source:
            digest.update(source)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return ROOT / ".cache" / "numba" / digest.hexdigest()[:16] / worker


# Before anything imports numba, which reads it once; overwritten, because a worker inherits its controller's.
os.environ["NUMBA_CACHE_DIR"] = str(_compile_cache())


def _folder(variable: str, content: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"set {variable} to a folder of {content} to run this test (CONTRIBUTING.md says which)")
    folder = Path(value)
    if not folder.is_dir():
        pytest.fail(f"{variable} is set to {value}, which is not a folder; correct it or unset it")
    return folder


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Return the folder of real bars that PLIMSOLL_DATA names, or skip."""
    return _folder("PLIMSOLL_DATA", "market data")


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Return the folder of other systems' reference figures that PLIMSOLL_VECTORS names, or skip."""
    return _folder("PLIMSOLL_VECTORS", "reference vectors")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL for all tests of this worker, and give its URL."""
    from tests.support.stores import running_postgres

    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name a new store, in turn in each database."""
    from tests.support.stores import new_location

    url = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    return new_location(request.param, tmp_path, url)
