"""Do the pages and examples run, and do the pages show what is printed?"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plimsoll.report.measures import MEASURES
from tools.pages import ROOT, blocks, check, pages

EXAMPLES = {
    "write_history.py": ("prices.csv", "2024-01-01"),
    "calibrate_from_history.py": (),
    "check_ones_own_model.py": (),
    "margin_a_hedged_account.py": (),
    "margin_options.py": (),
    "replay_with_other_settings.py": (),
    "take_a_token_as_collateral.py": (),
}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_shows_what_the_program_does(page, tmp_path):
    found = check(page, tmp_path)
    told = "\n".join(f"shown:\n{each.block.text}\nprinted:\n{each.now}" for each in found)
    assert not found, f"{told}\nrun python -m tools.pages, read the difference, correct the text around it"


def test_pages_of_every_kind_are_executed():
    kinds = {page.relative_to(ROOT).parts[1] for page in pages() if page.parent != ROOT}
    assert kinds >= {"tutorials", "how-to"}


def test_every_example_is_executed_here():
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_runs_and_says_something(name, tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / name), *EXAMPLES[name]],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_the_tables_shown_have_the_rows_that_a_replay_prints():
    """A full replay is too long to repeat here; its rows are compared by name."""
    labels = [measure.label for measure in MEASURES]
    for name in ("README.md", "docs/tutorials/first-replay.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        shown = re.findall(r"^  ((?:- )?[a-z0-9][a-z0-9, ]+?)  +\S", text, re.MULTILINE)
        assert shown, name
        assert [label for label in shown if label not in labels] == [], name


def written(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_output_that_is_no_longer_true_is_found(tmp_path):
    page = written(tmp_path, "```console runnable\n$ plimsoll scenarios\nnothing of the kind\n```\n")
    (found,) = check(page, tmp_path)
    assert "black-thursday-2020" in found.now


def test_lines_left_out_stand_for_any(tmp_path):
    last = "Replay one: plimsoll replay --scenario NAME"
    text = f"```console runnable\n$ plimsoll scenarios\n...\n{last}\n```\n"
    assert not check(written(tmp_path, text), tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "```console runnable\n$ rm -r somewhere\n```\n",
        "```console runnable\nno command\n```\n",
        "```python sometimes\npass\n```\n",
    ],
)
def test_a_block_that_asks_for_something_else_is_refused(tmp_path, text):
    page = written(tmp_path, text)
    assert blocks(page)
    with pytest.raises(ValueError, match="run"):
        check(page, tmp_path)


def test_a_command_that_fails_is_found(tmp_path):
    text = "```console runnable\n$ plimsoll replay --scenario black-friday\n```\n"
    with pytest.raises(RuntimeError, match="unknown-scenario"):
        check(written(tmp_path, text), tmp_path)
