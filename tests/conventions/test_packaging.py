"""Does an installed Plimsoll hold what the repository holds: every module, scenario, template and licence?"""

import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.conventions.repository import ROOT, files


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """Build the wheel from a copy of the tree, with the locked build backend and no network."""
    source = tmp_path_factory.mktemp("source")
    for path in files():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    target = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    build = subprocess.run([*command, "-w", target, source], capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    (built,) = target.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package(wheel):
    held = set(wheel.namelist())
    ours = {path.relative_to("src").as_posix() for path in files() if path.parts[0] == "src"}
    assert "plimsoll/py.typed" in ours
    assert ours <= held
    assert {name for name in held if name.startswith("plimsoll/")} <= ours


def test_the_wheel_carries_the_licence_and_the_notice(wheel):
    names = [name.rpartition("/")[2] for name in wheel.namelist()]
    assert {"LICENSE", "NOTICE"} <= set(names)
