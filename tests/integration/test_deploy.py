"""Do the systemd unit and the container file say what systemd and the service understand?

Neither is started here: that takes systemd as the first process, and an image of Python to build on.
"""

import ipaddress
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from plimsoll.service.configuration import PREFIX, read_settings
from tests.conventions.repository import ROOT
from tools.vendor import FILES, TARGET

UNIT = ROOT / "deploy" / "plimsoll.service"
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
CARRIED = [
    line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
]
NEEDED = {
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "NOTICE",
    "CHANGELOG.md",
    "requirements/service.txt",
    "src",
}
EXPOSURE = 4.0
"""Of ten, as systemd counts what a service may do; a unit without any protection has 9.6."""


@pytest.fixture
def analyze():
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd-analyze on PATH; Debian's package systemd has it")
    return found


def test_systemd_understands_every_line_of_the_unit(analyze, tmp_path):
    text = UNIT.read_text(encoding="utf-8")
    program = re.search(r"^ExecStart=(\S+) serve ", text, re.MULTILINE)
    assert program is not None
    unit = tmp_path / "plimsoll.service"
    unit.write_text(text.replace(program[1], sys.executable), encoding="utf-8")
    said = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_the_unit_gives_the_service_little_to_break(analyze):
    command = [analyze, "security", "--offline=true", f"--threshold={10 * EXPOSURE:.0f}", str(UNIT)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-2000:]


def test_the_settings_in_the_container_hold():
    environment = dict(re.findall(rf"({PREFIX}\w+)=(\S+)", CONTAINER))
    settings = read_settings(None, environment)
    assert settings.listen.plain_behind_proxy
    assert ipaddress.ip_address(settings.listen.host).is_unspecified
    (volume,) = re.findall(r"^VOLUME (\S+)", CONTAINER, re.MULTILINE)
    assert settings.store.folder == volume
    (port,) = re.findall(r"^EXPOSE (\d+)", CONTAINER, re.MULTILINE)
    assert settings.listen.port == int(port)


def test_the_container_installs_what_is_locked_and_builds_with_what_the_project_names():
    (locked,) = re.findall(r"--require-hashes .*-r /source/(\S+)", CONTAINER)
    assert f"!{locked}" in CARRIED
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert re.findall(r"hatchling==\S+", CONTAINER) == project["build-system"]["requires"]
    built, kept = re.findall(r"^FROM \S+(?: AS (\S+))?$", CONTAINER, re.MULTILINE)
    assert re.findall(r"^COPY --from=(\S+) (\S+) \2$", CONTAINER, re.MULTILINE) == [(built, "/opt/plimsoll")]
    assert kept == ""
    last = CONTAINER[CONTAINER.rindex("FROM ") :]
    order = [line.split()[0] for line in last.splitlines() if line]
    assert order.index("RUN") < order.index("USER") < order.index("ENTRYPOINT")


def test_the_container_is_built_from_what_is_needed_and_never_from_a_venue_or_an_environment():
    assert CARRIED[0] == "*"
    assert {line for line in CARRIED if line.startswith("!")} == {f"!{name}" for name in NEEDED}
    assert all((ROOT / name).exists() for name in NEEDED)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert {project["project"]["readme"], *project["project"]["license-files"]} < NEEDED
    (chart,) = re.findall(r"test -e /source/(\S+)", CONTAINER)
    assert ROOT / chart in {TARGET / Path(name).name for name in FILES}
