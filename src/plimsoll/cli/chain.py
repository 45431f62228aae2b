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

__all__ = ["app", "deploy", "publish", "status", "verify"]

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
    reporter: Annotated[
        list[Path] | None,
        typer.Option("--reporter", metavar="FILE", help="A further reporter's key; repeat it."),
    ] = None,
    proposals: Annotated[
        Path, typer.Option("--proposals", metavar="FOLDER", help="Where reporters share their signatures.")
    ] = _PROPOSALS,
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
    from plimsoll.chain.connection import read_key
    from plimsoll.chain.deployment import read_deployment
    from plimsoll.chain.publisher import publish as published
    from plimsoll.report.chain import show_published

    voice = Voice.chosen(quiet=quiet, as_json=json)
    keys = [read_key(path) for path in (key_file, *(reporter or ()))]
    connection = _connected(rpc, key_file)
    found = published(connection, read_deployment(deployment), read_parameters(parameters), keys, proposals)
    voice.tell(lambda console: show_published(found, console), lambda: found)


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
    """Show the rates in force, how old they are, prices, volatility, fund and shortfall.

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


def _connected(rpc: str, key_file: Path | None = None) -> "Connection":
    from plimsoll.chain.connection import Connection, read_key

    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Connection(rpc, read_key(key_file) if key_file else None, home / "plimsoll" / "contracts")
