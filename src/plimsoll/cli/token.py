"""Who is given a token for the service, and from whom is it taken back?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.options import Json
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from rich.console import Console

    from plimsoll.service.tokens import Token, Tokens

__all__ = ["run"]

_DATA = Path("data/serve")


def run(
    *,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="FOLDER",
            envvar="PLIMSOLL_SERVE__STORE__FOLDER",
            help="The service's, where tokens.json lies.",
        ),
    ] = _DATA,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", metavar="NAME", help="For read, trade, report, risk or admin; may be repeated."
        ),
    ] = None,
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="Whom it is for.")] = "",
    days: Annotated[
        float, typer.Option("--days", metavar="NUMBER", min=0.001, max=3660, help="How long it holds.")
    ] = 90.0,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="IDENTITY", help="Take one back, at once.")
    ] = None,
    json: Json = False,
) -> None:
    """Make, list and revoke the tokens that the API asks for.

    With `--scope` a token is made and printed, once: the file keeps only a hash of it. With `--revoke` one is
    removed. With neither, tokens are listed. A running service sees the change with the next
    request.

    **Examples**

    ```
    plimsoll token --scope read --scope trade --label "matching engine"
    plimsoll token
    plimsoll token --revoke 3f9c52a1b07d
    ```
    """
    from plimsoll.service.tokens import FILE, Tokens

    tokens = Tokens(data / FILE)
    voice = Voice.chosen(quiet=False, as_json=json)
    if scope and revoke is None:
        presented = _made(tokens, scope, label, days)
        voice.tell(lambda console: console.print(presented, soft_wrap=True), lambda: {"token": presented})
    elif revoke is not None and not scope:
        tokens.revoke(revoke)
        voice.tell(lambda console: console.print(f"revoked {revoke}"), lambda: {"revoked": revoke})
    elif revoke is None:
        listed = tokens.listed()
        voice.tell(lambda console: _show(listed, console), lambda: [_public(token) for token in listed])
    else:
        raise PlimsollError(
            Code.BAD_SETTING,
            "--scope makes a token and --revoke takes one back",
            where="--revoke",
            remedy="Give one of them at a time.",
        )


def _made(tokens: "Tokens", scopes: list[str], label: str, days: float) -> str:
    from plimsoll.service.tokens import Scope, issue

    unknown = [name for name in scopes if name not in set(Scope)]
    if unknown:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"no scope {unknown[0]}",
            where="--scope",
            remedy=f"Choose among {', '.join(Scope)}.",
        )
    presented, kept = issue(label, tuple(dict.fromkeys(map(Scope, scopes))), days)
    tokens.keep(kept)
    return presented


def _public(token: "Token") -> dict[str, object]:
    """Say what may be shown: no digest."""
    return {
        "identity": token.identity,
        "label": token.label,
        "scopes": list(token.scopes),
        "expires": datetime.fromtimestamp(token.expires / 1000, tz=UTC).isoformat(timespec="seconds"),
    }


def _show(tokens: "tuple[Token, ...]", console: "Console") -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for heading in ("identity", "label", "scopes", "expires"):
        table.add_column(heading)
    for token in tokens:
        about = _public(token)
        table.add_row(token.identity, token.label, " ".join(token.scopes), str(about["expires"]))
    console.print(table)
