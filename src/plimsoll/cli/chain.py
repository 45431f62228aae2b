"""How does a user deploy, publish to, verify and watch the contracts?"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from plimsoll.cli.options import Json, Quiet, SetFile
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code
from plimsoll.feeds.documents import read_document, read_parameters

if TYPE_CHECKING:
    from plimsoll.chain.connection import Connection

__all__ = ["app", "deploy", "list_options", "publish", "publish_options", "status", "verify"]

app = typer.Typer(
    help="Put the rates on a chain, and hold what stands there against the twin and the engine.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

_DEPLOYMENT = Path("deployment.json")
_PLAN = Path("protocol.toml")
_PROPOSALS = Path("proposals")

Node: TypeAlias = Annotated[
    str, typer.Option("--rpc", metavar="URL", help="JSON-RPC of the node that is spoken to.")
]
KeyFile: TypeAlias = Annotated[
    Path, typer.Option("--key-file", metavar="FILE", help="Private key that pays, 64 hexadecimal digits.")
]
DeploymentFile: TypeAlias = Annotated[
    Path, typer.Option("--deployment", metavar="FILE", help="Where the contracts stand, as deploy wrote it.")
]
Reporters: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--reporter", metavar="FILE", help="A further reporter's key; repeat it."),
]
ProposalsFolder: TypeAlias = Annotated[
    Path, typer.Option("--proposals", metavar="FOLDER", help="Where reporters share their signatures.")
]


@app.command()
def deploy(
    *,
    rpc: Node,
    key_file: KeyFile,
    parameters: SetFile,
    plan: Annotated[
        Path, typer.Option("--plan", metavar="FILE", help="What to deploy, TOML or JSON.")
    ] = _PLAN,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write what stands where.")
    ] = _DEPLOYMENT,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Deploy all contracts with their first rates and close their lists: no listing changes afterwards.

    **Example**

    ```
    plimsoll chain deploy --rpc http://127.0.0.1:8545 --key-file deployer.key --parameters parameters.json
    ```
    """
    from plimsoll.chain.deployment import Plan
    from plimsoll.chain.deployment import deploy as deployed
    from plimsoll.report.chain import show_deployment
    from plimsoll.report.files import write_json

    voice = Voice.chosen(quiet=quiet, as_json=json)
    terms = read_document(plan, Plan, Code.BAD_SETTING, "docs/how-to/deploy-on-chain.md shows a plan.")
    made = deployed(_connected(rpc, key_file), terms, read_parameters(parameters))
    write_json(out, made)
    voice.tell(lambda console: show_deployment(made, console), lambda: made)
    voice.remark(f"deployment: {out}")


@app.command()
def publish(
    *,
    rpc: Node,
    key_file: KeyFile,
    parameters: SetFile,
    deployment: DeploymentFile = _DEPLOYMENT,
    reporter: Reporters = None,
    proposals: ProposalsFolder = _PROPOSALS,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Sign a parameter set; submit it once enough reporters have, and check what the contract then holds.

    Each reporter runs this with its own key and the same folder; whoever completes the quorum submits. Run it
    again at any time: what is done is not done twice.

    **Example**

    ```
    plimsoll chain publish --parameters parameters.json --rpc http://127.0.0.1:8545 --key-file reporter.key
    ```
    """
    from plimsoll.chain.deployment import read_deployment
    from plimsoll.chain.publisher import publish as published
    from plimsoll.report.chain import show_published

    voice = Voice.chosen(quiet=quiet, as_json=json)
    keys, connection = _keys(key_file, reporter), _connected(rpc, key_file)
    found = published(connection, read_deployment(deployment), read_parameters(parameters), keys, proposals)
    voice.tell(lambda console: show_published(found, console), lambda: found)


@app.command()
def list_options(
    *,
    rpc: Node,
    key_file: KeyFile,
    board: Annotated[
        Path, typer.Option("--board", metavar="FILE", help="Market, number and instruments, TOML or JSON.")
    ],
    deployment: DeploymentFile = _DEPLOYMENT,
    reporter: Reporters = None,
    proposals: ProposalsFolder = _PROPOSALS,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Sign a board's instruments; list them once enough reporters have, and check what then holds.

    Like `publish`: each reporter runs it with its own key and the same folder, as often as it likes.

    **Example**

    ```
    plimsoll chain list-options --board board.toml --rpc http://127.0.0.1:8545 --key-file reporter.key
    ```
    """
    from plimsoll.chain.deployment import read_deployment
    from plimsoll.chain.option_publisher import BoardPlan
    from plimsoll.chain.option_publisher import list_options as listed
    from plimsoll.report.chain import show_board

    voice = Voice.chosen(quiet=quiet, as_json=json)
    plan = read_document(board, BoardPlan, Code.BAD_SETTING, "docs/how-to/run-a-reporter.md shows a board.")
    keys, connection = _keys(key_file, reporter), _connected(rpc, key_file)
    found = listed(connection, read_deployment(deployment), plan, keys, proposals)
    voice.tell(lambda console: show_board(found, console), lambda: found)


@app.command()
def publish_options(
    *,
    rpc: Node,
    key_file: KeyFile,
    quotes: Annotated[
        Path, typer.Option("--quotes", metavar="FILE", help="Spot, forwards and volatilities by name.")
    ],
    market: Annotated[str, typer.Option("--market", metavar="NAME", help="As the deployment calls it.")],
    board: Annotated[int, typer.Option("--board", metavar="NUMBER", min=0, max=7, help="Of the market.")] = 0,
    deployment: DeploymentFile = _DEPLOYMENT,
    reporter: Reporters = None,
    proposals: ProposalsFolder = _PROPOSALS,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Price and pack a board from quotes and sign it; publish once enough have, and check what then holds.

    Like `publish`: each reporter runs it with its own key, the same quotes and the same folder, as often as
    it likes.

    **Example**

    ```
    plimsoll chain publish-options --market BTC --quotes quotes.json --rpc URL --key-file reporter.key
    ```
    """
    from plimsoll.chain.deployment import read_deployment
    from plimsoll.chain.option_publisher import publish_options as published
    from plimsoll.domain.quotes import Quotes, market_of
    from plimsoll.report.chain import show_board

    voice = Voice.chosen(quiet=quiet, as_json=json)
    named = read_document(quotes, Quotes, Code.BAD_PRICE, "docs/reference/commands.md shows quotes.")
    keys, connection = _keys(key_file, reporter), _connected(rpc, key_file)
    subject, quoted = (market, board), market_of(named, str(quotes))
    found = published(connection, read_deployment(deployment), subject, quoted, keys, proposals)
    voice.tell(lambda console: show_board(found, console), lambda: found)


@app.command()
def verify(
    *, rpc: Node, deployment: DeploymentFile = _DEPLOYMENT, quiet: Quiet = False, json: Json = False
) -> None:
    """Compare contract, twin and off-chain engine for every account, to the unit; status 1 if they differ.

    **Example**

    ```
    plimsoll chain verify --rpc http://127.0.0.1:8545
    ```
    """
    from plimsoll.chain.deployment import read_deployment
    from plimsoll.chain.verification import verify as verified
    from plimsoll.report.chain import show_verification

    voice = Voice.chosen(quiet=quiet, as_json=json)
    found = verified(_connected(rpc), read_deployment(deployment))
    voice.tell(lambda console: show_verification(found, console), lambda: found)
    if not found.agrees:
        raise typer.Exit(1)


@app.command()
def status(
    *, rpc: Node, deployment: DeploymentFile = _DEPLOYMENT, quiet: Quiet = False, json: Json = False
) -> None:
    """Show the rates in force, how old they are, prices, volatility, boards of options, fund and shortfall.

    **Example**

    ```
    plimsoll chain status --rpc http://127.0.0.1:8545 --json
    ```
    """
    from plimsoll.chain.deployment import read_deployment
    from plimsoll.chain.standing import standing
    from plimsoll.report.chain import show_standing

    voice = Voice.chosen(quiet=quiet, as_json=json)
    found = standing(_connected(rpc), read_deployment(deployment))
    voice.tell(lambda console: show_standing(found, console), lambda: found)


def _keys(key_file: Path, reporter: list[Path] | None) -> list[bytes]:
    from plimsoll.chain.connection import read_key

    return [read_key(path) for path in (key_file, *(reporter or ()))]


def _connected(rpc: str, key_file: Path | None = None) -> "Connection":
    from plimsoll.chain.connection import Connection, read_key

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Connection(rpc, read_key(key_file) if key_file else None, home / "plimsoll" / "contracts")
