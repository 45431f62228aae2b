"""Of which parts is every page made, whatever it reports?"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib import resources

__all__ = ["asset", "content_hash", "definitions", "paragraphs"]


def asset(name: str) -> str:
    """Read a template, style or script that the package ships."""
    return resources.files("plimsoll.report").joinpath(name).read_text(encoding="utf-8")


def content_hash(content: str) -> str:
    """Return what a page's own policy allows this style or script by."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def paragraphs(sentences: Iterable[str], name: str = "") -> str:
    """Set each sentence as a paragraph, of this class where one is named."""
    opening = f'<p class="{name}">' if name else "<p>"
    return "".join(f"{opening}{escape(sentence)}</p>" for sentence in sentences)


def definitions(entries: Iterable[tuple[str, str]]) -> str:
    """Set terms and their meanings, for a list of definitions."""
    return "".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(meaning)}</dd></div>" for term, meaning in entries
    )
