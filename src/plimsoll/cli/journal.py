"""Is a journal whole, what does it hold, and which state does it lead to?"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from plimsoll.cli.options import Json, Quiet
from plimsoll.cli.voice import Progressing, Voice
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.store.reading import Readable
    from plimsoll.store.records import Position

__all__ = ["app", "export", "replay", "verify"]

app = typer.Typer()

Location: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="JOURNAL",
        envvar="PLIMSOLL_JOURNAL",
        help="A store's SQLite file or postgresql:// URL, or the .journal file of a run.",
    ),
]

_DIGEST = re.compile("[0-9a-f]{64}")
_STEP = 1_000
"""Records between two reports of progress."""


@app.callback(invoke_without_command=True)
def _journal(context: typer.Context) -> None:
    """Check a journal, write it out, or rebuild the state that it leads to.

    JOURNAL may also be given in the variable PLIMSOLL_JOURNAL, which keeps a password off the command line.
    A venue may go on writing meanwhile.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("verify")
def verify(
    *,
    journal: Location,
    contains: Annotated[
        str | None,
        typer.Option(
            "--contains",
            metavar="RECORD:DIGEST",
            help="Refuse a journal that does not pass through this position, noted down earlier.",
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Check every record against the chain of digests, and every snapshot against its own.

    A journal that lost its end is whole by itself. Note the last record and digest elsewhere, and ask for
    them with *--contains*.

    **Examples**

    ```
    plimsoll journal verify data/venue.sqlite
    plimsoll journal verify data/venue.sqlite --contains 91204:5f0c...
    ```
    """
    from plimsoll.store.reading import open_journal

    voice = Voice.chosen(quiet=quiet, as_json=json)
    wanted = None if contains is None else _position(contains)
    with closing(open_journal(journal)) as source, voice.progress() as progress:
        passed = wanted is None
        last = source.base()
        for last in _positions(source, progress):
            passed = passed or last == wanted
        unsound = [kept.sequence for kept in source.snapshots() if not kept.sound]
        if unsound:
            raise _broken(source, f"the snapshot of record {unsound[0]} does not match its digest")
        if not passed:
            raise _broken(source, f"it does not pass through {contains}")
        document = {
            "first": source.base().sequence + 1,
            "last": last.sequence,
            "digest": last.digest,
            "snapshots": [kept.sequence for kept in source.snapshots()],
        }
    voice.tell(lambda console: console.print(_verified(document), soft_wrap=True), lambda: document)


@app.command("export")
def export(
    *,
    journal: Location,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="What to write: .jsonl or .parquet.")],
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="RECORD", min=0, help="Only records after this one."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write records out as JSON lines or Parquet, each checked on the way.

    Columns: sequence, time, kind of event, key, writer, digest, and the event as JSON.

    **Examples**

    ```
    plimsoll journal export data/venue.sqlite --out records.jsonl
    plimsoll journal export data/venue.sqlite --after 90000 --out records.parquet
    ```
    """
    from plimsoll.cli.journal_files import write_records
    from plimsoll.store.reading import open_journal

    voice = Voice.chosen(quiet=quiet, as_json=json)
    with closing(open_journal(journal)) as source, voice.progress() as progress:
        start = source.base().sequence if after is None else after
        written = write_records(source.read(after=start), out, lambda done: progress("writing", done, done))
    document = {"file": str(out), "records": written}
    voice.tell(
        lambda console: console.print(f"{written:,} records in {out}", soft_wrap=True), lambda: document
    )


@app.command("replay")
def replay(*, journal: Location, quiet: Quiet = False, json: Json = False) -> None:
    """Rebuild the state by taking every record through the engine again, and print its digest.

    Begins at the first record, or at the newest snapshot where older records were dropped. Every snapshot on
    the way must be the very state that the records lead to.

    **Examples**

    ```
    plimsoll journal replay data/venue.sqlite
    plimsoll journal replay runs/black-thursday-2020/journals/plimsoll.journal
    ```
    """
    from plimsoll.store.reading import open_journal
    from plimsoll.store.recovery import retrace

    voice = Voice.chosen(quiet=quiet, as_json=json)
    with closing(open_journal(journal)) as source, voice.progress() as progress:
        traced = retrace(source, lambda done: progress("replaying", done, done))
    document: dict[str, Any] = {
        "from": traced.start,
        "to": traced.position.sequence,
        "refused": traced.refused,
        "snapshots": traced.snapshots,
        "accounts": len(traced.state.book.names),
        "state": traced.digest,
        "digest": traced.position.digest,
    }
    voice.tell(lambda console: console.print(_replayed(document), soft_wrap=True), lambda: document)


def _positions(source: "Readable", progress: Progressing) -> "Iterator[Position]":
    for number, record in enumerate(source.read(after=source.base().sequence)):
        if number % _STEP == 0:
            progress("checking", number, number)
        yield record.position


def _position(text: str) -> "Position":
    from plimsoll.store.records import Position

    number, _, digest = text.partition(":")
    if not number.isdecimal() or not _DIGEST.fullmatch(digest.lower()):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"{text} is no record number and digest",
            where="--contains",
            remedy="Write them as verify prints them: 91204:5f0c..., 64 hexadecimal digits.",
        )
    return Position(int(number), digest.lower())


def _broken(source: "Readable", what: str) -> PlimsollError:
    return PlimsollError(
        Code.BROKEN_JOURNAL, what, where=source.where, remedy="Restore the store from a copy."
    )


def _verified(document: dict[str, Any]) -> str:
    held = (
        f"records {document['first']:,} to {document['last']:,}"
        if document["last"] >= document["first"]
        else "no record"
    )
    return f"whole: {held}, {len(document['snapshots'])} snapshots\n{document['last']}:{document['digest']}"


def _replayed(document: dict[str, Any]) -> str:
    return (
        f"records {document['from'] + 1:,} to {document['to']:,}, {document['refused']:,} refused again, "
        f"{document['snapshots']} snapshots met\n"
        f"{document['accounts']:,} accounts, the system's included; state {document['state']}"
    )
