"""What must this account hold, and why?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.documents import read_document
from plimsoll.cli.options import Json, Quiet
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.domain.accounts import Account
    from plimsoll.domain.parameters import ParameterSet

__all__ = ["run"]


def run(
    *,
    parameters: Annotated[
        Path,
        typer.Option(
            "--parameters", metavar="FILE", help="Parameter set, as `plimsoll calibrate` writes it."
        ),
    ],
    account: Annotated[
        Path, typer.Option("--account", metavar="FILE", help="Account, JSON or TOML; see below.")
    ],
    mark: Annotated[
        list[str] | None,
        typer.Option(
            "--mark",
            metavar="MARKET=PRICE",
            help="Price to margin at; repeat it per market. Default: that in the parameter set.",
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what an account must hold under a parameter set, part by part, and why.

    The parts add up to the requirement; the worst scenario is named by the moment it is taken from; the
    parameters behind it are named by version and digest. Money is in units of the quote currency (USD).

    **Examples**

    ```
    plimsoll margin --parameters parameters.json --account desk.json
    plimsoll margin --parameters parameters.json --account desk.json --mark BTC=52000
    ```

    **An account**

    ```
    {"name": "desk",
     "collateral": [{"asset": "USD", "amount": "25000"}],
     "positions": [{"instrument": "BTC-PERP", "quantity": "0.5",
                    "entry_price": "61000"}]}
    ```
    """
    from plimsoll.domain.accounts import Account
    from plimsoll.margin.explain import explain
    from plimsoll.report.explanation import show_explanation

    voice = Voice.chosen(quiet=quiet, as_json=json)
    known = _parameters(parameters)
    held = read_document(account, Account, Code.BAD_ACCOUNT, _REMEDY)
    explanation = explain(held, known, _marks(mark or [], held))
    voice.tell(lambda console: show_explanation(explanation, console), lambda: explanation)


_REMEDY = "Correct it; `plimsoll margin --help` shows an account."


def _parameters(path: Path) -> "ParameterSet":
    from plimsoll.domain.parameters import ParameterSet

    remedy = "Give a file that `plimsoll calibrate --out` wrote."
    return read_document(path, ParameterSet, Code.BAD_SETTING, remedy).verified(str(path))


def _marks(texts: list[str], account: "Account") -> dict[str, float]:
    """Read marks by instrument or market; one that prices nothing in the account is a slip of the pen."""
    marks = dict(_mark(text) for text in texts)
    instruments = [position.instrument for position in account.positions]
    held = {*instruments, *(name.partition("-")[0] for name in instruments)}
    held |= {balance.asset for balance in account.collateral}
    for name in marks:
        if name not in held:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"the account holds nothing that {name} prices",
                where="--mark",
                remedy=f"Choose among {', '.join(sorted(held))}.",
            )
    return marks


def _mark(text: str) -> tuple[str, float]:
    name, _, price = text.partition("=")
    try:
        number = float(price)
    except ValueError:
        number = float("nan")
    if not name or not 0.0 < number < float("inf"):
        raise PlimsollError(
            Code.BAD_PRICE,
            f"cannot read the mark {text!r}",
            where="--mark",
            remedy="Write a market and a positive price: --mark BTC=60000.",
        )
    return name.strip().upper(), number
