"""Do links lead somewhere, is the index whole, and does nothing name this machine or a download address?"""

import re
import tempfile
from pathlib import Path

import pytest

from tests.conventions.repository import ROOT, files, texts

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")
DOWNLOAD = re.compile(r"https?://|git\+|--(extra-)?index-url|--find-links|--trusted-host|\bfile:/")


def pages() -> list[Path]:
    return [path for path in files() if path.suffix == ".md"]


def prose(path: Path) -> str:
    return FENCE.sub("", (ROOT / path).read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return the anchors that a page's headings make, as code hosts make them."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose(path)))
    return {title.strip().replace(" ", "-") for title in words}


def local_links(path: Path) -> list[tuple[str, str]]:
    targets = [
        target
        for target in LINK.findall(prose(path))
        if "://" not in target and not target.startswith("mailto:")
    ]
    return [(target.partition("#")[0], target.partition("#")[2]) for target in targets]


def test_every_link_to_a_local_file_leads_somewhere():
    assert pages(), "no page was found to check"
    broken = []
    for page in pages():
        for name, anchor in local_links(page):
            target = (ROOT / page).parent / name if name else ROOT / page
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                broken.append(f"{page}: {name}#{anchor}")
    assert not broken


def test_the_docs_index_lists_every_page():
    index = Path("docs/README.md")
    listed = {((ROOT / index).parent / name).resolve() for name, _ in local_links(index) if name}
    unlisted = [
        str(page)
        for page in pages()
        if page.parts[0] == "docs" and page != index and (ROOT / page) not in listed
    ]
    assert not unlisted, "add the page to docs/README.md"


def test_nothing_is_left_for_later_in_a_comment():
    assert not [str(path) for path, text in texts() if UNFINISHED.search(text)], "finish it, or file an issue"


def here() -> re.Pattern[str]:
    """Match a path into this checkout, its parent, the home or the temporary folder, or anybody's home."""
    folders = {ROOT, ROOT.parent, Path.home(), Path(tempfile.gettempdir())} - {Path("/")}
    named = "|".join(re.escape(str(folder)) for folder in folders if len(folder.parts) > 1)
    return re.compile(rf"(?<![\w.)}}\]*/-])({named}|/home|/root|/Users)/\w")


def test_no_file_names_a_path_of_this_machine():
    pattern = here()
    named = [f"{path}: {match[0]}" for path, text in texts() if (match := pattern.search(text))]
    assert not named, "write paths relative to the repository or to what the user gave"


def machinery() -> list[Path]:
    """Return the files that steer an installation; where to download from is the user's own setting."""
    found = [
        path
        for path in files()
        if path.parts[0] in {"requirements", ".ci"} or path.name in {"Makefile", "pyproject.toml"}
    ]
    assert len(found) >= len(("Makefile", "pyproject.toml", ".ci/run", "requirements/run.txt"))
    return found


@pytest.mark.parametrize("path", machinery(), ids=str)
def test_no_installation_file_says_where_to_download(path):
    assert not DOWNLOAD.search((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_every_locked_dependency_has_a_version_and_hashes(path):
    entries = re.split(r"^(?=\w)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    loose = [
        e.partition("\n")[0]
        for e in entries
        if re.match(r"\w", e) and not ("==" in e and "--hash=sha256:" in e)
    ]
    assert len(entries) > 1
    assert not loose
