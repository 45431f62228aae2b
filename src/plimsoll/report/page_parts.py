"""Of which parts is every page made, whatever it reports?"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

__all__ = ["Page", "asset", "definitions", "paragraphs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one page says, in the head, frame and style that all pages share.

    Attributes
    ----------
    kind : str         What it reports, in a word.
    title, lead : str  Plain text; the lead may be empty.
    facts : pairs      Terms and what they are in this run; may be empty.
    program : str      Name and version of what made it.
    before : str       Markup ahead of the header.
    main : str         Markup.
    styles : tuple     Files of style beyond the one that all pages share.
    script, data : str Source and JSON; without a script the page runs nothing.
    """

    kind: str
    title: str
    lead: str
    program: str
    main: str
    facts: Iterable[tuple[str, str]] = ()
    before: str = ""
    styles: tuple[str, ...] = ()
    script: str = ""
    data: str = ""

    def written(self) -> str:
        """Write the whole page. It loads nothing: its own policy forbids every request and other script."""
        style = "".join(asset(name) for name in ("page.css", *self.styles))
        facts = definitions(self.facts)
        return Template(asset("page.html")).substitute(
            style=style,
            style_hash=_content_hash(style),
            script_source=f" script-src '{_content_hash(self.script)}';" if self.script else "",
            program=escape(self.program),
            kind=escape(self.kind),
            title=escape(self.title),
            before=f"{self.before}\n" if self.before else "",
            lead=f"{paragraphs([self.lead], 'lead')}\n" if self.lead else "",
            facts=f'<dl class="facts">{facts}</dl>\n' if facts else "",
            main=self.main.rstrip("\n"),
            promise=f"it {'' if self.script else 'runs nothing, '}loads nothing and sends nothing",
            after=_scripts(self.script, self.data) if self.script else "",
        )


def asset(name: str) -> str:
    """Read a template, style or script that the package ships."""
    return resources.files("plimsoll.report").joinpath(name).read_text(encoding="utf-8")


def paragraphs(sentences: Iterable[str], name: str = "") -> str:
    """Set each sentence as a paragraph, of this class where one is named."""
    opening = f'<p class="{name}">' if name else "<p>"
    return "".join(f"{opening}{escape(sentence)}</p>" for sentence in sentences)


def definitions(entries: Iterable[tuple[str, str]]) -> str:
    """Set terms and their meanings, for a list of definitions."""
    return "".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(meaning)}</dd></div>" for term, meaning in entries
    )


def _content_hash(content: str) -> str:
    """Return what a page's own policy allows this style or script by."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _scripts(script: str, data: str) -> str:
    return f'<script type="application/json" id="data">{data}</script>\n<script>{script}</script>\n'
