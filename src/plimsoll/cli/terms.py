"""From which options do commands read an account and what margins it?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.documents import read_document, read_parameters

if TYPE_CHECKING:
    from plimsoll.domain.accounts import Account
    from plimsoll.domain.quotes import Quotes
    from plimsoll.margin.terms import MarginTerms

__all__ = [
    "AccountFile",
    "Marks",
    "ParametersFile",
    "ProfileName",
    "QuotesFile",
    "instruments_of",
    "read_account",
    "read_quotes",
    "read_terms",
]

ParametersFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        metavar="FILE",
        help="Parameter set, as `plimsoll calibrate` writes it; options also need --profile plimsoll.",
    ),
]
ProfileName: TypeAlias = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="A profile, such as derive-pmrm2, span-16 or plimsoll."),
]
QuotesFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--quotes", metavar="FILE", help="Market for --profile, JSON or TOML; see below."),
]
AccountFile: TypeAlias = Annotated[
    Path, typer.Option("--account", metavar="FILE", help="Account, JSON or TOML; see below.")
]
Marks: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--mark",
        metavar="MARKET=PRICE",
        help="With --parameters, a price to margin at; repeat it per market. Default: that in the set.",
    ),
]


def read_account(path: Path) -> "Account":
    """Read an account from its file."""
    from plimsoll.domain.accounts import Account

    return read_document(
        path, Account, Code.BAD_ACCOUNT, "Correct it; `plimsoll margin --help` shows an account."
    )


def instruments_of(account: "Account") -> set[str]:
    """Name what an account holds."""
    return {position.instrument for position in account.positions} | {b.asset for b in account.collateral}


def read_terms(
    parameters: Path | None, marks: list[str], profile: str | None, quotes: Path | None, held: set[str]
) -> "MarginTerms":
    """Read what margins: a set with marks, a profile with quotes, or a profile over the ranges of a set.

    Parameters
    ----------
    held : set   Names of instruments that a mark may be of, or of their markets.
    """
    from plimsoll.domain.quotes import market_of, open_quanta
    from plimsoll.margin.calibrated import with_calibration
    from plimsoll.margin.open_interest import with_open_interest
    from plimsoll.margin.profiles import profile as packaged
    from plimsoll.margin.terms import ParameterTerms, ProfileTerms

    if parameters is not None and profile is None and quotes is None:
        return ParameterTerms(read_parameters(parameters), _marks(marks, held))
    if profile is not None and quotes is not None and not marks:
        quoted = read_quotes(quotes)
        chosen = with_open_interest(packaged(profile), open_quanta(quoted))
        if parameters is not None:
            chosen = with_calibration(chosen, read_parameters(parameters))
        return ProfileTerms(chosen, market_of(quoted, str(quotes)))
    raise PlimsollError(
        Code.BAD_SETTING,
        "give either --parameters, with --mark if need be, or --profile with --quotes",
        where="--parameters",
        remedy="A profile takes prices from its quotes; profile plimsoll takes ranges from --parameters.",
    )


def read_quotes(path: Path) -> "Quotes":
    """Read a market that a user wrote down."""
    from plimsoll.domain.quotes import Quotes

    remedy = "Correct it; `plimsoll margin --help` shows quotes."
    return read_document(path, Quotes, Code.BAD_PRICE, remedy)


def _marks(texts: list[str], instruments: set[str]) -> dict[str, float]:
    """Read marks by instrument or market; one that prices nothing in the account is a slip of the pen."""
    marks = dict(_mark(text) for text in texts)
    held = instruments | {name.partition("-")[0] for name in instruments}
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
