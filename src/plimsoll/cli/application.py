"""Which commands are there, and how does each failure reach the user as one line?"""

import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from plimsoll.cli import (
    backtest,
    book,
    calibrate,
    chain,
    fetch,
    frontier,
    fund_size,
    impact,
    journal,
    liquidation_price,
    margin,
    replay,
    scenarios,
    serve,
    simulate,
    stress,
    token,
    what_if,
)
from plimsoll.cli.interruption import Interruption
from plimsoll.cli.program import program
from plimsoll.errors import PlimsollError

__all__ = ["app", "main"]

_BAD_INPUT = 2
_INTERRUPTED = 130

app = typer.Typer(
    name="plimsoll",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "replay": replay.run,
    "calibrate": calibrate.run,
    "backtest": backtest.run,
    "frontier": frontier.run,
    "margin": margin.run,
    "what-if": what_if.run,
    "liquidation-price": liquidation_price.run,
    "impact": impact.run,
    "fund-size": fund_size.run,
    "stress": stress.run,
    "book": book.run,
    "simulate": simulate.run,
    "fetch": fetch.run,
    "scenarios": scenarios.run,
    "serve": serve.run,
    "token": token.run,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
_GROUPS = {"journal": journal.app, "chain": chain.app}
for _name, _group in _GROUPS.items():
    app.add_typer(_group, name=_name)


@app.callback(invoke_without_command=True)
def _plimsoll(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Calibrate margin to the market, and see what it would have done on the day of a crash.

    Plimsoll turns price bars into margin rates with a stated statistical target, margins whole accounts with
    them, and replays real crashes through a simulated venue: static, dynamic and portfolio policies side by
    side, on the same accounts and the same prices.

    **Start here**

    ```
    plimsoll scenarios                               what can be replayed
    plimsoll replay --scenario black-thursday-2020   replay it, write a report
    plimsoll COMMAND --help                          a command, with examples
    ```

    Bad input ends with exit status 2 and one line that names the file, the row and the remedy; nothing
    half-written is left behind.
    """
    if version:
        typer.echo(program())
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Run the command line and leave with its exit status."""
    Interruption().listen()
    sys.exit(_status())


def _status() -> int:
    try:
        return int(app(standalone_mode=False, prog_name="plimsoll") or 0)
    except PlimsollError as error:
        return _refuse(str(error))
    except typer.TyperException as error:
        return _refuse(f"{error.format_message().replace('?', '').rstrip('.')}. {_hint()}")
    except OSError as error:
        return _refuse(f"{error.filename or 'output'}: {(error.strerror or str(error)).lower()}")
    except MemoryError:
        return _refuse("out of memory: choose fewer accounts, markets or bars")
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("interrupted: nothing was written\n")
        return _INTERRUPTED


def _refuse(line: str) -> int:
    sys.stderr.write(f"error: {' '.join(line.split())}\n")
    return _BAD_INPUT


def _hint() -> str:
    command = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] in {*_COMMANDS, *_GROUPS} else ""
    return f"See `{f'plimsoll {command}'.strip()} --help`."
